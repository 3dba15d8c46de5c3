import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { systemClock } from '../../base/clock.ts';
import type { Connection } from '../connection.ts';
import { createSelfSigned } from '../tls-self-signed.ts';
import { fixedTlsSource } from '../tls-store.ts';
import type { TlsSource } from '../tls.ts';
import { listen } from './listen.ts';
import { parseProxyHeader } from './proxy-header.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

function v2(command: number, family: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([0x20 | command, family, length >> 8, length & 0xff]), body]);
}

const TCP4 = Buffer.from('c6336407cb00710130390019', 'hex'); // 198.51.100.7:12345 -> 203.0.113.1:25
const TCP6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.from('30390019', 'hex'),
]);

const CLIENT = {
  remoteAddress: '198.51.100.7',
  remotePort: 12345,
  localAddress: '203.0.113.1',
  localPort: 25,
};

test('well-formed headers', () => {
  const line = 'PROXY TCP4 198.51.100.7 203.0.113.1 12345 25\r\n';
  const parsed = parseProxyHeader(Buffer.from(`${line}EHLO x\r\n`));
  assert.deepEqual(parsed, { kind: 'header', endpoints: CLIENT, length: line.length });
  const mapped = parseProxyHeader(Buffer.from('PROXY TCP6 ::FFFF:198.51.100.7 2001:DB8:0::1 1 25\r\n'));
  assert.ok(mapped.kind === 'header');
  assert.equal(mapped.endpoints?.remoteAddress, '198.51.100.7');
  assert.equal(mapped.endpoints?.localAddress, '2001:db8::1');
  const unknown = parseProxyHeader(Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'));
  assert.deepEqual(unknown, { kind: 'header', endpoints: undefined, length: 35 });

  const tlvs = Buffer.concat([TCP4, Buffer.from('04000361 6263'.replace(' ', ''), 'hex')]);
  assert.deepEqual(parseProxyHeader(v2(1, 0x11, tlvs)), {
    kind: 'header',
    endpoints: CLIENT,
    length: 16 + 12 + 6,
  });
  const six = parseProxyHeader(v2(1, 0x21, TCP6));
  assert.ok(six.kind === 'header');
  assert.deepEqual(six.endpoints, {
    remoteAddress: '2001:db8::1',
    remotePort: 12345,
    localAddress: '2001:db8::2',
    localPort: 25,
  });
  for (const header of [
    v2(0, 0x00, Buffer.alloc(0)),
    v2(0, 0x11, TCP4),
    v2(1, 0x00, Buffer.alloc(7)),
    v2(1, 0x31, Buffer.alloc(216)),
  ]) {
    const local = parseProxyHeader(header);
    assert.deepEqual(local, { kind: 'header', endpoints: undefined, length: header.length });
  }
});

test('every prefix of a header is incomplete, never wrong', () => {
  for (const whole of [Buffer.from('PROXY TCP4 198.51.100.7 203.0.113.1 12345 25\r\n'), v2(1, 0x11, TCP4)]) {
    for (let i = 0; i < whole.length; i++) {
      assert.equal(parseProxyHeader(whole.subarray(0, i)).kind, 'incomplete', `${i} octets`);
    }
  }
});

test('malformed headers', () => {
  const lines = [
    'EHLO spammer\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.1 12345\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.1 12345 25 x\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.1 012345 25\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.1 99999 25\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.1 -1 25\r\n',
    'PROXY TCP4 ::1 203.0.113.1 1 25\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 25\r\n',
    'PROXY TCP4 198.51.100.300 203.0.113.1 1 25\r\n',
    'PROXY TCP4  198.51.100.7 203.0.113.1 1 25\r\n',
    'PROXY UDP4 198.51.100.7 203.0.113.1 1 25\r\n',
    `PROXY UNKNOWN ${'x'.repeat(200)}`,
  ];
  for (const line of lines) assert.equal(parseProxyHeader(Buffer.from(line)).kind, 'malformed', line);
  const binary = [
    v2(2, 0x11, TCP4),
    v2(1, 0x12, TCP4),
    v2(1, 0x41, TCP4),
    v2(1, 0x11, TCP4.subarray(0, 11)),
    v2(1, 0x21, TCP4),
    v2(1, 0x11, TCP4, 65_535),
    Buffer.concat([SIGNATURE, Buffer.from([0x11, 0x11, 0, 12]), TCP4]),
  ];
  for (const header of binary)
    assert.equal(parseProxyHeader(header).kind, 'malformed', header.toString('hex'));
});

async function start(t: TestContext, proxyFrom: string[], tls?: TlsSource) {
  const seen: string[] = [];
  const refused: string[] = [];
  const listener = await listen({
    target: { address: '127.0.0.1', port: 0 },
    maxTotal: 0,
    maxPerAddress: 2,
    clock: systemClock,
    proxyFrom,
    proxyTimeoutMs: 150,
    tls,
    onRefused: ({ reason, detail }) => {
      refused.push(`${reason}: ${detail}`);
      return '421 no\r\n';
    },
    onConnection: async (connection: Connection) => {
      const chunk = await connection.read({ timeoutMs: 5000 });
      seen.push(`${connection.remoteAddress}:${connection.remotePort} ${chunk?.toString('latin1')}`);
      await connection.write('ok');
      await connection.end();
    },
  });
  t.after(async () => {
    await listener.close();
    await listener.closeAll();
  });
  const talk = async (...parts: (string | Buffer)[]): Promise<string> => {
    const socket = connect({ port: listener.port, host: '127.0.0.1', noDelay: true });
    t.after(() => socket.destroy());
    void (async () => {
      for (const part of parts) {
        socket.write(part);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    await new Promise((resolve) => socket.on('close', resolve));
    return text;
  };
  return { listener, seen, refused, talk };
}

test('a listed peer speaks for its clients, in one piece or many', async (t) => {
  const { seen, talk } = await start(t, ['127.0.0.0/8']);
  await talk('PROXY TCP4 198.51.100.7 203.0.113.1 12345 25\r\nEHLO a\r\n');
  await talk('PROXY TCP4 198.51', '.100.8 203.0.113.1 1 25\r', '\nEHLO b\r\n');
  const header = v2(1, 0x11, TCP4);
  await talk(header.subarray(0, 5), header.subarray(5), 'EHLO c\r\n');
  assert.deepEqual(seen, [
    '198.51.100.7:12345 EHLO a\r\n',
    '198.51.100.8:1 EHLO b\r\n',
    '198.51.100.7:12345 EHLO c\r\n',
  ]);
});

test('a header from anybody else is just bad input', async (t) => {
  const { seen, talk } = await start(t, ['192.0.2.0/24']);
  await talk('PROXY TCP4 198.51.100.7 203.0.113.1 12345 25\r\n');
  assert.equal(seen.length, 1);
  assert.match(seen[0] ?? '', /^127\.0\.0\.1:\d+ PROXY TCP4 198/);
});

test('a listed peer without header, with half of one, or with a bad one is closed without a word', async (t) => {
  const { seen, refused, talk } = await start(t, ['127.0.0.1']);
  assert.equal(await talk('EHLO x\r\n'), '');
  assert.equal(await talk('PROXY TCP4 1.2.3.4'), '');
  assert.equal(await talk(), '');
  assert.deepEqual(seen, []);
  assert.deepEqual(refused, [
    'proxy-header: no PROXY header',
    'proxy-header: no complete PROXY header in time',
    'proxy-header: no complete PROXY header in time',
  ]);
});

test('limits count the clients, not the balancer', async (t) => {
  const { listener, refused } = await start(t, ['127.0.0.1']);
  const open = (address: string): void => {
    const socket = connect({ port: listener.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    socket.write(`PROXY TCP4 ${address} 203.0.113.1 1 25\r\n`);
    t.after(() => socket.destroy());
  };
  for (const address of ['198.51.100.1', '198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.1'])
    open(address);
  while (refused.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(refused, ['address: more than 2 connections from one address']);
});

test('a header in the same segment as the TLS client hello', async (t) => {
  const pair = createSelfSigned({
    commonName: 'mail.test',
    names: ['mail.test'],
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 3_600_000,
  });
  const { listener, seen } = await start(t, ['127.0.0.1'], fixedTlsSource(pair, 'test'));
  const raw = connect({ port: listener.port, host: '127.0.0.1' });
  t.after(() => raw.destroy());
  raw.cork();
  raw.write('PROXY TCP4 198.51.100.7 203.0.113.1 12345 993\r\n');
  const socket = tlsConnect({ socket: raw, ca: pair.cert, servername: 'mail.test' });
  raw.uncork();
  socket.write('inside');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  assert.equal(text, 'ok');
  assert.deepEqual(seen, ['198.51.100.7:12345 inside']);
});
