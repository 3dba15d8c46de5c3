import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** sieve-connect: STARTTLS, login, and a script's way from a file to the one that runs, and back. */
describe('sieve-connect', { skip: skipWithout('sieve-connect') }, () => {
  let server: TestServer;
  let home: string;
  const script = 'require ["fileinto"];\nif header :contains "Subject" "list" {\n  fileinto "Lists";\n}\n';

  before(async () => {
    server = await startTestServer();
    home = await mkdtemp(join(tmpdir(), 'postern-sieve-connect-'));
    await writeFile(join(home, 'password'), `${TEST_PASSWORD}\n`);
    await writeFile(join(home, 'good.sieve'), script);
    await writeFile(join(home, 'bad.sieve'), 'fileinto "Lists";\n');
  });
  after(async () => {
    await server.close();
    await rm(home, { recursive: true, force: true });
  });

  function connect(...args: string[]): Promise<Output> {
    const to = [
      '--server',
      '127.0.0.1',
      '--port',
      `${server.ports.managesieve}`,
      '--user',
      'bob@example.test',
    ];
    const how = ['--notlsverify', '--nosslverify', '--passwordfd', '3'];
    const words = [...to, ...how, ...args].map((word) => `'${word}'`).join(' ');
    return run('sh', ['-c', `sieve-connect ${words} 3<${home}/password`], {
      env: cleanEnvironment(home),
      allowFailure: true,
    });
  }

  it('puts a script, makes it the active one, lists, fetches and removes it', async () => {
    const put = await connect('--upload', '--localsieve', join(home, 'good.sieve'), '--remotesieve', 'main');
    assert.equal(put.code, 0, `${put.stdout}${put.stderr}`);
    const on = await connect('--activate', '--remotesieve', 'main');
    assert.equal(on.code, 0, `${on.stdout}${on.stderr}`);
    assert.match((await connect('--list')).stdout, /"main" ACTIVE/);
    const got = await connect('--download', '--remotesieve', 'main', '--localsieve', join(home, 'back'));
    assert.equal(got.code, 0, `${got.stdout}${got.stderr}`);
    assert.equal(await readFile(join(home, 'back'), 'utf8'), script);
    assert.equal((await connect('--deactivate')).code, 0);
    assert.equal((await connect('--delete', '--remotesieve', 'main')).code, 0);
    assert.doesNotMatch((await connect('--list')).stdout, /main/);
  });

  it('is told what is wrong with a script, and where', async () => {
    const put = await connect('--upload', '--localsieve', join(home, 'bad.sieve'), '--remotesieve', 'bad');
    assert.notEqual(put.code, 0);
    assert.match(put.stdout + put.stderr, /line 1, column 1: .*fileinto/);
  });
});
