import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { askMilter, type MilterMessage } from '../../src/net/milter/client.ts';
import { askClamd } from '../../src/net/partners/clamd.ts';
import { askRspamd } from '../../src/net/partners/rspamd.ts';
import { cleanEnvironment, skipUnlessRoot, skipWithout } from '../support/programs.ts';

/** Filters of other people, as Debian has them, asked by our clients. */

/** A filter may load rules for a while on a busy machine. */
const START_MS = 60_000;

/** The pattern that every spam filter knows; in two pieces, so that this file is not taken for spam. */
const GTUBE = `XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-${'STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'}`;

function message(text: string): MilterMessage {
  const fields = [
    { name: 'From', value: ' Ann <a@example.org>' },
    { name: 'To', value: ' b@example.net' },
    { name: 'Subject', value: ' a test' },
    { name: 'Message-ID', value: ' <1@example.org>' },
    { name: 'Date', value: ' Mon, 02 Nov 2026 10:00:00 +0000' },
  ];
  const head = `${fields.map(({ name, value }) => `${name}:${value}`).join('\r\n')}\r\n\r\n`;
  const body = `${text}\r\n`;
  return {
    size: head.length + body.length,
    async *read() {
      yield Buffer.from(head + body);
    },
    async *readBody() {
      yield Buffer.from(body);
    },
    fields,
    ip: '192.0.2.1',
    port: 4711,
    helo: 'mx.example.org',
    clientName: '',
    reversePath: 'a@example.org',
    recipients: ['b@example.net'],
    hostname: 'mx.example.net',
    trace: 'trace-1',
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Program extends AsyncDisposable {
  readonly directory: string;
}

/** Run a program with files of its own until it listens on `port`. */
async function program(
  command: string,
  port: number,
  make: (directory: string) => Promise<readonly string[]>,
): Promise<Program> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-filter-'));
  await chmod(directory, 0o777);
  const child = spawn(command, await make(directory), {
    env: cleanEnvironment(directory),
    stdio: 'ignore',
    detached: true,
  });
  await listening(child, command, port);
  return {
    directory,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // With those it has started.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      if (child.exitCode === null) await ended;
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function listening(child: ChildProcess, command: string, port: number): Promise<void> {
  for (let waited = 0; waited < START_MS; waited += 50) {
    assert.equal(child.exitCode, null, `${command} ended`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await sleep(50);
  }
  child.kill('SIGKILL');
  assert.fail(`${command} does not listen`);
}

const noClamd = skipWithout('clamd') || skipUnlessRoot();

describe('filters from Debian', () => {
  it('clamd finds what is in its database', { skip: noClamd }, async () => {
    const port = await freePort();
    await using _clamd = await program('clamd', port, async (directory) => {
      await mkdir(join(directory, 'db'));
      const pattern = Buffer.from('a very bad file').toString('hex');
      await writeFile(join(directory, 'db', 'test.ndb'), `Postern.Test:0:*:${pattern}\n`);
      const config = `DatabaseDirectory ${directory}/db\nTCPSocket ${port}\nTCPAddr 127.0.0.1\nForeground true\nUser root\n`;
      await writeFile(join(directory, 'clamd.conf'), config);
      return ['-c', join(directory, 'clamd.conf')];
    });
    const ask = (text: string) => askClamd(`127.0.0.1:${port}`, message(text), systemClock);
    assert.deepEqual(await ask('good'), { status: 'clean' });
    const found = await ask('this is a very bad file');
    assert.deepEqual(found, { status: 'infected', name: 'Postern.Test.UNOFFICIAL' });
  });

  it('opendkim as a milter adds its result', { skip: skipWithout('opendkim') }, async () => {
    const port = await freePort();
    await using _opendkim = await program('opendkim', port, async () => {
      const socket = `inet:${port}@127.0.0.1`;
      return ['-f', '-x', '/dev/null', '-b', 'v', '-p', socket];
    });
    const verdict = await askMilter(`127.0.0.1:${port}`, message('hello'), systemClock);
    assert.equal(verdict.action, 'accept');
  });

  const noRspamd = skipWithout('rspamd') || skipUnlessRoot();
  it('rspamd refuses the test pattern over HTTP and as a milter', { skip: noRspamd }, async () => {
    const [port, milterPort] = [await freePort(), await freePort()];
    await using _rspamd = await program('rspamd', milterPort, async (directory) => {
      const config = `options { pidfile = "${directory}/pid"; filters = ""; enable_test_patterns = true; tempdir = "${directory}";
          dns { nameserver = ["127.0.0.1:1:1"]; timeout = 0.1s; } }
        logging { type = "file"; filename = "${directory}/log"; }
        worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
        worker "rspamd_proxy" { bind_socket = "127.0.0.1:${milterPort}"; milter = yes; count = 1;
          upstream "local" { default = yes; self_scan = yes; } }
        actions { reject = 15; add_header = 6; }\n`;
      await writeFile(join(directory, 'rspamd.conf'), config);
      return ['-f', '-u', '_rspamd', '-g', '_rspamd', '-c', join(directory, 'rspamd.conf')];
    });
    const good = await askRspamd(`http://127.0.0.1:${port}`, message('hello'), systemClock);
    assert.equal(good.action, 'no action');
    const bad = await askRspamd(`http://127.0.0.1:${port}`, message(GTUBE), systemClock);
    assert.equal(bad.action, 'reject');
    const place = `127.0.0.1:${milterPort}`;
    assert.equal((await askMilter(place, message('hello'), systemClock)).action, 'accept');
    const refused = await askMilter(place, message(GTUBE), systemClock);
    assert.equal(refused.action, 'reject');
    assert.match(refused.reason, /^5/);
  });
});
