import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startSmtpPeer, type SmtpPeer, type SmtpPeerOptions } from '../../../test/support/smtp-peer.ts';
import { systemClock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { startClientMechanism } from '../../mail/sasl/client.ts';
import { createSelfSigned } from '../tls-self-signed.ts';
import type { SmtpClient } from './client.ts';
import { connect, type ConnectOptions } from './connect.ts';
import type { OutgoingMessage } from './transaction.ts';

const pair = createSelfSigned({
  commonName: 'mx.test',
  names: ['mx.test', '127.0.0.1'],
  notBefore: Date.now() - 60_000,
  notAfter: Date.now() + 3_600_000,
});

async function peerFor(t: TestContext, options: SmtpPeerOptions = {}): Promise<SmtpPeer> {
  const peer = await startSmtpPeer(options);
  t.after(() => peer.close());
  return peer;
}

function dial(peer: { port: number }, options: Partial<ConnectOptions> = {}) {
  return connect({
    protocol: 'smtp',
    to: { addresses: ['127.0.0.1'], port: peer.port },
    tls: 'none',
    servername: 'mx.test',
    helo: 'us.test',
    clock: systemClock,
    ...options,
  });
}

async function open(
  t: TestContext,
  peer: { port: number },
  options: Partial<ConnectOptions> = {},
): Promise<SmtpClient> {
  const outcome = await dial(peer, options);
  assert.ok(outcome.status === 'connected', outcome.status === 'failed' ? outcome.failure.reason : '');
  t.after(() => outcome.client.destroy());
  return outcome.client;
}

const BODY = Buffer.from('Subject: hi\r\n\r\n.dot\r\n..two\r\nend\r\n');

function message(change: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    reversePath: 'a@us.test',
    params: { size: BODY.length, body: '8BITMIME' },
    recipients: [{ address: 'b@peer.test' }],
    body: BODY,
    ...change,
  };
}

const to = (...names: string[]): { address: string }[] =>
  names.map((name) => ({ address: `${name}@peer.test` }));

async function* pieces(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

const credentials = (password: string) => ({
  login: 'user',
  password,
  channelBinding: undefined,
  random: randomBytes,
});

const statuses = (outcome: { recipients: readonly { status: string }[] }): string[] =>
  outcome.recipients.map(({ status }) => status);

test('a message goes through in one pipelined group, dots doubled, and comes out as it was', async (t) => {
  const peer = await peerFor(t);
  const seen: string[] = [];
  const client = await open(t, peer, { transcript: (who, line) => seen.push(`${who[0]} ${line}`) });
  const outcome = await client.sendMessage(
    message({
      params: { size: BODY.length, body: '8BITMIME', ret: 'HDRS', envid: 'x+y=z' },
      recipients: [
        {
          address: 'b@peer.test',
          notify: ['SUCCESS', 'FAILURE'],
          orcpt: { type: 'rfc822', address: 'o+1@old.test' },
        },
        { address: 'c@peer.test' },
      ],
    }),
  );
  assert.deepEqual(outcome, {
    recipients: [
      { status: 'accepted', reply: { code: 250, enhanced: '2.0.0', lines: ['taken'] } },
      { status: 'accepted', reply: { code: 250, enhanced: '2.0.0', lines: ['taken'] } },
    ],
  });
  const [got] = peer.transactions;
  assert.equal(got?.from, 'a@us.test');
  assert.equal(got?.params, `SIZE=${BODY.length} BODY=8BITMIME RET=HDRS ENVID=x+2By+3Dz`);
  assert.deepEqual(got?.to, ['b@peer.test', 'c@peer.test']);
  assert.deepEqual(got?.rcptParams, ['NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o+2B1@old.test', '']);
  assert.ok(got?.data.equals(BODY));
  assert.ok(got?.raw.includes('\r\n..dot\r\n...two\r\n'));
  assert.ok(peer.groups.includes(4), `MAIL, two RCPT and DATA in one piece: ${peer.groups.join()}`);
  assert.ok(seen.includes(`c ${BODY.length} octets of message, then a dot`));
  assert.ok(!seen.some((line) => line.includes('Subject')));
  await client.quit();
  assert.equal(peer.commands.at(-1), 'QUIT');
  assert.equal(client.usable, false);
});

test('without PIPELINING each command waits; the session is used again', async (t) => {
  const peer = await peerFor(t, { capabilities: [] });
  const client = await open(t, peer);
  assert.deepEqual(statuses(await client.sendMessage(message({ params: { size: 5, ret: 'FULL' } }))), [
    'accepted',
  ]);
  assert.deepEqual(statuses(await client.sendMessage(message({ params: {} }))), ['accepted']);
  assert.deepEqual(
    peer.commands.map((line) => line.split(' ')[0]),
    ['EHLO', 'MAIL', 'RCPT', 'DATA', 'MAIL', 'RCPT', 'DATA'],
  );
  assert.equal(peer.transactions[0]?.params, '', 'parameters the server does not know are left out');
  assert.ok(peer.groups.every((count) => count <= 1));
  assert.equal(peer.connections(), 1);
});

test('a body from a stream in odd pieces, without final line break', async (t) => {
  const peer = await peerFor(t);
  const client = await open(t, peer);
  const lines = Array.from({ length: 20_000 }, (_, i) => `${i % 7 === 0 ? '.' : ''}line ${i}`).join('\r\n');
  const data = Buffer.from(lines);
  for (const size of [1, 2, 3]) {
    const head = data.subarray(0, 3000);
    await client.sendMessage(message({ params: {}, body: pieces(head, size) }));
    assert.equal(peer.transactions.at(-1)?.data.toString(), `${head.toString()}\r\n`);
  }
  assert.deepEqual(statuses(await client.sendMessage(message({ params: {}, body: pieces(data, 70_001) }))), [
    'accepted',
  ]);
  assert.equal(peer.transactions.at(-1)?.data.toString(), `${lines}\r\n`);
});

test('a bare CR or LF never goes out', async (t) => {
  const peer = await peerFor(t);
  const bad = [
    'a\nb\r\n',
    'a\rb\r\n',
    'a\r\r\n',
    'a\r\n\n',
    '\n.\n',
    'x\r\n.\n',
    'x\r\n.\r',
    'a\r',
    '\r',
    '\n',
    '\r\n\r.\r\n',
  ];
  for (const text of bad) {
    for (const size of [1, 2, 100]) {
      const client = await open(t, peer);
      const sending = client.sendMessage(message({ params: {}, body: pieces(Buffer.from(text), size) }));
      await assert.rejects(
        sending,
        (error) => error instanceof Refusal && error.kind === 'bad-input',
        JSON.stringify(text),
      );
      assert.equal(client.usable, false);
    }
  }
  assert.equal(peer.transactions.length, 0, 'nothing looked like a whole message');
});

test('a source that fails in the middle closes the connection without a dot', async (t) => {
  const peer = await peerFor(t);
  const client = await open(t, peer);
  const failing = (async function* () {
    yield Buffer.from('Subject: half\r\n\r\n');
    throw new Error('disk gone');
  })();
  await assert.rejects(client.sendMessage(message({ params: {}, body: failing })), /disk gone/);
  assert.equal(client.usable, false);
  assert.equal(peer.transactions.length, 0);
});

test('BINARYMIME goes by BDAT, octet for octet, in several chunks', async (t) => {
  const peer = await peerFor(t);
  const client = await open(t, peer);
  const data = Buffer.concat([randomBytes(2_500_000), Buffer.from('\n.\r\n\r.\n')]);
  const outcome = await client.sendMessage(
    message({ params: { size: data.length, body: 'BINARYMIME' }, body: pieces(data, 50_000) }),
  );
  assert.deepEqual(statuses(outcome), ['accepted']);
  assert.ok(peer.transactions[0]?.bdat);
  assert.ok(peer.transactions[0]?.data.equals(data));
  assert.equal(peer.commands.filter((line) => line.startsWith('BDAT')).length, 3);
  assert.ok(peer.commands.at(-1)?.endsWith(' LAST'));
});

test('what the server cannot do is refused here, without a command', async (t) => {
  const peer = await peerFor(t, { capabilities: ['SIZE 1000'] });
  const client = await open(t, peer);
  const cases: [OutgoingMessage['params'], string][] = [
    [{ body: '8BITMIME' }, '5.6.3'],
    [{ body: 'BINARYMIME' }, '5.6.3'],
    [{ smtputf8: true }, '5.6.7'],
    [{ requiretls: true }, '5.7.30'],
    [{ size: 1001 }, '5.3.4'],
  ];
  for (const [params, enhanced] of cases) {
    const [first] = (await client.sendMessage(message({ params }))).recipients;
    assert.ok(
      first?.status === 'refused' && first.stage === 'local' && first.reply.enhanced === enhanced,
      enhanced,
    );
  }
  assert.deepEqual(peer.commands, ['EHLO us.test']);
});

test('some recipients refused, some taken', async (t) => {
  for (const capabilities of [['PIPELINING'], []]) {
    const peer = await peerFor(t, {
      capabilities,
      script: { RCPT: (argument) => (argument.includes('no@') ? '550 5.1.1 Unknown' : undefined) },
    });
    const client = await open(t, peer);
    const outcome = await client.sendMessage(message({ params: {}, recipients: to('a', 'no', 'c') }));
    assert.deepEqual(statuses(outcome), ['accepted', 'refused', 'accepted']);
    assert.deepEqual(outcome.recipients[1], {
      status: 'refused',
      stage: 'rcpt',
      reply: { code: 550, enhanced: '5.1.1', lines: ['Unknown'] },
    });
    assert.deepEqual(peer.transactions[0]?.to, ['a@peer.test', 'c@peer.test']);
  }
});

test('too many recipients: the rest belongs in another transaction; a full mailbox does not', async (t) => {
  let count = 0;
  const peer = await peerFor(t, {
    script: {
      RCPT: (argument) => {
        if (argument.includes('full@')) return '452 4.2.2 Mailbox full';
        return ++count > 2 ? '452 4.5.3 Too many recipients' : undefined;
      },
    },
  });
  const client = await open(t, peer);
  const outcome = await client.sendMessage(
    message({ params: {}, recipients: to('full', 'a', 'b', 'c', 'd') }),
  );
  assert.deepEqual(statuses(outcome), [
    'refused',
    'accepted',
    'accepted',
    'another-transaction',
    'another-transaction',
  ]);
  const alone = await client.sendMessage(message({ params: {}, recipients: to('e') }));
  assert.deepEqual(statuses(alone), ['refused'], 'as the first of a transaction 452 is just a deferral');
});

test('LIMITS: RCPTMAX splits, MAILMAX ends the session', async (t) => {
  const peer = await peerFor(t, { capabilities: ['PIPELINING', 'LIMITS MAILMAX=2 RCPTMAX=3'] });
  const client = await open(t, peer);
  const outcome = await client.sendMessage(message({ params: {}, recipients: to('a', 'b', 'c', 'd') }));
  assert.deepEqual(statuses(outcome), ['accepted', 'accepted', 'accepted', 'another-transaction']);
  assert.equal(client.usable, true);
  await client.sendMessage(message({ params: {} }));
  assert.equal(client.usable, false);
  assert.equal(client.transactions, 2);
});

test('MAIL, DATA and end-of-data refusals; the session goes on after RSET', async (t) => {
  for (const capabilities of [['PIPELINING'], []]) {
    const peer = await peerFor(t, {
      capabilities,
      script: {
        MAIL: ['550 5.7.1 Not you'],
        DATA: (_argument) => undefined,
      },
    });
    const client = await open(t, peer);
    const refused = await client.sendMessage(message({ params: {} }));
    assert.ok(refused.recipients[0]?.status === 'refused' && refused.recipients[0].stage === 'mail');
    peer.options.script = { DATA: ['451 4.3.0 Later'] };
    const atData = await client.sendMessage(message({ params: {}, recipients: to('a', 'b') }));
    assert.ok(atData.recipients[1]?.status === 'refused' && atData.recipients[1].stage === 'data');
    peer.options.script = { BODY: ['554 5.7.1 Spam'] };
    const atEnd = await client.sendMessage(message({ params: {} }));
    assert.ok(atEnd.recipients[0]?.status === 'refused' && atEnd.recipients[0].reply.code === 554);
    peer.options.script = { RCPT: ['550 5.1.1 Unknown'] };
    const nobody = await client.sendMessage(message({ params: {} }));
    assert.ok(nobody.recipients[0]?.status === 'refused' && nobody.recipients[0].stage === 'rcpt');
    assert.deepEqual(statuses(await client.sendMessage(message({ params: {} }))), ['accepted']);
    assert.ok(peer.commands.includes('RSET'));
    assert.equal(peer.transactions.filter((done) => done.to.length > 0).length, 2);
  }
});

test('LMTP: one answer for each recipient', async (t) => {
  const peer = await peerFor(t, {
    protocol: 'lmtp',
    perRecipient: (address) => (address.startsWith('full') ? '452 4.2.2 Mailbox full' : '250 2.0.0 stored'),
    script: { RCPT: (argument) => (argument.includes('no@') ? '550 5.1.1 Unknown' : undefined) },
  });
  const client = await open(t, peer, { protocol: 'lmtp' });
  const outcome = await client.sendMessage(message({ params: {}, recipients: to('a', 'no', 'full', 'b') }));
  assert.deepEqual(statuses(outcome), ['accepted', 'refused', 'refused', 'accepted']);
  assert.ok(outcome.recipients[2]?.status === 'refused' && outcome.recipients[2].stage === 'data');
  assert.equal(peer.commands[0], 'LHLO us.test');
});

test('where the connection was lost is told exactly', async (t) => {
  const large = Buffer.from(`${'x'.repeat(70)}\r\n`.repeat(200_000));
  const cases: [SmtpPeerOptions, string, Buffer][] = [
    [{ script: { MAIL: { do: 'close' } } }, 'mail', BODY],
    [{ script: { RCPT: { do: 'reset' } } }, 'rcpt', BODY],
    [{ script: { DATA: { do: 'close' } } }, 'data', BODY],
    [{ dropAfterDataBytes: 100_000 }, 'data', large],
    [{ script: { BODY: { do: 'close' } } }, 'after-data', BODY],
    [{ script: { BODY: { do: 'reset' } } }, 'after-data', BODY],
  ];
  for (const [options, phase, body] of cases) {
    const peer = await peerFor(t, { capabilities: [], ...options });
    const client = await open(t, peer);
    const { recipients, failure } = await client.sendMessage(message({ params: {}, body }));
    assert.equal(failure?.phase, phase);
    assert.equal(failure?.kind, 'lost');
    assert.ok(recipients[0]?.status === 'lost' && recipients[0].failure.phase === phase);
    assert.equal(client.usable, false);
  }
});

test('lost replies: LMTP knows which recipients have theirs; BDAT too knows the phase', async (t) => {
  let answered = 0;
  const peer = await peerFor(t, {
    protocol: 'lmtp',
    script: {
      BODY: () => (++answered === 1 ? { do: 'reply-close', reply: '250 2.0.0 stored' } : { do: 'hang' }),
    },
  });
  const client = await open(t, peer, { protocol: 'lmtp' });
  const outcome = await client.sendMessage(message({ params: {}, recipients: to('a', 'b') }));
  assert.deepEqual(statuses(outcome), ['accepted', 'lost']);
  assert.equal(outcome.failure?.phase, 'after-data');

  const bdat = await peerFor(t, { script: { BODY: { do: 'reset' } } });
  const second = await open(t, bdat);
  const lost = await second.sendMessage(message({ params: { body: 'BINARYMIME' } }));
  assert.equal(lost.failure?.phase, 'after-data');
});

test('timeouts name the phase too', async (t) => {
  const timeouts = { mail: 40, rcpt: 40, dataInit: 40, dataEnd: 40, greeting: 40, ehlo: 40 };
  const cases: [SmtpPeerOptions, string][] = [
    [{ script: { MAIL: { do: 'hang' } } }, 'mail'],
    [{ script: { DATA: { do: 'hang' } } }, 'data'],
    [{ script: { BODY: { do: 'hang' } } }, 'after-data'],
  ];
  for (const [options, phase] of cases) {
    const peer = await peerFor(t, { capabilities: [], ...options });
    const client = await open(t, peer, { timeouts: { ...timeouts, greeting: 5000, ehlo: 5000 } });
    const { failure } = await client.sendMessage(message({ params: {} }));
    assert.deepEqual([failure?.kind, failure?.phase], ['timeout', phase]);
  }
  const silent = await peerFor(t, { script: { GREETING: { do: 'hang' } } });
  const outcome = await dial(silent, { timeouts });
  assert.ok(
    outcome.status === 'failed' && outcome.failure.kind === 'timeout' && outcome.failure.phase === 'greeting',
  );
});

test('421 ends the session wherever it comes; after the data it is an answer', async (t) => {
  const peer = await peerFor(t, { script: { RCPT: ['250 2.1.5 ok', '421 4.3.2 Shutting down'] } });
  const client = await open(t, peer);
  const outcome = await client.sendMessage(message({ params: {}, recipients: to('a', 'b', 'c') }));
  assert.deepEqual(statuses(outcome), ['lost', 'lost', 'lost']);
  assert.equal(outcome.failure?.phase, 'rcpt');
  assert.equal(outcome.failure?.reply?.code, 421);
  const after = await peerFor(t, { script: { BODY: '421 4.3.0 No' } });
  const second = await open(t, after);
  const [first] = (await second.sendMessage(message({ params: {} }))).recipients;
  assert.ok(first?.status === 'refused' && first.reply.code === 421);
  assert.equal(second.usable, false);
});

test('an answer in the middle of the data stops it, without a dot', async (t) => {
  const peer = await peerFor(t, { replyAfterDataBytes: { bytes: 10_000, reply: '552 5.3.4 Too large' } });
  const client = await open(t, peer);
  const slow = (async function* () {
    for (let i = 0; i < 200; i++) {
      yield Buffer.from(`${'x'.repeat(998)}\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const [first] = (await client.sendMessage(message({ params: {}, body: slow }))).recipients;
  assert.ok(first?.status === 'refused' && first.reply.code === 552);
  assert.equal(client.usable, false);
  assert.equal(peer.transactions.length, 0);
});

test('greetings and hellos that refuse, HELO for the old, several addresses', async (t) => {
  const closed = await peerFor(t, { script: { GREETING: '554 5.3.2 No mail here' } });
  const no = await dial(closed);
  assert.ok(no.status === 'failed' && no.failure.phase === 'greeting' && no.failure.reply?.code === 554);
  const busy = await peerFor(t, { script: { EHLO: '421 4.3.2 Busy' } });
  const later = await dial(busy);
  assert.ok(later.status === 'failed' && later.failure.phase === 'ehlo' && later.failure.reply?.code === 421);

  const old = await peerFor(t, { script: { EHLO: '500 What?' } });
  const client = await open(t, old, { to: { addresses: ['127.0.0.2', '127.0.0.1'], port: old.port } });
  assert.equal(client.remoteAddress, '127.0.0.1');
  assert.equal(client.capabilities.has('PIPELINING'), false);
  assert.deepEqual(statuses(await client.sendMessage(message({ params: {} }))), ['accepted']);
  assert.deepEqual(old.commands.slice(0, 2), ['EHLO us.test', 'HELO us.test']);

  const nowhere = createServer();
  nowhere.listen(0, '127.0.0.1');
  await once(nowhere, 'listening');
  const bound = nowhere.address();
  nowhere.close();
  await once(nowhere, 'close');
  assert.ok(bound !== null && typeof bound === 'object');
  const refused = await dial(bound);
  assert.ok(refused.status === 'failed' && refused.failure.phase === 'connect');
  assert.match(refused.failure.reason, /127\.0\.0\.1: ECONNREFUSED/);
});

test('a server that does not speak SMTP, or babbles without end', async (t) => {
  const cases: [Buffer, RegExp][] = [
    [Buffer.from('SSH-2.0-OpenSSH\r\n'), /not a reply/],
    [Buffer.from('220-one\r\n221 two\r\n'), /changes its code/],
    [Buffer.from('220-x\r\n'.repeat(300)), /too many lines/],
    [Buffer.from(`220 ${'x'.repeat(10_000)}`), /line too long/],
    [Buffer.from('2200 x\r\n'), /no space/],
    [Buffer.from('999 x\r\n'), /not a reply/],
  ];
  for (const [bytes, reason] of cases) {
    const peer = await peerFor(t, { script: { GREETING: { do: 'raw', bytes } } });
    const outcome = await dial(peer);
    assert.ok(outcome.status === 'failed' && outcome.failure.kind === 'protocol');
    assert.match(outcome.failure.reason, reason);
  }
});

test('an IPv6 address has little time while IPv4 ones stand behind it, its own when it is alone', async (t) => {
  const peer = await peerFor(t);
  const patience = async (...addresses: string[]): Promise<number[]> => {
    const set: number[] = [];
    const clock = {
      ...systemClock,
      setTimer: (ms: number, fn: () => void) => {
        set.push(ms);
        return systemClock.setTimer(ms, fn);
      },
    };
    const outcome = await dial(peer, { to: { addresses, port: peer.port }, clock });
    if (outcome.status === 'connected') outcome.client.destroy();
    return set.slice(0, addresses.length);
  };
  assert.deepEqual(await patience('::1', '127.0.0.1'), [5000, 30_000]);
  assert.deepEqual(await patience('::1'), [30_000]);
});

test('our addresses are tried in turn where one cannot be used, and only then', async (t) => {
  const peer = await peerFor(t);
  const from = (...ours: string[]) => dial(peer, { localAddresses: () => ours });
  const used = await open(t, peer, { localAddresses: () => ['192.0.2.200', '192.0.2.201', '127.0.0.9'] });
  assert.equal(used.localAddress, '127.0.0.9');
  const none = await from('192.0.2.200');
  assert.match(none.status === 'failed' ? none.failure.reason : '', /from 192\.0\.2\.200: EADDRNOTAVAIL/);
  const empty = await from();
  assert.match(empty.status === 'failed' ? empty.failure.reason : '', /none of our addresses/);
  const closed = await dial({ port: 1 }, { localAddresses: () => ['127.0.0.9', '127.0.0.8'] });
  assert.match(closed.status === 'failed' ? closed.failure.reason : '', /127\.0\.0\.1: ECONNREFUSED/);
  let dials = 0;
  const clock = {
    ...systemClock,
    setTimer: (ms: number, fn: () => void) => (dials++, systemClock.setTimer(ms, fn)),
  };
  await dial({ port: 1 }, { localAddresses: () => ['127.0.0.9', '127.0.0.8'], clock });
  assert.equal(dials, 1, 'a host that is not there is not asked again by another address of ours');
});

test('forms of TLS for servers that break on the usual one; a certificate that is refused is told apart', async (t) => {
  const peer = await peerFor(t, { tls: pair });
  const versions = [];
  for (const tlsForm of ['usual', 'small-hello', 'tls1.2'] as const)
    versions.push((await open(t, peer, { tls: 'opportunistic', tlsForm })).tls?.facts.version);
  assert.deepEqual(versions, ['TLSv1.3', 'TLSv1.3', 'TLSv1.2']);
  const trouble = async (options: Partial<ConnectOptions>, to = peer): Promise<string | undefined> => {
    const outcome = await dial(to, { tls: 'required', ...options });
    return outcome.status === 'failed' ? outcome.failure.tls : 'connected';
  };
  assert.equal(await trouble({ verify: 'pkix' }), 'certificate');
  assert.equal(await trouble({ verify: () => 'not he' }), 'certificate');
  assert.equal(await trouble({}, await peerFor(t)), 'not-offered');
  const breaking = { tls: pair, script: { STARTTLS: { do: 'reply-close' as const, reply: '220 go' } } };
  assert.equal(await trouble({ verify: 'none' }, await peerFor(t, breaking)), 'handshake');
  const chosen = await open(t, peer, { tls: 'required', verify: () => undefined });
  assert.deepEqual([chosen.tls?.verified, chosen.tls?.authorized], [true, false]);
});

test('asking for a recipient: MAIL, RCPT, RSET, no message', async (t) => {
  const peer = await peerFor(t, { script: { RCPT: ['550 5.1.1 who?'] } });
  const client = await open(t, peer);
  const codes = async () => (await client.tryRecipient('', 'x@far.test')).replies.map(({ code }) => code);
  assert.deepEqual(
    [await codes(), await codes()],
    [
      [250, 550],
      [250, 250],
    ],
  );
  await client.sendMessage(message());
  assert.equal(peer.transactions.length, 1);
  assert.deepEqual(peer.commands.filter((line) => line === 'RSET').length, 2);
});

test('STARTTLS: opportunistic, required, refused, absent', async (t) => {
  const secure = await peerFor(t, { tls: pair });
  const any = await open(t, secure, { tls: 'opportunistic' });
  assert.equal(any.tls?.facts.version, 'TLSv1.3');
  assert.equal(any.tls?.authorized, false);
  assert.equal(any.tls?.authorizationError, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  await any.sendMessage(message());
  assert.equal(secure.transactions[0]?.tls, true);
  assert.deepEqual(
    secure.commands.slice(0, 3).map((line) => line.split(' ')[0]),
    ['EHLO', 'STARTTLS', 'EHLO'],
  );

  const trusted = await open(t, secure, { tls: 'required', ca: pair.cert });
  assert.equal(trusted.tls?.authorized, true);
  const byAddress = await open(t, secure, { tls: 'required', ca: pair.cert, servername: '127.0.0.1' });
  assert.equal(byAddress.tls?.authorized, true);

  const failures: [SmtpPeer, Partial<ConnectOptions>, RegExp][] = [
    [secure, { tls: 'required' }, /DEPTH_ZERO_SELF_SIGNED_CERT/],
    [secure, { tls: 'required', ca: pair.cert, servername: 'other.test' }, /ERR_TLS_CERT_ALTNAME_INVALID/],
    [secure, { tls: 'required', verify: () => 'no TLSA record fits' }, /no TLSA record fits/],
    [await peerFor(t), { tls: 'required' }, /does not offer STARTTLS/],
    [
      await peerFor(t, { tls: pair, script: { STARTTLS: '454 4.7.0 No' } }),
      { tls: 'required' },
      /refuses STARTTLS/,
    ],
  ];
  for (const [peer, options, reason] of failures) {
    const outcome = await dial(peer, options);
    assert.ok(outcome.status === 'failed' && outcome.failure.phase === 'tls');
    assert.match(outcome.failure.reason, reason);
  }
  const plain = await open(t, await peerFor(t, { tls: pair, script: { STARTTLS: '454 4.7.0 No' } }), {
    tls: 'opportunistic',
  });
  assert.equal(plain.tls, undefined);
});

test('words in clear behind the go-ahead for TLS are not believed', async (t) => {
  const peer = await peerFor(t, { tls: pair, injectAfterStartTls: '250-evil.test\r\n250 AUTH PLAIN' });
  for (const tls of ['opportunistic', 'required'] as const) {
    const outcome = await dial(peer, { tls });
    assert.ok(outcome.status === 'failed');
    assert.deepEqual([outcome.failure.phase, outcome.failure.kind], ['tls', 'protocol']);
  }
  assert.ok(!peer.commands.some((line) => line.startsWith('AUTH')));
});

test('implicit TLS; a plain server there fails as TLS', async (t) => {
  const peer = await peerFor(t, { tls: { ...pair, implicit: true } });
  const client = await open(t, peer, { tls: 'implicit', ca: pair.cert });
  assert.equal(client.tls?.authorized, true);
  assert.deepEqual(statuses(await client.sendMessage(message())), ['accepted']);
  const plain = await dial(await peerFor(t), { tls: 'implicit' });
  assert.ok(plain.status === 'failed' && plain.failure.phase === 'tls');
});

test('AUTH: PLAIN over TLS, LOGIN, refusals, never in clear, secrets stay out of the transcript', async (t) => {
  const script = {
    AUTH: (argument: string) =>
      argument.startsWith('LOGIN')
        ? '334 VXNlcm5hbWU6'
        : argument.includes('AHVzZXIAc2VjcmV0')
          ? undefined
          : '535 5.7.8 No',
    AUTHDATA: ['334 UGFzc3dvcmQ6', '235 2.7.0 welcome'],
  };
  const peer = await peerFor(t, {
    tls: pair,
    script,
    capabilities: ['AUTH PLAIN LOGIN SCRAM-SHA-256', 'AUTH=PLAIN'],
  });
  const lines: string[] = [];
  const client = await open(t, peer, { tls: 'opportunistic', transcript: (_, line) => lines.push(line) });
  assert.deepEqual(client.capabilities.auth, ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']);
  const bad = await client.authenticate(startClientMechanism('PLAIN', credentials('wrong')));
  assert.ok(bad.status === 'refused' && bad.reply.code === 535);
  const good = await client.authenticate(startClientMechanism('PLAIN', credentials('secret')));
  assert.equal(good.status, 'accepted');
  const login = await client.authenticate(startClientMechanism('LOGIN', credentials('secret')));
  assert.equal(login.status, 'accepted');
  assert.deepEqual(peer.commands.slice(-2), ['dXNlcg==', 'c2VjcmV0']);
  assert.ok(!lines.some((line) => /AHVzZXIAc2VjcmV0|c2VjcmV0/.test(line)));

  const clear = await open(t, peer);
  const unsafe = await clear.authenticate(startClientMechanism('PLAIN', credentials('secret')));
  assert.equal(unsafe.status, 'unsafe');
  const before = peer.commands.length;
  const allowed = await clear.authenticate(startClientMechanism('PLAIN', credentials('secret')), {
    allowPlaintext: true,
  });
  assert.equal(allowed.status, 'accepted');
  assert.equal(peer.commands.length, before + 1);
});

test('SCRAM: a server that says yes without proof is not believed', async (t) => {
  const peer = await peerFor(t, {
    capabilities: ['AUTH SCRAM-SHA-256'],
    script: { AUTH: '235 2.7.0 welcome' },
  });
  const client = await open(t, peer);
  const outcome = await client.authenticate(
    startClientMechanism('SCRAM-SHA-256', {
      login: 'u',
      password: 'p',
      channelBinding: undefined,
      random: randomBytes,
    }),
  );
  assert.equal(outcome.status, 'unsafe');
  assert.equal(client.usable, false);
});

test('an address cannot bring a command along', async (t) => {
  const peer = await peerFor(t);
  const client = await open(t, peer);
  for (const address of ['a@b>\r\nRCPT TO:<c@d', 'a\0@b', 'a\n@b']) {
    await assert.rejects(client.sendMessage(message({ recipients: [{ address }] })), Refusal);
    await assert.rejects(client.sendMessage(message({ reversePath: address })), Refusal);
  }
  assert.deepEqual(statuses(await client.sendMessage(message({ reversePath: '' }))), ['accepted']);
  assert.equal(peer.transactions.length, 1);
});

test('an abort signal ends it, before and during a session', async (t) => {
  const peer = await peerFor(t, { script: { MAIL: { do: 'hang' } } });
  const gone = await dial(peer, { signal: AbortSignal.abort() });
  assert.ok(gone.status === 'failed' && gone.failure.kind === 'aborted');
  const controller = new AbortController();
  const client = await open(t, peer, { signal: controller.signal });
  const sending = client.sendMessage(message());
  controller.abort();
  const { failure } = await sending;
  assert.equal(failure?.phase, 'mail');
});
