import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { type SmtpPeer, type SmtpPeerOptions, startSmtpPeer } from '../../../test/support/smtp-peer.ts';
import { createSelfSigned } from '../../net/tls-self-signed.ts';
import { openOutbound, type OutboundFixture } from '../../../test/support/outbound.ts';
import type { RelaySettings } from './transports/relay.ts';

const CERTIFICATE = createSelfSigned({
  commonName: 'localhost',
  names: ['localhost'],
  notBefore: Date.UTC(2020, 0, 1),
  notAfter: Date.UTC(2049, 0, 1),
});
const ALL = ['PIPELINING', 'SIZE 50000000', '8BITMIME', 'DSN'];

describe('delivery through a relay', () => {
  let out: OutboundFixture | undefined;
  let peer: SmtpPeer | undefined;

  afterEach(async () => {
    await out?.close();
    await peer?.close();
    out = peer = undefined;
  });

  const open = async (options: SmtpPeerOptions, relay: Partial<RelaySettings>): Promise<void> => {
    peer = await startSmtpPeer(options);
    out = await openOutbound({ relay: { host: 'localhost', port: peer.port, tls: 'none', ...relay } });
  };
  const send = async (): Promise<{ state: string; reply: string }> => {
    assert.ok(out);
    const id = await out.send(['x@far.test']);
    await out.idle();
    const [recipient] = (await out.entry(id)).recipients;
    return { state: recipient?.state ?? '', reply: recipient?.lastReply ?? '' };
  };

  it('everything goes there, whatever the domain, without asking for MX', async () => {
    await open({}, {});
    assert.equal((await send()).state, 'delivered');
    assert.deepEqual(
      out?.flow.dns.asked.filter((question) => question.includes('far.test')),
      [],
    );
  });

  it('with TLS, its certificate checked, and AUTH PLAIN', async () => {
    await open(
      { tls: CERTIFICATE, capabilities: [...ALL, 'AUTH PLAIN'], script: { AUTH: () => '235 2.7.0 welcome' } },
      { tls: 'required', ca: CERTIFICATE.cert, login: { user: 'me', password: 'secret' } },
    );
    assert.equal((await send()).state, 'delivered');
    assert.equal(peer?.transactions[0]?.tls, true);
    const initial = Buffer.from('\0me\0secret').toString('base64');
    assert.ok(peer?.commands.includes(`AUTH PLAIN ${initial}`));
    await send();
    assert.equal(peer?.connections(), 1);
  });

  it('prefers SCRAM, and believes only a server that knows the password', async () => {
    await open(
      {
        tls: CERTIFICATE,
        capabilities: [...ALL, 'AUTH SCRAM-SHA-256 PLAIN'],
        script: { AUTH: () => '235 2.7.0 welcome' },
      },
      { tls: 'required', ca: CERTIFICATE.cert, login: { user: 'me', password: 'secret' } },
    );
    const { state, reply } = await send();
    assert.ok(peer?.commands.some((command) => command.startsWith('AUTH SCRAM-SHA-256 ')));
    assert.equal(state, 'queued');
    assert.match(reply, /^451 4\.4\.1 login at the relay failed/);
    assert.ok(!peer?.commands.join('\n').includes(Buffer.from('\0me\0secret').toString('base64')));
  });

  it('a login that is refused defers with the relay’s words, never the password', async () => {
    await open(
      {
        tls: CERTIFICATE,
        capabilities: [...ALL, 'AUTH PLAIN'],
        script: { AUTH: () => '535 5.7.8 wrong password' },
      },
      { tls: 'required', ca: CERTIFICATE.cert, login: { user: 'me', password: 'secret' } },
    );
    const { state, reply } = await send();
    assert.equal(state, 'queued');
    assert.match(reply, /login at the relay failed: 535 5\.7\.8 wrong password/);
    assert.doesNotMatch(reply, /secret/);
    assert.equal(peer?.transactions.length, 0);
  });

  it('required TLS that is missing, or not of the relay’s name, defers', async () => {
    await open({}, { tls: 'required' });
    assert.match((await send()).reply, /STARTTLS/);
    await out?.close();
    await peer?.close();
    await open({ tls: CERTIFICATE }, { tls: 'required' });
    const { state, reply } = await send();
    assert.equal(state, 'queued');
    assert.match(reply, /certificate/i);
    assert.equal(peer?.transactions.length, 0);
  });

  it('the method that is named, with a token that is read at each login', async () => {
    let token = 'first';
    await open(
      { tls: CERTIFICATE, capabilities: [...ALL, 'AUTH PLAIN XOAUTH2 SCRAM-SHA-1'] },
      {
        tls: 'required',
        ca: CERTIFICATE.cert,
        login: { user: 'me@far.test', password: async () => token, mechanism: 'XOAUTH2' },
      },
    );
    const bearer = (secret: string): string =>
      `AUTH XOAUTH2 ${Buffer.from(`user=me@far.test\x01auth=Bearer ${secret}\x01\x01`).toString('base64')}`;
    assert.equal((await send()).state, 'delivered');
    assert.ok(peer?.commands.includes(bearer('first')));
    token = 'second';
    await out?.pass(10_000);
    assert.equal((await send()).state, 'delivered');
    assert.ok(peer?.commands.includes(bearer('second')));
  });

  it('a token that is refused, a method that is not offered, a secret that cannot be read: deferred', async () => {
    const login = { user: 'me', password: 'secret', mechanism: 'XOAUTH2' } as const;
    const relay = { tls: 'required', ca: CERTIFICATE.cert } as const;
    const refusing = { AUTH: '334 eyJzdGF0dXMiOiI0MDEifQ==', AUTHDATA: '535 5.7.8 no' };
    const offering = { tls: CERTIFICATE, capabilities: [...ALL, 'AUTH XOAUTH2'] };
    await open({ ...offering, script: refusing }, { ...relay, login });
    assert.match((await send()).reply, /login at the relay failed: 535 5\.7\.8 no/);
    await out?.close();
    await peer?.close();
    await open({ tls: CERTIFICATE, capabilities: [...ALL, 'AUTH PLAIN'] }, { ...relay, login });
    assert.match((await send()).reply, /offers no login by XOAUTH2/);
    await out?.close();
    await peer?.close();
    const gone = async (): Promise<string> => Promise.reject(new Error('/secret/path'));
    await open(offering, { ...relay, login: { ...login, password: gone } });
    const { reply } = await send();
    assert.match(reply, /cannot be read/);
    assert.doesNotMatch(reply, /secret\/path/);
  });

  it('LMTP over a Unix socket, with a result for each recipient', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-lmtp-'));
    const path = join(directory, 'lmtp');
    const perRecipient = (address: string): string =>
      address.startsWith('full@')
        ? '452 4.2.2 full'
        : address.startsWith('bad@')
          ? '550 5.1.1 who?'
          : '250 2.1.5 ok';
    await open(
      { protocol: 'lmtp', listen: { path }, perRecipient },
      { host: `unix:${path}`, protocol: 'lmtp' },
    );
    const id = (await out?.send(['a@far.test', 'full@far.test', 'bad@far.test'])) ?? '';
    await out?.idle();
    assert.deepEqual(await out?.states(id), ['delivered', 'queued', 'failed']);
    assert.ok(peer?.commands.some((line) => line.startsWith('LHLO ')));
    assert.equal((await out?.entry(id))?.recipients[0]?.lastHost, `unix:${path}`);
    await rm(directory, { recursive: true });
  });

  it('TLS from the first octet', async () => {
    await open({ tls: { ...CERTIFICATE, implicit: true } }, { tls: 'implicit', ca: CERTIFICATE.cert });
    assert.equal((await send()).state, 'delivered');
  });

  it('may be changed while running', async () => {
    await open({ script: { GREETING: '554 5.3.2 no' } }, {});
    assert.equal((await send()).state, 'queued');
    const other = await startSmtpPeer();
    out?.scheduler.useRelay({ host: '127.0.0.1', port: other.port, tls: 'none' });
    assert.equal((await send()).state, 'delivered');
    await other.close();
  });
});
