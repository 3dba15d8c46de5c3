import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Output, run, until } from '../../bench/support/processes.ts';
import { freePort } from '../app/program.ts';
import { runCommand } from '../support/cli.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import type { ServiceName } from '../../src/app/service-names.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** HAProxy in front, as docs/guides/behind-a-proxy.md has it: the journal names the client, not the proxy. */

const PATIENCE_MS = 10_000;
const POLL_MS = 50;
/** Where HAProxy connects from: an address of loopback that is in proxy_from. */
const PROXY = '127.0.0.9';
const FORWARDED: readonly ServiceName[] = ['smtp', 'submissions', 'imap', 'imaps'];
const env = cleanEnvironment(tmpdir());

interface Haproxy extends AsyncDisposable {
  readonly ports: Readonly<Record<string, number>>;
}

async function haproxy(server: TestServer, send: 'send-proxy' | 'send-proxy-v2'): Promise<Haproxy> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-haproxy-'));
  const ports: Record<string, number> = {};
  const lines = ['defaults', '  timeout connect 5s', '  timeout client 60s', '  timeout server 60s'];
  for (const name of FORWARDED) {
    ports[name] = await freePort();
    lines.push(`listen ${name}`, '  mode tcp', `  bind 127.0.0.1:${ports[name]}`);
    lines.push(`  server postern 127.0.0.1:${server.ports[name] ?? 0} ${send} source ${PROXY}`);
  }
  ports.http = await freePort();
  lines.push(
    'listen http',
    '  mode http',
    `  bind 127.0.0.1:${ports.http}`,
    '  http-request del-header x-forwarded-for',
  );
  lines.push('  option forwardfor', `  server postern 127.0.0.1:${server.ports.http ?? 0} source ${PROXY}`);
  const file = join(directory, 'haproxy.cfg');
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('haproxy', ['-db', '-f', file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('HAProxy listens', PATIENCE_MS, POLL_MS, async () => {
    assert.equal(child.exitCode, null, said);
    return canConnect(ports.http ?? 0);
  });
  return { ports, [Symbol.asyncDispose]: () => ended(child, directory) };
}

async function ended(child: ChildProcess, directory: string): Promise<void> {
  const gone = child.exitCode === null ? once(child, 'exit') : undefined;
  child.kill('SIGKILL');
  await gone;
  await rm(directory, { recursive: true, force: true });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A program that connects from this address of loopback. */
function curl(from: string, ...args: string[]): Promise<Output> {
  const common = ['--silent', '--show-error', '--insecure', '--max-time', '10', '--interface', from];
  return run('curl', [...common, ...args], { env, allowFailure: true });
}

const skip = skipWithout('haproxy', 'swaks', 'curl');

function proxied(): Promise<TestServer> {
  return startTestServer({
    config: { hostname: 'mx.example.test', listen: { proxy_from: [`${PROXY}/32`] } },
  });
}

/** The journal of an address has this; most events are written a moment after they happened. */
async function traced(server: TestServer, address: string, pattern: RegExp): Promise<void> {
  let out = '';
  try {
    await until(String(pattern), PATIENCE_MS, POLL_MS, async () => {
      ({ out } = await runCommand(['trace', address], { data: server.directory }));
      return pattern.test(out);
    });
  } catch {
    assert.match(out, pattern);
  }
}

async function untold(server: TestServer, address: string): Promise<void> {
  assert.doesNotMatch(
    (await runCommand(['trace', address], { data: server.directory })).out,
    /example\.test/,
  );
}

describe('HAProxy in front', { skip }, () => {
  for (const send of ['send-proxy', 'send-proxy-v2'] as const) {
    it(`tells the client of SMTP and IMAP by ${send}, in clear and inside TLS`, async () => {
      await using server = await proxied();
      await using proxy = await haproxy(server, send);
      const { smtp, submissions, imap, imaps } = proxy.ports;
      const mail = [
        '--server',
        '127.0.0.1',
        '--port',
        String(smtp),
        '--local-interface',
        '127.0.0.21',
        '--timeout',
        '10',
      ];
      const sent = await run('swaks', [...mail, '--from', 'carol@remote.test', '--to', 'bob@example.test'], {
        env,
        allowFailure: true,
      });
      assert.equal(sent.code, 0, sent.stdout);
      const user = ['--user', `bob@example.test:${TEST_PASSWORD}`];
      const read = await curl('127.0.0.22', ...user, `imaps://127.0.0.1:${imaps}/INBOX;MAILINDEX=1`);
      assert.match(read.stdout, /^Received: from .*\[127\.0\.0\.21\]/m, read.stderr);
      const wrong = ['--user', 'bob@example.test:not it'];
      await curl('127.0.0.23', ...wrong, '--ssl-reqd', `imap://127.0.0.1:${imap}/`);
      const submission = [
        '--server',
        '127.0.0.1',
        '--port',
        String(submissions),
        '--tlsc',
        '--local-interface',
        '127.0.0.24',
      ];
      const own = [
        '--from',
        'bob@example.test',
        '--to',
        'alice@example.test',
        '--auth-user',
        'bob@example.test',
        '--auth-password',
        TEST_PASSWORD,
      ];
      const out = await run('swaks', [...submission, ...own, '--timeout', '10'], { env, allowFailure: true });
      assert.equal(out.code, 0, out.stdout);

      await traced(server, '127.0.0.21', /bob@example\.test/);
      await traced(server, '127.0.0.22', /bob@example\.test/);
      await traced(server, '127.0.0.23', /bob@example\.test/);
      await traced(server, '127.0.0.24', /alice@example\.test/);
      await untold(server, PROXY);
    });
  }

  it('tells the client of a page by X-Forwarded-For, and what the client says of itself does not count', async () => {
    await using server = await proxied();
    await using proxy = await haproxy(server, 'send-proxy-v2');
    const page = `http://127.0.0.1:${proxy.ports.http}/account/refused`;
    const lie = ['--header', 'X-Forwarded-For: 203.0.113.9'];
    const answer = await curl('127.0.0.25', ...lie, '--user', 'bob@example.test:not it', page);
    assert.match(answer.stdout, /address or the password is wrong/, answer.stderr);
    await traced(server, '127.0.0.25', /bob@example\.test/);
    await untold(server, '203.0.113.9');
  });

  it('is refused where it forgets the header', async () => {
    await using server = await proxied();
    const socket = connect({ port: server.ports.smtp ?? 0, host: '127.0.0.1', localAddress: PROXY });
    let heard = '';
    socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
    socket.on('error', () => undefined).write('EHLO client.test\r\n');
    await once(socket, 'close');
    assert.equal(heard, '');
    await traced(server, PROXY, /no PROXY header/);
  });
});
