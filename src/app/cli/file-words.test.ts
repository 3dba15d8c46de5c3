import assert from 'node:assert/strict';
import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileProblem, unreadable } from './file-words.ts';

it('says in words what ails a file, and leaves faults of the program alone', async () => {
  const caught = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      return assert.fail(String(await work));
    } catch (error) {
      return error;
    }
  };
  const gone = join(tmpdir(), 'postern-nowhere', 'x');
  const missing = await caught(readFile(gone));
  assert.equal(fileProblem(missing), `${gone}: there is no such file or folder`);
  assert.equal(unreadable('x', missing).message, 'x cannot be read: there is no such file or folder');
  const directory = await open(tmpdir());
  assert.match(fileProblem(await caught(directory.readFile())) ?? '', /^a folder was named/);
  await directory.close();
  assert.equal(fileProblem(new TypeError('x is not a function')), undefined);
  assert.equal(
    fileProblem(Object.assign(new Error('refused'), { code: 'ECONNREFUSED', path: 'x' })),
    undefined,
  );
});
