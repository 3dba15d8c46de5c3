import assert from 'node:assert/strict';
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
