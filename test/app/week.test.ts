/**
 * A week of a server that nobody looks after, in some seconds: what has to happen by itself happened, as often as it
 * should, and nothing failed. The clock stands still while anything is under way, so a slow machine changes nothing.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer } from 'node:https';
import { connect } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { createAuthority } from '../support/authority.ts';
import { restWatch } from '../support/at-rest.ts';
import { type TestClock, testClock } from '../support/clock.ts';
import { startDnsServer, type TestDnsServer, type Zone } from '../support/dns-server.ts';
import { runCommand } from '../support/cli.ts';
import { imapClient } from '../support/imap-client.ts';
import { fetchBodies } from '../support/imap-mailbox.ts';
import { type AcmeFront, freePort, type Pebble, startAcmeFront, startPebble } from '../support/pebble.ts';
import { skipWithout, skipUnlessLong } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DAYS = 7;
const HOST = 'mx.example.test';
const BOB = 'bob@example.test';
const FULL = 'full@example.test';
const ADMIN = 'alice@example.test';
/** Backups of so many days are kept. */
/** Failed logins of one bad day. */
const GUESSES = 12;
const KEEP_DAILY = 4;

/** good.test wants DMARC reports, peer.test wants TLS reports; one peer takes the mail of both. */
const WORLD: Zone = {
  'example.test': { MX: [{ preference: 10, exchange: HOST }], A: ['127.0.0.1'], NS: ['ns.example.test'] },
  'ns.example.test': { A: ['127.0.0.1'] },
  [HOST]: { A: ['127.0.0.1'] },
  'good.test': {
    MX: [{ preference: 10, exchange: 'mx.peer.test' }],
    A: ['127.0.0.1'],
    TXT: ['v=spf1 ip4:127.0.0.1 -all'],
  },
  '_dmarc.good.test': { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@good.test'] },
  'peer.test': { MX: [{ preference: 10, exchange: 'mx.peer.test' }] },
  'mx.peer.test': { A: ['127.0.0.1'] },
  '_mta-sts.peer.test': { TXT: ['v=STSv1; id=one;'] },
  'mta-sts.peer.test': { A: ['127.0.0.1'] },
  '_smtp._tls.peer.test': { TXT: ['v=TLSRPTv1; rua=mailto:tls@peer.test'] },
};

/** Why there is no authority to get a certificate from, or false. */
const noAuthority = skipWithout('pebble', 'openssl');

interface Week {
  readonly start: number;
  readonly clock: TestClock;
  readonly dns: TestDnsServer;
  readonly peer: SmtpPeer;
  readonly server: TestServer;
  /** Undefined where there is no Pebble. */
  readonly front: AcmeFront | undefined;
  /** Where peer.test publishes its MTA-STS policy; undefined where no certificate can be made for it. */
  readonly policies: PolicyHost | undefined;
  /** `postern ...`, which must succeed. */
  said(...words: string[]): Promise<string>;
  end(): Promise<void>;
}

interface PolicyHost {
  readonly port: number;
  readonly ca: string;
  /** Answered so far. */
  served: number;
  policy: string;
  close(): Promise<void>;
}

/** The policy asks for nothing, so that it is refreshed and changes nothing else. */
const stsPolicy = (maxAge: number): string => `version: STSv1\r\nmode: none\r\nmax_age: ${maxAge}\r\n`;
const [FIRST_AGE, SECOND_AGE] = [864_000, 1_209_600];

async function startPolicyHost(): Promise<PolicyHost> {
  const ca = createAuthority();
  const { cert, key } = ca.issue(['mta-sts.peer.test']);
  const server = createServer({ cert, key }, (request, response) => {
    const right = request.url === '/.well-known/mta-sts.txt';
    response.writeHead(right ? 200 : 404, { 'content-type': 'text/plain' }).end(host.policy);
    host.served++;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const host: PolicyHost = {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    ca: ca.cert,
    served: 0,
    policy: stsPolicy(FIRST_AGE),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return host;
}

/** A server that was set up some time ago: its certificate is due in three days, backups are scheduled. */
async function startWeek(): Promise<Week> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-week-'));
  // The authority's clock is the machine's. Eight in the morning: reports of a day go before that of the next one.
  const start = Math.floor(Date.now() / DAY) * DAY + 8 * HOUR;
  const clock = testClock(start, 2000);
  const peer = await startSmtpPeer({ tls: pairOf('mx.peer.test', start - DAY, start + 365 * DAY) });
  const dns = await startDnsServer(structuredClone(WORLD));
  const challengePort = await freePort();
  const places = { httpPort: challengePort, tlsPort: challengePort, dnsPort: dns.port };
  const pebble = noAuthority === false ? await startPebble(places) : undefined;
  const front = pebble === undefined ? undefined : await startAcmeFront(pebble);
  const policies = skipWithout('openssl') === false ? await startPolicyHost() : undefined;
  const server = await startTestServer({
    clock,
    ...(policies && { stsFetch: { port: policies.port, ca: policies.ca, allowPrivate: true } }),
    dns: createResolver({ servers: [{ address: dns.address, port: dns.port, trusted: false }], clock }),
    directPort: peer.port,
    plaintextAuth: true,
    // As the program itself: only so does it look at DNS by itself.
    processMetrics: true,
    accounts: [{ address: ADMIN, role: 'admin' }, BOB, { address: FULL, quota: 40_000 }],
    config: {
      dns: { servers: [`127.0.0.1:${dns.port}`] },
      listen: { acme: [`127.0.0.1:${challengePort}`] },
      store: { undelete: '3d', journal_age: '2d' },
    },
  });
  async function said(...words: string[]): Promise<string> {
    const { status, out, err } = await runCommand(words, { data: server.directory });
    assert.equal(status, 0, `postern ${words.join(' ')}: ${out}${err}`);
    return out;
  }
  // A policy that was met some days ago.
  await server.store.write.run('transport.keepSts', {
    domain: 'peer.test',
    recordId: 'one',
    mode: 'none',
    file: Buffer.from(stsPolicy(FIRST_AGE)),
    forMs: FIRST_AGE * 1000,
  });
  const week = { start, clock, dns, peer, server, front, said, policies };
  await said('dkim', 'add', 'example.test');
  await said('dkim', 'add', 'example.test', '--algorithm', 'ed25519');
  await publish(week);
  for (const [name, value] of [
    ['lists', '[]'],
    ['time_servers', '[]'],
    ['big_domains', '[]'],
    ['dkim_rotate_days', '3'],
  ] as const)
    await said('doctor', 'set', name, value);
  await said('alert', 'set', 'limits.failed_logins', String(GUESSES));
  for (const name of ['trash_days', 'junk_days']) await said('housekeeping', 'set', name, '2');
  await scheduleBackups(week, directory);
  if (front !== undefined && pebble !== undefined) await oldCertificate(week, pebble, front.directory);
  const rest = restWatch(server.store);
  let seen = 0;
  clock.settleWith(async () => {
    await rest();
    // An order is under way at the authority, which takes its own time.
    if (front !== undefined && front.orders.length > issued(server))
      await new Promise((resolve) => setTimeout(resolve, 20));
    // A policy is on its way over a real connection.
    const asked = dns.asked.length;
    const fetching = dns.asked.slice(seen).some((question) => question.endsWith('A mta-sts.peer.test'));
    seen = asked;
    const served = policies?.served;
    for (let tries = 0; fetching && policies?.served === served && tries < 50; tries++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    // A backup is a process, whose time is the machine's too.
    while (backupsAtWork(server)) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  return {
    ...week,
    async end() {
      clock.settleWith(() => new Promise((resolve) => setTimeout(resolve, 1)));
      await server.close();
      await front?.stop();
      await pebble?.stop();
      await policies?.close();
      await dns.close();
      await peer.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function backupsAtWork({ logs }: TestServer): boolean {
  const about = logs.map(({ msg }) => String(msg)).filter((msg) => msg.startsWith('backup: '));
  const ended = about.filter((msg) => /done|drill|failed/i.test(msg));
  return about.filter((msg) => msg === 'backup: begun').length > ended.length;
}

function issued({ logs }: TestServer): number {
  return logs.filter(({ msg }) => msg === 'acme: new certificate in use').length;
}

function pairOf(name: string, notBefore: number, notAfter: number): { cert: string; key: string } {
  return createSelfSigned({ commonName: name, names: [name], notBefore, notAfter });
}

async function scheduleBackups({ said }: Pick<Week, 'said'>, directory: string): Promise<void> {
  const [target, key] = [join(directory, 'backups'), join(directory, 'key')];
  await mkdir(target);
  await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
  for (const [name, value] of [
    ['target', target],
    ['key_file', key],
    ['keep_daily', String(KEEP_DAILY)],
    ['keep_weekly', '0'],
    ['keep_monthly', '0'],
    ['drill_days', '3'],
  ] as const)
    await said('backup', 'set', name, value);
  await said('backup', 'create');
}

/** As if the authority had issued it two months ago. */
async function oldCertificate(
  { server, said, start }: Pick<Week, 'server' | 'said' | 'start'>,
  pebble: Pebble,
  directory: string,
): Promise<void> {
  const [notBefore, notAfter] = [start - 57 * DAY, start + 33 * DAY];
  const { cert: chain, key: privateKey } = pairOf(HOST, notBefore, notAfter);
  await server.store.write.run('certificates.issued', {
    name: HOST,
    directory,
    names: [HOST],
    chain,
    privateKey,
    notBefore,
    notAfter,
    renewAt: start + 3 * DAY,
    askAt: start,
    events: [],
  });
  for (const [name, value] of [
    ['directory', directory],
    ['ca_file', pebble.caFile],
    ['contact', ADMIN],
    ['terms_agreed', 'true'],
    ['enabled', 'true'],
  ] as const)
    await said('certificate', 'set', name, value);
}

/** The administrator puts the keys that are there into DNS. */
async function publish({ server, dns }: Pick<Week, 'server' | 'dns'>): Promise<void> {
  const domain = 'example.test';
  for (const { selector, algorithm, publicKey } of await server.store.read.run('directory.dkimKeys', {
    domain,
  })) {
    const kind = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
    dns.zone[`${selector}._domainkey.${domain}`] = { TXT: [`v=DKIM1; k=${kind}; p=${publicKey}`] };
  }
}

let serial = 0;
function letter(from: string, to: string, at: number, body = 'Thank you for coming on Tuesday.\r\n'): string {
  const date = new Date(at).toUTCString().replace('GMT', '+0000');
  return `From: <${from}>\r\nTo: <${to}>\r\nSubject: Minutes\r\nDate: ${date}\r\nMessage-ID: <week-${serial++}@${from.split('@')[1]}>\r\n\r\n${body}`;
}

/** One mail comes in from elsewhere, one goes out. Resolves with the name that the queue gave the latter. */
async function aDayOfMail({ server, clock }: Week): Promise<string> {
  const from = 'ann@good.test';
  const smtp = await lineClient(server.ports.smtp ?? 0);
  await smtp.talk(
    ['', '220'],
    ['EHLO mail.good.test\r\n', '250'],
    [`MAIL FROM:<${from}>\r\n`, '250'],
    [`RCPT TO:<${BOB}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [`${letter(from, BOB, clock.now())}.\r\n`, '250'],
    ['QUIT\r\n', '221'],
  );
  await smtp.closed();
  const submission = await lineClient(server.ports.submission ?? 0);
  const login = Buffer.from(`\0${ADMIN}\0${TEST_PASSWORD}`).toString('base64');
  await submission.talk(
    ['', '220'],
    ['EHLO here\r\n', '250'],
    [`AUTH PLAIN ${login}\r\n`, '235'],
    [`MAIL FROM:<${ADMIN}>\r\n`, '250'],
    ['RCPT TO:<pal@peer.test>\r\n', '250'],
    ['DATA\r\n', '354'],
  );
  submission.send(`${letter(ADMIN, 'pal@peer.test', clock.now())}.\r\n`);
  const taken = await submission.reply();
  assert.match(taken, /^250 /);
  await submission.talk(['QUIT\r\n', '221']);
  await submission.closed();
  smtp.close();
  submission.close();
  return /as (\S+)/.exec(taken)?.[1] ?? taken;
}

/** On the first day: Bob deletes a message for good, puts one into Trash, and somebody's mailbox is nearly full. */
async function firstDay({ server }: Week): Promise<void> {
  const bob = await imapClient(server.ports.imap ?? 0);
  await bob.ok(`LOGIN ${BOB} "${TEST_PASSWORD}"`);
  await bob.append('INBOX', 'Subject: deleted\r\n\r\ndeleted on the first day\r\n');
  await bob.ok('SELECT INBOX');
  await bob.ok('STORE 1:* +FLAGS (\\Deleted)');
  await bob.ok('EXPUNGE');
  await bob.append('Trash', 'Subject: thrown away\r\n\r\nin Trash on the first day\r\n');
  await bob.append('Junk', 'Subject: spam\r\n\r\nin Junk on the first day\r\n');
  await bob.ok('LOGOUT');
  bob.close();
  const full = await imapClient(server.ports.imap ?? 0);
  await full.ok(`LOGIN ${FULL} "${TEST_PASSWORD}"`);
  await full.append('INBOX', `Subject: large\r\n\r\n${'x'.repeat(70).concat('\r\n').repeat(480)}`);
  await full.ok('LOGOUT');
  full.close();
}

/** Somebody tries passwords, more often than a person mistypes one. */
async function guess({ server }: Week): Promise<void> {
  for (let n = 0; n < GUESSES; n++) {
    const client = await imapClient(server.ports.imap ?? 0);
    assert.match((await client.command(`LOGIN ${BOB} "guess ${n}"`)).tagged, /AUTHENTICATIONFAILED/);
    client.close();
  }
}

/** Texts of all messages of a mailbox. */
async function mailbox({ server }: Week, user: string, name: string): Promise<string[]> {
  const client = await imapClient(server.ports.imap ?? 0);
  await client.ok(`LOGIN ${user} "${TEST_PASSWORD}"`);
  await client.ok(`SELECT ${name}`);
  const bodies = [...(await fetchBodies(client)).values()].map((body) => body.toString('latin1'));
  client.close();
  return bodies;
}

async function metric({ server }: Week, name: string): Promise<number[]> {
  const lines = (await server.metrics.text()).split('\n').filter((line) => line.startsWith(name));
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

/** The compressed report in a message as it went out. */
function reportIn(data: Buffer): string {
  const body = /Content-Disposition: attachment;[^]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)/.exec(
    data.toString('latin1'),
  )?.[1];
  assert.ok(body);
  return gunzipSync(Buffer.from(body, 'base64')).toString();
}

function subjects(messages: readonly string[]): string[] {
  return messages.map((text) => /^Subject: (.*?)\r$/m.exec(text)?.[1] ?? '');
}

describe('a week in which nobody looks after the server', { skip: skipUnlessLong() }, () => {
  let week: Week;
  const queued: string[] = [];
  const undeletable: string[] = [];

  before(async () => {
    week = await startWeek();
    await firstDay(week);
    undeletable.push(await week.said('account', 'undelete', BOB, '--list'));
    for (let day = 0; day < DAYS; day++) {
      if (day === 4 && week.policies !== undefined) week.policies.policy = stsPolicy(SECOND_AGE);
      queued.push(await aDayOfMail(week));
      if (day === 5) await guess(week);
      // Who looks after DNS publishes the next keys in the afternoon.
      await week.clock.advance(8 * HOUR);
      await publish(week);
      await week.clock.advance(16 * HOUR);
    }
    await week.clock.advance(2 * HOUR);
    undeletable.push(await week.said('account', 'undelete', BOB, '--list'));
  });
  after(async () => await week?.end());

  it('no job failed, and nothing is in the log that somebody has to do something about', async () => {
    assert.deepEqual(await metric(week, 'postern_job_failures_total{'), []);
    const { logs } = week.server;
    assert.deepEqual(
      logs.filter(({ level }) => level !== 'debug' && level !== 'info'),
      [],
    );
    assert.equal((await mailbox(week, BOB, 'INBOX')).length, DAYS);
  });

  it('the certificate was renewed when it was due, once', { skip: noAuthority }, async () => {
    assert.equal(issued(week.server), 1);
    const [state] = await week.server.certificates.states();
    const at = state?.have?.issued?.issuedAt ?? 0;
    assert.ok(at >= week.start + 3 * DAY && at < week.start + 3 * DAY + HOUR, new Date(at).toISOString());
    const socket = connect({
      host: '127.0.0.1',
      port: week.server.ports.imaps ?? 0,
      rejectUnauthorized: false,
    });
    await once(socket, 'data');
    assert.match(socket.getPeerX509Certificate()?.issuer ?? '', /Pebble/);
    socket.destroy();
  });

  it('a backup a day, pruned by the rule, and tried by restoring', async () => {
    const days = [...(await week.said('backup', 'list')).matchAll(/^(\d{8})T/gm)].map(([, day]) => day);
    const expected = Array.from({ length: KEEP_DAILY }, (_, n) => {
      const at = week.start + (DAYS - KEEP_DAILY + 1 + n) * DAY;
      return new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
    });
    assert.deepEqual(days, expected);
    const { logs } = week.server;
    assert.equal(logs.filter(({ msg }) => msg === 'backup: done').length, 1 + DAYS);
    assert.equal(logs.filter(({ msg }) => msg === 'backup: the restore drill went well').length, 3);
    assert.deepEqual(await metric(week, 'postern_restore_drill_ok'), [1]);
  });

  it('a DMARC report and a TLS report a day to those who want them, and no more', async () => {
    const sent = (to: string): Buffer[] =>
      week.peer.transactions.filter((one) => one.to.includes(to)).map(({ data }) => data);
    for (const [to, what] of [
      ['dmarc@good.test', /<domain>good\.test<\/domain>[^]*<count>1<\/count>/],
      ['tls@peer.test', /"policy-domain":"peer\.test"[^]*"total-successful-session-count":[1-9]/],
    ] as const) {
      const reports = sent(to).map(reportIn);
      assert.equal(reports.length, DAYS, to);
      for (const report of reports) assert.match(report, what);
      assert.equal(new Set(reports).size, DAYS, 'each is about a day of its own');
    }
    assert.equal(sent('pal@peer.test').length, DAYS);
    assert.equal(week.peer.transactions.length, 3 * DAYS);
  });

  it('DKIM keys were changed after three days, without a gap', async () => {
    const keys = await week.server.store.read.run('directory.dkimKeys', { domain: 'example.test' });
    assert.deepEqual(
      keys.map(({ state }) => state),
      ['retired', 'retired', 'active', 'active', 'pending', 'pending'],
    );
    const selectors = week.peer.transactions
      .filter(({ to }) => to.includes('pal@peer.test'))
      .map(({ data }) => [...data.toString('latin1').matchAll(/[;\s]s=([^;\s]+);/g)].map(([, name]) => name));
    const [first, , active] = [keys[0], keys[1], keys[2]];
    assert.ok(selectors[0]?.includes(first?.selector));
    assert.ok(selectors.at(-1)?.includes(active?.selector));
  });

  it('the administrator and an owner were told, once each, and no more often than something changed', async () => {
    const told = subjects(await mailbox(week, ADMIN, 'INBOX'));
    assert.equal(told.filter((subject) => /full@example\.test is over 80 % full/.test(subject)).length, 1);
    const alerts = told.filter((subject) => /guesses passwords|well again/.test(subject));
    assert.deepEqual(
      alerts.map((subject) => /well again|guesses/.exec(subject)?.[0]),
      ['guesses', 'well again'],
      'one digest when it begins, one when it is over',
    );
    const looks = told.filter((subject) => /need your attention/.test(subject));
    assert.ok(looks.length >= 1 && looks.length <= 3, told.join('; '));
    assert.deepEqual(subjects(await mailbox(week, FULL, 'INBOX')).slice(1), [
      'Your mailbox is over 80 % full',
    ]);
  });

  it('what is old went: Trash, Junk, deleted mail, the journal, the queue', async () => {
    assert.deepEqual(await mailbox(week, BOB, 'Trash'), []);
    assert.deepEqual(await mailbox(week, BOB, 'Junk'), []);
    assert.match(undeletable[0] ?? '', /^ *\d+ .* INBOX$/m);
    assert.doesNotMatch(undeletable[1] ?? '', /INBOX/);
    const trace = (name: string): Promise<string> => week.said('trace', name);
    assert.match(await trace(queued.at(-1) ?? ''), /pal@peer\.test/);
    const gone = await runCommand(['trace', queued[0] ?? ''], { data: week.server.directory });
    assert.doesNotMatch(gone.out, /pal@peer\.test/);
    const shown = async (name = ''): Promise<number> =>
      (await runCommand(['queue', 'show', name], { data: week.server.directory })).status;
    assert.equal(await shown(queued.at(-1)), 0);
    assert.notEqual(await shown(queued[0]), 0);
  });

  it('the MTA-STS policy of another domain was fetched anew each day, and its change taken on', {
    skip: skipWithout('openssl'),
  }, async () => {
    const { policies, server, start } = week;
    assert.ok(policies);
    assert.ok(policies.served >= DAYS - 1 && policies.served <= DAYS + 1, `${policies.served} fetches`);
    const known = await server.store.read.run('transport.sts', { domain: 'peer.test' });
    assert.ok(known?.policy);
    assert.equal(Buffer.from(known.policy.file).toString(), stsPolicy(SECOND_AGE));
    assert.ok(known.policy.fetchedAt > start + (DAYS - 1.5) * DAY);
  });

  it('policies and records of others were asked for anew', () => {
    const asked = week.dns.asked.filter((question) => question.endsWith('TXT _mta-sts.peer.test'));
    assert.ok(asked.length >= DAYS);
  });
});
