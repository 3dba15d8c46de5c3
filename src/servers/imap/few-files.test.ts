import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { imapClient } from '../../../test/support/imap-client.ts';

const PROGRAM = join(import.meta.dirname, '../../../test/support/few-files.main.ts');

test('when there are no file descriptors left, the server goes on, and is there again afterwards (Stalwart 0.16.12)', async () => {
  const child = spawn('sh', ['-c', `ulimit -n 80 && exec "${process.execPath}" "${PROGRAM}"`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    const early = await imapClient(port);
    await early.login();
    const others: Socket[] = [];
    for (let n = 0; n < 150; n++) {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
      others.push(socket);
    }
    // Who is in can work meanwhile.
    await early.ok('SELECT INBOX');
    for (const socket of others) socket.destroy();
    await early.ok('NOOP');
    const late = await comesIn(port);
    await late.ok('SELECT INBOX');
    late.close();
    early.close();
    child.stdin.end();
    assert.ok(Number((await lines.next()).value) < 200, 'the log is not flooded');
  } finally {
    child.kill();
    await exited;
  }
});

/** Log in as soon as there is room again. */
async function comesIn(port: number): Promise<Awaited<ReturnType<typeof imapClient>>> {
  for (let tries = 0; ; tries++) {
    try {
      const client = await imapClient(port);
      await client.login();
      return client;
    } catch (error) {
      if (tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
