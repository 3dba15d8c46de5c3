import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JournalData, JournalKind } from '../../data/journal/types.ts';
import type { TraceRow } from '../../servers/http/admin/schemas.ts';
import { plainJson } from './plain-text.ts';
import { parseSize, parseTime, sizeText, spanText, timeText } from './quantities.ts';
import { traceText } from './trace-text.ts';

/** 2026-01-31 15:00:00 UTC. */
const NOON = 1_769_871_600_000;

const SESSION = {
  session: 's1',
  protocol: 'smtp',
  ip: '192.0.2.1',
  port: 25,
  helo: 'mail.example.net',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  login: null,
};

function rows(
  ...events: [kind: JournalKind | 'from.the.future', data: JournalData, seconds?: number][]
): TraceRow[] {
  return events.map(([kind, data, seconds = 0], id) => {
    const at = NOON + seconds * 1000;
    return { id, trace: 't1', at, kind, data, count: 1, lastAt: at };
  });
}

/** The text with its line breaks undone, so that tests need not know where lines end. */
function told(...events: Parameters<typeof rows>): string {
  const text = traceText(rows(...events), { timeZone: 'UTC' });
  for (const line of text.split('\n')) assert.ok([...line].length <= 80, line);
  return text.replace(/\s+/g, ' ');
}

describe('traceText', () => {
  it('tells the way of a message from another host into a mailbox and on to another', () => {
    const text = told(
      [
        'message.accepted',
        {
          ...SESSION,
          from: 'ann@example.net',
          to: ['info@example.org'],
          size: 4300,
          messageId: 'x@y',
          hidden: 40,
        },
      ],
      [
        'message.deposited',
        {
          account: 'bob@example.org',
          recipients: ['info@example.org'],
          via: ['info@example.org'],
          mailbox: 'INBOX',
        },
      ],
      ['message.queued', { queueId: 'q1', from: 'SRS0=x@example.org', to: ['carl@example.edu'], held: null }],
      [
        'delivery.deferred',
        {
          queueId: 'q1',
          transport: 'direct',
          to: ['carl@example.edu'],
          host: 'mx.example.edu [198.51.100.1]',
          reply: '450 4.7.1 Greylisted, try again later',
          tls: null,
          attempt: 1,
          nextAt: NOON + 300_000,
        },
        1,
      ],
    );
    assert.match(
      text,
      /^Message t1 2026-01-31 15:00:00 We took a message of 4\.2 KiB from mail\.example\.net \[192\.0\.2\.1\]/,
    );
    assert.match(text, /From <ann@example\.net> for <info@example\.org>\. Message-ID: <x@y>/);
    assert.match(text, /On port 25, encrypted \(TLSv1\.3/);
    assert.match(text, /40 octets of its header claimed to be ours and are hidden/);
    assert.match(
      text,
      /in the mailbox INBOX of bob@example\.org It was for <info@example\.org>, which leads there/,
    );
    assert.match(text, /in the queue for <carl@example\.edu> Queue id q1/);
    assert.match(
      text,
      /15:00:01 Not delivered yet to <carl@example\.edu> \(attempt 1\) mx\.example\.edu \[198\.51\.100\.1\] answered: 450 4\.7\.1 Greylisted/,
    );
    assert.match(text, /Next attempt at 2026-01-31 15:05:00\. -> Usual at a first contact \(greylisting\)/);
    assert.match(
      text,
      /In short: 1 delivered, 1 waiting in the queue; next attempt at 2026-01-31 15:05:00\./,
    );
  });

  it('tells a failure, who was told, and that the notification arrived', () => {
    const text = told(
      [
        'message.accepted',
        {
          ...SESSION,
          login: 'bob@example.org',
          port: 465,
          from: 'bob@example.org',
          to: ['a@example.edu', 'b@example.edu'],
          size: 10,
          messageId: null,
        },
      ],
      ['message.signed', { selectors: ['202601r._domainkey.example.org'] }],
      [
        'message.queued',
        { queueId: 'q1', from: 'bob@example.org', to: ['a@example.edu', 'b@example.edu'], held: null },
      ],
      [
        'delivery.delivered',
        {
          queueId: 'q1',
          transport: 'direct',
          to: ['a@example.edu'],
          host: 'mx [198.51.100.1]',
          reply: '250 ok',
          tls: 'plain',
          attempt: 1,
          nextAt: null,
        },
      ],
      [
        'delivery.interrupted',
        {
          queueId: 'q1',
          recipient: 'b@example.edu',
          destination: 'example.edu',
          reason: 'the program ended',
        },
      ],
      [
        'delivery.failed',
        {
          queueId: 'q1',
          transport: 'direct',
          to: ['b@example.edu'],
          host: 'mx [198.51.100.1]',
          reply: '550 5.1.1 User unknown',
          tls: null,
          attempt: 2,
          nextAt: null,
        },
      ],
      [
        'bounce.sent',
        { queueId: 'q1', notice: 'q2', to: 'bob@example.org', about: ['b@example.edu: failed'] },
      ],
      [
        'delivery.delivered',
        {
          queueId: 'q2',
          transport: 'local',
          to: ['bob@example.org'],
          host: null,
          reply: '250 2.0.0 delivered here',
          tls: 'local',
          attempt: 1,
          nextAt: null,
        },
      ],
    );
    assert.match(text, /from our user bob@example\.org, at mail\.example\.net/);
    assert.match(text, /We signed it.*202601r\._domainkey\.example\.org/);
    assert.match(text, /Delivered to <a@example\.edu>.*The way there was not encrypted/);
    assert.match(text, /interrupted The program ended\..*recipient gets it twice/);
    assert.match(
      text,
      /Could not be delivered to <b@example\.edu>; we have given up \(attempt 2\).*address does not exist there/,
    );
    assert.match(text, /<bob@example\.org> was told by a notification About b@example\.edu: failed/);
    assert.match(text, /The notification was delivered to <bob@example\.org>/);
    assert.match(text, /In short: 1 delivered, 1 given up\./);
  });

  it('tells why a message waits for an administrator, and what they did', () => {
    const queued = [
      'message.queued',
      { queueId: 'q1', from: '', to: ['a@example.edu'], held: 'the try-out sends nothing' },
    ] as const;
    assert.match(
      told([...queued]),
      /held and not sent: the try-out sends nothing\. -> .*postern queue release q1.*In short: 1 held\./,
    );
    const change = (action: string) =>
      ['queue.changed', { action, queueId: 'q1', by: 'cli:root', recipients: 1, reason: '' }] as const;
    assert.match(told([...queued], [...change('release')]), /cli:root released it.*In short: 1 waiting/);
    assert.match(
      told([...queued], [...change('drop')]),
      /cli:root dropped it; the sender is not told.*1 given up \(by an administrator\)/,
    );
    const silent = told([
      'bounce.suppressed',
      { queueId: 'q1', about: ['a@example.edu: failed'], reason: 'its sender was not proven by SPF' },
    ]);
    assert.match(silent, /The sender was not told.*Why: its sender was not proven by SPF/);
  });

  it('does not put words of ours into the mouth of the other host', () => {
    const deferred = (reply: string): string =>
      told([
        'delivery.deferred',
        { queueId: 'q1', to: ['a@example.edu'], host: 'mx [198.51.100.1]', reply, attempt: 1, nextAt: NOON },
      ]);
    const silent = deferred('451 4.4.1 cannot connect: ECONNREFUSED');
    assert.match(silent, /With mx \[198\.51\.100\.1\]: cannot connect: ECONNREFUSED/);
    assert.doesNotMatch(silent, /answered/);
    assert.match(silent, /provider blocks outgoing port 25/);
    const badCertificate = deferred('451 4.4.1 the certificate is not accepted: CERT_HAS_EXPIRED');
    assert.match(badCertificate, /no certificate that holds for its name/);
    assert.doesNotMatch(badCertificate, /port 25|answered/);
    const blocked = deferred('450 4.7.1 Client host [192.0.2.1] blocked using bl.example.net');
    assert.match(blocked, /answered: 450 .* on a list of senders of spam/);
    assert.match(deferred('451 4.3.0 Mailbox busy'), /answered: 451 4\.3\.0 Mailbox busy/);
  });

  it('counts a notification that came to our own user as no delivery', () => {
    const text = told(
      ['message.queued', { queueId: 'q1', from: 'bob@example.org', to: ['a@example.edu'], held: null }],
      ['queue.changed', { action: 'bounce', queueId: 'q1', by: 'cli:root', recipients: 1, reason: '' }],
      [
        'delivery.failed',
        {
          queueId: 'q1',
          to: ['a@example.edu'],
          host: null,
          reply: 'The administrator of this server has given up on the message',
          attempt: 1,
        },
      ],
      [
        'bounce.sent',
        { queueId: 'q1', notice: 'q2', to: 'bob@example.org', about: ['a@example.edu: failed'] },
      ],
      [
        'message.deposited',
        { account: 'bob@example.org', recipients: ['bob@example.org'], via: [], mailbox: 'INBOX' },
      ],
      [
        'delivery.delivered',
        {
          queueId: 'q2',
          to: ['bob@example.org'],
          host: null,
          reply: '250 2.0.0 delivered here',
          tls: 'local',
        },
      ],
    );
    assert.match(text, /The notification is in the mailbox INBOX of bob@example\.org/);
    assert.match(text, /In short: 1 given up \(by an administrator\)\. $/);
    assert.doesNotMatch(text, /problem of its own|1 delivered/);
  });

  it('tells every refusal with its reason and the nearest remedy', () => {
    const cases: [JournalKind, JournalData, RegExp][] = [
      [
        'connection.refused',
        {
          ...SESSION,
          stage: 'connect',
          reply: '421 4.7.0 Too many connections from your address',
          reason: 'limit per address',
        },
        /A connection from .*was refused.*limit per address.*raise it in postern\.toml/,
      ],
      [
        'session.refused',
        { ...SESSION, stage: 'starttls', reply: '421 4.7.0 x', reason: 'bytes in clear behind STARTTLS' },
        /turned encryption on.*No mail server does this/,
      ],
      [
        'session.refused',
        {
          ...SESSION,
          tls: null,
          stage: 'mail',
          reply: '530 5.7.0 Must issue a STARTTLS command first',
          reason: 'MAIL before login',
        },
        /not encrypted.*Turn encryption on in the mail program/,
      ],
      [
        'login.failed',
        {
          ...SESSION,
          stage: 'auth',
          reply: '535 5.7.8 The login or password is wrong',
          reason: 'login by PLAIN failed',
          subject: 'bob@example.org',
        },
        /Signing in as "bob@example\.org".*postern account passwd bob@example\.org/,
      ],
      // As the check of passwords writes it: it knows nothing of ports and encryption.
      [
        'login.failed',
        {
          session: 's1',
          protocol: 'imap',
          ip: '192.0.2.1',
          login: 'bob@example.org',
          reason: 'wrong password',
        },
        /as "bob@example\.org" from \[192\.0\.2\.1\] failed Why: wrong password\. Service: imap\. -> .*account passwd bob@example\.org/,
      ],
      [
        'login.succeeded',
        { session: 's1', protocol: 'imap', ip: '192.0.2.1', login: 'bob@example.org', how: 'remembered' },
        /bob@example\.org signed in from \[192\.0\.2\.1\] By password, verified a few minutes before\. Service: imap\. $/,
      ],
      [
        'connection.refused',
        { protocol: 'smtp', ip: '192.0.2.1', port: 25, stage: 'total', reason: 'more than 5 connections' },
        /connection from \[192\.0\.2\.1\] was refused Why: more than 5 connections\. On port 25\./,
      ],
      [
        'mail.refused',
        {
          ...SESSION,
          login: 'bob@example.org',
          from: 'x@example.org',
          reply: '553 5.7.1 Sender <x@example.org> is not an address of the account bob@example.org',
          reason: '',
        },
        /wanted to send from <x@example\.org>.*postern account grant bob@example\.org ADDRESS/,
      ],
      [
        'recipient.refused',
        {
          ...SESSION,
          from: 'a@b.example',
          to: 'nobody@example.org',
          reply: '550 5.1.1 <nobody@example.org>: no such recipient here',
          reason: '<nobody@example.org>: no such recipient here',
        },
        /recipient <nobody@example\.org> was refused.*postern account add nobody@example\.org/,
      ],
      [
        'recipient.refused',
        {
          ...SESSION,
          from: 'a@b.example',
          to: 'x@example.edu',
          reply: '550 5.7.1 <x@example.edu>: we do not relay for this domain',
          reason: '',
        },
        /postern domain add example\.edu/,
      ],
      [
        'recipient.refused',
        {
          ...SESSION,
          from: '',
          to: 'full@example.org',
          reply: '452 4.2.2 <full@example.org>: mailbox is full',
          reason: '',
        },
        /nobody \(a notification\).*postern account quota full@example\.org/,
      ],
      [
        'message.refused',
        {
          ...SESSION,
          from: 'a@b.example',
          to: 'x@example.org',
          reply: '550 5.6.0 Message has an LF without CR (RFC 5321 section 2.3.8)',
          reason: '',
        },
        /refused after it had arrived.*its maker has to mend it/,
      ],
      [
        'login.succeeded',
        { ...SESSION, login: 'bob@example.org', mechanism: 'SCRAM-SHA-256' },
        /bob@example\.org signed in from .*By SCRAM-SHA-256/,
      ],
      [
        'delivery.attempt',
        { to: ['a@example.edu'], reply: '250 ok', host: 'mx' },
        /Tried to deliver to <a@example\.edu>/,
      ],
      ['message.expunged', { mailbox: 'Trash' }, /deleted from a mailbox.*mailbox: Trash/],
      ['admin.changed', { by: 'x' }, /by: x/],
    ];
    for (const [kind, data, words] of cases) assert.match(told([kind, data]), words);
  });

  it('shows what it does not know, and how often a thing happened', () => {
    assert.match(told(['from.the.future', { answer: 42 }]), /from\.the\.future answer: 42/);
    assert.match(told(['message.accepted', {}]), /We took a message/);
    const [row] = rows(['connection.refused', { ...SESSION, reason: 'x', reply: '' }]);
    assert.ok(row);
    const text = traceText([{ ...row, count: 512, lastAt: row.at + 3_000_000 }], { timeZone: 'UTC' });
    assert.match(text, /happened 512 times within 50 min, the last time at 2026-01-31 15:50:00/);
    assert.match(text, /^Session t1$/m);
    assert.equal(traceText([]), '');
  });

  it('tells the first and the last of what happened often', () => {
    const about = {
      ...SESSION,
      stage: 'data',
      reply: '552 5.3.4 Message too large',
      reason: 'message over 5 octets',
    };
    const [row] = rows(['session.refused', about]);
    assert.ok(row);
    const last = { ...about, ip: '192.0.2.9', helo: 'late\u001b[2J.test', trace: 't9', at: row.at + 120_000 };
    const data = { ...about, last };
    const text = traceText([{ ...row, data, count: 3, lastAt: last.at }], { timeZone: 'UTC' });
    const flat = text.replace(/\s+/g, ' ');
    assert.match(flat, /mail\.example\.net \[192\.0\.2\.1\] was refused when it sent the message/);
    assert.match(
      flat,
      /happened 3 times within 2 min, the last time at 2026-01-31 15:02:00: late\S*\.test \[192\.0\.2\.9\] was refused .*\(session t9\) Why: message over 5 octets/,
    );
    assert.ok(!text.includes('\u001b'));
  });

  it('lets nothing active reach the terminal, and puts nothing of strangers into commands', () => {
    const evil = '\u001b]0;owned\u0007\u009b2J\r\n\u202e\u2028\u{e0041}x';
    const data = Object.fromEntries(
      [
        'ip',
        'helo',
        'from',
        'to',
        'reply',
        'reason',
        'subject',
        'login',
        'messageId',
        'account',
        'mailbox',
        'by',
        'action',
        'stage',
        'host',
        'queueId',
        'tls',
      ].map((key) => [key, evil]),
    );
    const kinds: (JournalKind | 'from.the.future')[] = [
      'connection.refused',
      'session.refused',
      'login.succeeded',
      'login.failed',
      'mail.refused',
      'recipient.refused',
      'message.refused',
      'message.accepted',
      'message.deposited',
      'message.queued',
      'message.signed',
      'delivery.attempt',
      'delivery.deferred',
      'delivery.delivered',
      'delivery.failed',
      'delivery.interrupted',
      'bounce.sent',
      'bounce.suppressed',
      'queue.changed',
      'message.expunged',
      'admin.changed',
      'from.the.future',
    ];
    for (const kind of kinds) {
      const [row] = rows([kind, { ...data, about: [evil], recipients: [evil], [evil]: evil }]);
      assert.ok(row);
      const text = traceText([{ ...row, trace: evil }]);
      // oxlint-disable-next-line no-control-regex -- it is what must not be there
      assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]|\u{e0041}/u, kind);
    }
    const command = told([
      'recipient.refused',
      { to: 'a;rm -rf ~@example.org', reply: '550 5.1.1 no such recipient', reason: '' },
    ]);
    assert.match(command, /postern account add ADDRESS/);
    const login = told(['login.failed', { subject: '$(x)@example.org', reply: '535 5.7.8 no', reason: '' }]);
    assert.doesNotMatch(login, /passwd \$/);
  });
});

describe('plainJson', () => {
  it('is the same JSON without anything a terminal obeys', () => {
    const value = { a: '\u001b[2J \u009b2J \u202e \u{e0041} é\n' };
    const text = plainJson(value);
    assert.deepEqual(JSON.parse(text), value);
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    assert.doesNotMatch(text, /[\x1b\x7f-\x9f\u202e]|\u{e0041}/u);
    assert.match(text, /é/);
  });
});

describe('quantities', () => {
  it('reads sizes as people write them', () => {
    const sizes: [string, number][] = [
      ['0', 0],
      ['none', 0],
      ['1024', 1024],
      ['5G', 5 * 1024 ** 3],
      ['1.5 MiB', 1_572_864],
      ['20kb', 20_480],
    ];
    for (const [text, octets] of sizes) assert.equal(parseSize(text), octets, text);
    for (const text of ['', '-1', 'five', '5X', '1e9', '999999999999999T'])
      assert.throws(() => parseSize(text), /is not a size/, text);
    assert.deepEqual([0, 1023, 4300, 1024 ** 3].map(sizeText), ['0 B', '1023 B', '4.2 KiB', '1.0 GiB']);
  });

  it('reads times with and without a zone, and spans back from now', () => {
    assert.equal(parseTime('2h', NOON), NOON - 7_200_000);
    assert.equal(parseTime('2026-01-31T15:00:00Z', 0), NOON);
    assert.equal(parseTime('2026-01-31 16:00+01:00', 0), NOON);
    assert.equal(parseTime('2026-01-31', 0), new Date(2026, 0, 31).getTime());
    for (const text of ['', 'noon', '2026-13-01', '31.1.2026', '2y'])
      assert.throws(() => parseTime(text, 0), /is not a time/, text);
    assert.equal(timeText(NOON, 'UTC'), '2026-01-31 15:00:00');
    assert.deepEqual([59_000, 61_000, 7_200_000, 200_000_000, -5].map(spanText), [
      '59 s',
      '1 min',
      '2 h',
      '2 d',
      '0 s',
    ]);
  });
});
