import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** A server with very few descriptors, which prints its port, then each accept failure. */
const SERVER = `
  import { systemClock } from ${JSON.stringify(new URL('../../base/clock.ts', import.meta.url).href)};
  import { listen } from ${JSON.stringify(new URL('./listen.ts', import.meta.url).href)};
  const listener = await listen({
    target: { address: '127.0.0.1', port: 0 }, maxTotal: 0, maxPerAddress: 0, clock: systemClock,
    onRefused: ({ reason }) => { refused++; return undefined; },
    onConnection: async (connection) => {
      await connection.write('hello');
      while ((await connection.read()) !== undefined);
      await connection.end();
    },
  });
  let refused = 0;
  console.log(listener.port);
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage();
    console.log(JSON.stringify({ cpuMs: (user + system) / 1000, refused, open: listener.count() }));
  });
`;

test('running out of descriptors neither kills the server nor makes it spin, and it recovers', async (t) => {
  // Node itself holds about 20 descriptors.
  const child = spawn(
    'sh',
    ['-c', 'ulimit -n 48; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, SERVER],
    { stdio: ['pipe', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('../../..', import.meta.url)) },
  );
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const ask = async (): Promise<{ cpuMs: number; refused: number; open: number }> => {
    child.stdin.write('?');
    return JSON.parse(String((await lines.next()).value)) as { cpuMs: number; refused: number; open: number };
  };
  const greeted: Socket[] = [];
  const all = Array.from({ length: 80 }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.on('data', () => greeted.push(socket));
    t.after(() => socket.destroy());
    return socket;
  });
  await Promise.all(
    all.map((socket) => Promise.race([once(socket, 'data'), once(socket, 'close'), sleep(500)])),
  );
  assert.ok(greeted.length > 5 && greeted.length < 48, `${greeted.length} of 80 were served`);
  const before = await ask();
  await sleep(400);
  const after = await ask();
  assert.ok(
    after.cpuMs - before.cpuMs < 200,
    `${after.cpuMs - before.cpuMs} ms of CPU in 400 ms of nothing to do`,
  );

  for (const socket of all) socket.destroy();
  while ((await ask()).open > 0) await sleep(10);
  const again = connect({ port, host: '127.0.0.1' });
  t.after(() => again.destroy());
  const [data] = (await once(again, 'data')) as [Buffer];
  assert.equal(data.toString(), 'hello');
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
