import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type DirectFixture, openDirect, told } from '../../../../test/support/direct-delivery.ts';
import { type DnsTable, mx } from '../../../../test/support/dns-table.ts';
import { manualClock } from '../../../../test/support/manual-clock.ts';
import { type SmtpPeer, type SmtpPeerOptions, startSmtpPeer } from '../../../../test/support/smtp-peer.ts';
import type { DirectSettings } from '../routing/settings.ts';
import { askedPauseMs, isIpv6Trouble, isRateTrouble } from './rate-replies.ts';
import { createShaper, hostGroup, type Shaper, SHAPING, type Turn } from './shaping.ts';
import { sourcesFor } from './sources.ts';

const MINUTE = 60_000;

describe('what replies say of our speed', () => {
  it('too much, too fast, too many', () => {
    for (const reply of [
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1',
      '421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address',
      '450 4.2.0 too many connections from your host' /* the status speaks of a mailbox */,
      '421 4.7.0 Try again later, closing connection',
      '421 Too many concurrent SMTP connections; please try again later.',
      '451 4.7.651 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.',
      '421 RP-001 (BAY) Unfortunately, some messages from 192.0.2.1 weren’t sent',
      '450 4.7.1 Error: too much mail from 192.0.2.1',
      '452 4.3.1 sending rate exceeded',
      '421 4.4.5 connection limit exceeded',
      '451 4.3.2 Please slow down',
      '450 4.1.1 throttled',
    ])
      assert.equal(isRateTrouble(reply), !reply.startsWith('450 4.2'), reply);
  });

  it('greylisting is not about speed, nor is a mailbox, nor a permanent refusal', () => {
    for (const reply of [
      '450 4.7.1 Greylisted, please try again in 300 seconds',
      '451 4.7.1 Greylisting in action, please come back later',
      '450 4.2.0 <x@far.test>: Recipient address rejected: Greylisted for 5 minutes; too many connections',
      '451 4.7.1 graylisted',
      '451 4.7.1 Greylisted, you are sending too fast',
      '421 4.7.0 Grey-listed, please come back',
      '450-4.2.1 The user you are trying to contact is receiving mail too quickly',
      '452 4.2.2 The email account that you tried to reach is over quota',
      '450 4.3.2 Service currently unavailable',
      '421 4.3.0 Temporary System Problem',
      '421 4.4.2 timeout',
      '451 4.4.1 later',
      '550 5.7.1 too many messages, rate limit',
      '554 5.7.1 rejected',
    ])
      assert.equal(isRateTrouble(reply), false, reply);
  });

  it('how long', () => {
    assert.equal(askedPauseMs('421 4.7.0 rate limited, try again in 300 seconds'), 300_000);
    assert.equal(askedPauseMs('421 slow down, come back after 5 min'), 300_000);
    assert.equal(askedPauseMs('421 wait for 1 hour'), 3_600_000);
    assert.equal(askedPauseMs('421 later'), undefined);
  });

  it('what is wrong with our IPv6 only', () => {
    for (const reply of [
      '550-5.7.1 [2001:db8::1] Our system has detected that this message does not meet IPv6 sending guidelines regarding PTR records',
      '550 5.7.25 The IP address sending this message does not have a PTR record setup',
      '554 5.7.1 Service unavailable; Client host [2001:db8::1] blocked using zen.spamhaus.test',
      '450 4.7.25 Client host rejected: cannot find your hostname',
    ])
      assert.equal(isIpv6Trouble(reply), true, reply);
    for (const reply of ['550 5.1.1 no such user', '250 2.0.0 ok ipv6', '550 5.7.1 spam', '451 4.7.1 later'])
      assert.equal(isIpv6Trouble(reply), false, reply);
  });

  it('hostile: long replies take no time', () => {
    const started = performance.now();
    for (const part of ['too many ', 'exceeded ', 'a:', 'in 1', 'blocked ', 'rate ', 'exceedexceed ']) {
      const reply = `421 4.7.1 ${part.repeat(100_000)}`;
      isRateTrouble(reply);
      isIpv6Trouble(reply);
      askedPauseMs(reply);
    }
    assert.ok(performance.now() - started < 1000);
  });
});

describe('groups of hosts', () => {
  it('are what one operator runs', () => {
    assert.equal(hostGroup('ASPMX.L.google.com'), 'google.com');
    assert.equal(hostGroup('alt1.aspmx.l.google.com'), 'google.com');
    assert.equal(hostGroup('far-test.mail.protection.outlook.com'), 'outlook.com');
    assert.equal(hostGroup('mx.example.co.uk'), 'example.co.uk');
    assert.equal(hostGroup('[192.0.2.1]'), '[192.0.2.1]');
    assert.equal(hostGroup('localhost'), 'localhost');
  });
});

describe('shaping', () => {
  const clock = manualClock();
  let shaper: Shaper;
  const never = new AbortController().signal;
  beforeEach(() => {
    shaper = createShaper({ clock, sessions: 8 });
  });

  const enter = async (group = 'far.test'): Promise<Extract<Turn, { status: 'go' }>> => {
    const turn = await shaper.enter(group, never);
    assert.ok(turn.status === 'go');
    return turn;
  };
  const trouble = { kind: 'trouble', reply: '421 4.7.0 too many' } as const;
  const limit = (): number => shaper.states().find(({ group }) => group === 'far.test')?.limit ?? 8;

  it('so many at once and no more; one that ends lets the next in', async () => {
    const turns = await Promise.all(Array.from({ length: 8 }, () => enter()));
    let entered = false;
    const ninth = enter().then((turn) => {
      entered = true;
      return turn;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(entered, false);
    await enter('other.test');
    turns[0]?.end({ kind: 'neutral' });
    (await ninth).end({ kind: 'neutral' });
  });

  it('halved by a complaint, down to one; grown by successes, one for each round', async () => {
    const eight = await Promise.all(Array.from({ length: 8 }, () => enter()));
    for (const turn of eight) turn.end(trouble);
    assert.equal(limit(), 4, 'what eight hear at once is one complaint');
    for (const expected of [1, 1]) {
      (await enter()).end(trouble);
      assert.equal(limit(), expected, 'half of what was under way');
    }
    for (const expected of [2, 2, 3, 3, 3, 4]) {
      (await enter()).end({ kind: 'success' });
      assert.equal(limit(), expected);
    }
    for (let i = 0; i < 100; i++) (await enter()).end({ kind: 'success' });
    assert.deepEqual(shaper.states(), [], 'as if nothing had been');
  });

  it('a pause is for everybody, answered at once, also to those who wait', async () => {
    const turns = await Promise.all(Array.from({ length: 8 }, () => enter()));
    const waiting = shaper.enter('far.test', never);
    assert.equal(shaper.pause('far.test', trouble.reply), MINUTE);
    const told = await waiting;
    assert.deepEqual(told, { status: 'paused', leftMs: MINUTE, reply: trouble.reply });
    clock.advance(MINUTE / 2);
    const later = await shaper.enter('far.test', never);
    assert.equal(later.status === 'paused' && later.leftMs, MINUTE / 2);
    assert.equal(
      shaper.pause('far.test', trouble.reply),
      MINUTE / 2,
      'heard by several at once it is one complaint',
    );
    for (const turn of turns) turn.end(trouble);
    clock.advance(MINUTE / 2);
    (await enter()).end({ kind: 'neutral' });
  });

  it('pauses grow, up to an hour, until something succeeds', async () => {
    const lengths = [];
    for (let i = 0; i < 8; i++) {
      const ms = shaper.pause('far.test', '421 too many');
      lengths.push(ms / MINUTE);
      clock.advance(ms);
    }
    assert.deepEqual(lengths, [1, 2, 4, 8, 16, 32, 60, 60]);
    (await enter()).end({ kind: 'success' });
    assert.equal(shaper.pause('far.test', '421 too many'), MINUTE);
    clock.advance(MINUTE);
    assert.equal(shaper.pause('far.test', '421 try again in 20 seconds'), 20_000);
    clock.advance(MINUTE);
    assert.equal(shaper.pause('far.test', '421 try again in 99999 hours'), SHAPING.maxPauseMs);
  });

  it('stops with the program; what nobody heard of for hours is forgotten', async () => {
    const stopping = new AbortController();
    const turns = await Promise.all(Array.from({ length: 8 }, () => enter()));
    const waiting = shaper.enter('far.test', stopping.signal);
    stopping.abort();
    assert.deepEqual(await waiting, { status: 'stopped' });
    for (const turn of turns) turn.end(trouble);
    clock.advance(SHAPING.forgetMs + 1);
    (await enter()).end({ kind: 'neutral' });
    assert.deepEqual(shaper.states(), []);
  });

  it('bounded, however many destinations complain', async () => {
    for (let i = 0; i < SHAPING.groups + 500; i++) {
      const turn = await enter(`g${i}.test`);
      turn.end(trouble);
    }
    assert.ok(shaper.states().length <= SHAPING.groups);
  });
});

describe('addresses to send from', () => {
  const pool = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1'];

  it('one pool, the same address for one destination, all of them used, the rest behind', () => {
    assert.equal(sourcesFor([], 'far.test'), undefined);
    const first = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const order = sourcesFor(pool, `d${i}.test`)?.('198.51.100.1') ?? [];
      assert.deepEqual(order.toSorted(), pool.slice(0, 3));
      assert.deepEqual(sourcesFor(pool.toReversed(), `d${i}.test`)?.('198.51.100.1'), order);
      first.add(order[0] ?? '');
    }
    assert.equal(first.size, 3);
    assert.deepEqual(sourcesFor(pool, 'far.test')?.('2001:db8:1::1'), ['2001:db8::1']);
    assert.deepEqual(sourcesFor(['192.0.2.1'], 'far.test')?.('2001:db8:1::1'), []);
  });

  it('an address that is taken away moves only its own destinations', () => {
    for (let i = 0; i < 50; i++) {
      const before = sourcesFor(pool, `d${i}.test`)?.('198.51.100.1')[0];
      const after = sourcesFor(pool.slice(0, 2), `d${i}.test`)?.('198.51.100.1')[0];
      if (before !== '192.0.2.3') assert.equal(after, before);
    }
  });
});

describe('direct delivery to hosts with limits', () => {
  let out: DirectFixture | undefined;
  let peer: SmtpPeer | undefined;
  let second: SmtpPeer | undefined;
  let table: DnsTable;

  beforeEach(() => {
    table = {
      'far.test': { MX: mx('mx1.big.test') },
      'near.test': { MX: mx('mx2.big.test') },
      'mx1.big.test': { A: ['127.0.0.1'] },
      'mx2.big.test': { A: ['127.0.0.2'] },
    };
  });
  afterEach(async () => {
    await out?.close();
    await peer?.close();
    await second?.close();
    out = peer = second = undefined;
  });
  const open = async (
    options: SmtpPeerOptions = {},
    settings: Partial<DirectSettings> = {},
  ): Promise<{ out: DirectFixture; peer: SmtpPeer }> => {
    peer = await startSmtpPeer(options);
    out = await openDirect({ table, settings, options: { port: peer.port } });
    return { out, peer };
  };
  const openSecond = async (options: SmtpPeerOptions = {}, host = '127.0.0.2'): Promise<SmtpPeer> =>
    (second = await startSmtpPeer({ ...options, listen: { host, port: peer?.port ?? 0 } }));

  it('a host that complains is left alone, with all domains of its operator, then tried again', async () => {
    const { out, peer } = await open({ script: { RCPT: ['450 4.7.1 too much mail from you'] } });
    await openSecond();
    const [first] = await out.send('x@far.test');
    assert.deepEqual(
      [first?.outcome, first?.cause, first?.pauseMs, first?.reply],
      ['deferred', 'rate', MINUTE, '450 4.7.1 too much mail from you'],
    );
    const [other] = await out.send('y@near.test');
    assert.deepEqual(
      [other?.outcome, other?.cause, other?.pauseMs, other?.answered],
      ['deferred', 'rate', MINUTE, false],
    );
    assert.match(other?.reply ?? '', /^451 4\.4\.5 mx2\.big\.test asked for less mail/);
    assert.equal(second?.connections(), 0);
    out.flow.clock.advance(MINUTE);
    assert.equal(told((await out.send('x@far.test'))[0]), 'delivered plain');
    assert.deepEqual(peer.transactions.at(-1)?.to, ['x@far.test']);
  });

  it('421 in the greeting: another host may have room; only when none has is there a pause', async () => {
    const { out } = await open({ script: { GREETING: () => '421 4.7.0 too many connections' } });
    table['far.test'] = { MX: mx('mx1.big.test', 'mx2.big.test') };
    await openSecond();
    assert.equal(told((await out.send('x@far.test'))[0]), 'delivered plain');
    const options = second?.options ?? assert.fail();
    options.script = { GREETING: () => '421 too many connections, try again in 120 seconds' };
    await out.transport.close();
    out.flow.clock.advance(MINUTE);
    const [outcome] = await out.send('x@far.test');
    assert.deepEqual([outcome?.cause, outcome?.pauseMs], ['rate', 2 * MINUTE]);
  });

  it('greylisting costs the next message nothing', async () => {
    const { out, peer } = await open({
      script: { RCPT: ['450 4.7.1 Greylisted, try again in 300 seconds'] },
    });
    const [first] = await out.send('x@far.test');
    assert.deepEqual([first?.outcome, first?.cause, first?.pauseMs], ['deferred', undefined, undefined]);
    assert.equal(told((await out.send('x@far.test'))[0]), 'delivered plain');
    assert.equal(peer.connections(), 1);
  });

  it('one recipient that gets too much does not hold up the others', async () => {
    const { out } = await open({
      script: { RCPT: (arg) => (arg.includes('slow@') ? '450 4.7.1 rate limited' : undefined) },
    });
    const outcomes = await out.send(['a@far.test', 'slow@far.test', 'b@far.test']);
    assert.deepEqual(
      outcomes.map(({ outcome, cause }) => [outcome, cause]),
      [
        ['delivered', undefined],
        ['deferred', 'rate'],
        ['delivered', undefined],
      ],
    );
  });

  it('refused over IPv6 for what we are there: IPv4 of the same host, at once and from then on', async () => {
    const { out, peer } = await open();
    table['mx1.big.test'] = { AAAA: ['::1'], A: ['127.0.0.1'] };
    const refusal = '550 5.7.1 [::1] does not meet IPv6 sending guidelines regarding PTR records';
    await openSecond({ script: { RCPT: () => refusal } }, '::1');
    assert.equal(told((await out.send(['x@far.test', 'y@far.test']))[0]), 'delivered plain');
    assert.deepEqual([peer.transactions[0]?.to, second?.connections()], [['x@far.test', 'y@far.test'], 1]);
    await out.transport.close();
    await out.send('x@far.test');
    assert.equal(second?.connections(), 1, 'IPv6 is not tried again soon');
    out.flow.clock.advance(13 * 60 * MINUTE);
    await out.transport.close();
    await out.send('x@far.test');
    assert.equal(second?.connections(), 2);
  });

  it('a refusal that is not about IPv6 stands', async () => {
    const { out, peer } = await open();
    table['mx1.big.test'] = { AAAA: ['::1'], A: ['127.0.0.1'] };
    await openSecond({ script: { RCPT: () => '550 5.1.1 who?' } }, '::1');
    assert.equal(told((await out.send('x@far.test'))[0]), 'failed 550 5.1.1 who?');
    assert.equal(peer.connections(), 0);
  });

  it('a greeting that refuses our IPv6 address', async () => {
    const { out, peer } = await open();
    table['mx1.big.test'] = { AAAA: ['::1'], A: ['127.0.0.1'] };
    await openSecond({ script: { GREETING: () => '554 5.7.1 no PTR for your IPv6 address' } }, '::1');
    assert.equal(told((await out.send('x@far.test'))[0]), 'delivered plain');
    assert.equal(peer.transactions.length, 1);
  });

  it('IPv6 switched off: not a connection', async () => {
    const { out, peer } = await open({}, { ipv6: false });
    table['mx1.big.test'] = { AAAA: ['::1'], A: ['127.0.0.1'] };
    await openSecond({}, '::1');
    await out.send('x@far.test');
    assert.deepEqual([peer.transactions.length, second?.connections()], [1, 0]);
    table['mx1.big.test'] = { AAAA: ['::1'] };
    assert.match(told((await out.send('x@far.test'))[0]), /^deferred 451 4\.4\.4 .*IPv6 addresses only/);
  });

  it('our address is the pool’s; one that the machine does not have is passed over; our name is that of the settings', async () => {
    const pool = ['127.0.0.77', '192.0.2.200', '192.0.2.201'];
    const { out, peer } = await open({}, { source_addresses: pool, helo: 'out.example.test' });
    assert.equal(told((await out.send('x@far.test'))[0]), 'delivered plain');
    assert.equal(out.observed[0]?.sendingIp, '127.0.0.77');
    assert.ok(peer.commands.includes('EHLO out.example.test'));
  });

  it('a pool without an address that can be used sends nothing by another', async () => {
    const { out, peer } = await open({}, { source_addresses: ['192.0.2.200'] });
    assert.match(
      told((await out.send('x@far.test'))[0]),
      /^deferred 451 4\.4\.1 cannot connect to 127\.0\.0\.1 from 192\.0\.2\.200: EADDRNOTAVAIL/,
    );
    table['mx1.big.test'] = { AAAA: ['::1'] };
    assert.match(told((await out.send('x@far.test'))[0]), /^deferred 451 4\.4\.1 none of our addresses/);
    assert.equal(peer.connections(), 0);
  });
});
