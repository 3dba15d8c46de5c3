import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { dkimResults, lines, mailbox, session, transact } from '../../../test/support/flow.ts';
import { openOutbound, type OutboundFixture } from '../../../test/support/outbound.ts';
import { type SmtpPeer, startSmtpPeer } from '../../../test/support/smtp-peer.ts';
import { Metrics } from '../../base/metrics.ts';
import { MAX_UID } from '../../data/mailstore/types.ts';
import { dmarcXml } from '../../mail/reports/dmarc-build.ts';
import { createDmarcReader } from '../../mail/reports/dmarc-parse.ts';
import type { DmarcRecord } from '../../mail/reports/dmarc-types.ts';
import { parseTlsReport } from '../../mail/reports/tls-report.ts';
import { scanMessage } from '../../mail/message/scanner.ts';
import { createAuthentication } from '../inbound/authenticate.ts';
import { createInbound } from '../inbound/service.ts';
import type { AppliedPolicy, ReportEvidence } from '../report-hooks.ts';
import { noTlsPolicy, tlsOutcomeOf } from '../tls-session.ts';
import { dueAt } from './send.ts';
import { createReports, type Reports } from './service.ts';
import type { ReportSettings } from './settings.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const REFUSED: AppliedPolicy = { disposition: 'reject' };

let out: OutboundFixture;
let peer: SmtpPeer;
let reports: Reports;
let settings: ReportSettings;

beforeEach(async () => {
  peer = await startSmtpPeer();
  out = await openOutbound({ port: peer.port });
  settings = { dmarc: true, tls: true, optOut: [] };
  reports = open();
});
afterEach(async () => {
  await reports.stop();
  await out.close();
  await peer.close();
});

function open(metrics = out.flow.metrics): Reports {
  const { flow } = out;
  const parts = {
    deps: () => flow.deps,
    settings: () => settings,
    metrics,
    generator: 'Postern test',
  };
  return createReports(parts);
}

function txt(name: string, ...texts: string[]): void {
  out.flow.zone[name] = { TXT: texts };
}

/** What the real checks say of a message from that author and address. */
async function evidence(from: string, ip = '192.0.2.1', reversePath = from): Promise<ReportEvidence> {
  const { deps } = out.flow;
  const message = lines(`From: <${from}>`, 'Subject: x', '', 'Hi');
  const input = {
    dns: deps.dns,
    clock: deps.clock,
    receiver: 'mx.example.test',
    helo: 'h.test',
    ip,
    reversePath,
  };
  const authentication = createAuthentication(input);
  authentication.push(Buffer.from(message));
  return authentication.finish(Buffer.from(message.slice(0, message.indexOf('\r\n\r\n') + 4)));
}

/** Past midnight and the hours in which reports are made. */
async function nextMorning(): Promise<void> {
  await reports.flush();
  const { clock } = out.flow;
  clock.advance(DAY - (clock.now() % DAY) + 7 * HOUR);
  while (await reports.send());
  await out.idle();
}

const sent = async () =>
  (await out.flow.store.read.run('reports.sent', { since: 0, all: true, limit: 100 })).map(
    ({ kind, domain, outcome, detail }) => `${kind} ${domain} ${outcome}: ${detail}`,
  );

const metric = async (name: string): Promise<number> => {
  const line = (await out.flow.metrics.text()).split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
};

/** The report in a message as it went out. */
function attachment(message: string): Buffer {
  const body = /Content-Disposition: attachment;[^]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)/.exec(message)?.[1];
  assert.ok(body);
  return gunzipSync(Buffer.from(body, 'base64'));
}

describe('DMARC reports we send', () => {
  it('the whole way: seen, midnight, mail, another mailbox of ours, tables', async () => {
    const { flow } = out;
    await flow.store.write.run('directory.addDomain', { actor: flow.admin, name: 'other.test' });
    await flow.addAlias('dmarc-reports@other.test', 'bob@example.test');
    txt('_dmarc.other.test', 'v=DMARC1; p=reject; sp=none; rua=mailto:dmarc-reports@other.test');
    txt('other.test', 'v=spf1 ip4:198.51.100.7 -all');
    const forged = await evidence('ceo@other.test');
    for (let i = 0; i < 3; i++) reports.hooks.observeDmarc(forged, REFUSED);
    const good = await evidence('news@other.test', '198.51.100.7');
    reports.hooks.observeDmarc(good, { disposition: 'none' });
    const listed = await evidence('ann@mail.other.test', '203.0.113.5', 'list@lists.test');
    reports.hooks.observeDmarc(listed, { disposition: 'none' });
    await nextMorning();

    const [mail, ...others] = await mailbox(flow.store, flow.bob);
    assert.ok(mail && others.length === 0);
    assert.match(mail.text, /^Return-Path: <noreply-dmarc@example\.test>\r\n/);
    assert.deepEqual(await dkimResults(flow, mail.bytes), ['pass rsa-sha256', 'pass ed25519-sha256']);
    assert.match(mail.text, /^Auto-Submitted: auto-generated\r$/m);

    await reports.reread();
    const seen = await flow.store.read.run('reports.dmarc', { since: 0, unproven: false, limit: 10 });
    assert.deepEqual(
      seen.sources.map(({ domain, ip, messages, passed, spf, blocked }) => [
        domain,
        ip,
        messages,
        passed,
        spf,
        blocked,
      ]),
      [
        ['other.test', '192.0.2.1', 3, 0, 0, 3],
        ['other.test', '203.0.113.5', 1, 0, 0, 0],
        ['other.test', '198.51.100.7', 1, 1, 1, 0],
      ],
    );
    const reader = createDmarcReader();
    reader.push(attachment(mail.text));
    const report = reader.end();
    assert.deepEqual(report.policy, {
      domain: 'other.test',
      discovery: 'treewalk',
      p: 'reject',
      sp: 'none',
      np: 'none',
      fo: '0',
      adkim: 'r',
      aspf: 'r',
      testing: 'n',
    });
    assert.equal(report.endMs - report.beginMs, DAY - 1000);
    const byIp = new Map(report.records.map((record) => [record.sourceIp, record]));
    assert.equal(byIp.get('198.51.100.7')?.disposition, 'pass');
    assert.equal(byIp.get('192.0.2.1')?.disposition, 'reject');
    // Policy for names below is none, so nothing was overridden.
    assert.deepEqual(byIp.get('203.0.113.5')?.reasons, []);
    assert.equal(byIp.get('203.0.113.5')?.headerFrom, 'mail.other.test');
    assert.equal(byIp.get('203.0.113.5')?.envelopeFrom, 'lists.test');
    // Read again, nothing doubles.
    await reports.reread();
    const again = await flow.store.read.run('reports.dmarc', { since: 0, unproven: false, limit: 10 });
    assert.deepEqual(again, seen);
    assert.equal(await metric('postern_reports_received_total{kind="dmarc",outcome="stored"}'), 1);
    assert.equal(await metric('postern_reports_sent_total{kind="dmarc",outcome="sent"}'), 1);
  });

  it('to another host, once: not again by a second run, nor by a second program after a crash', async () => {
    txt('_dmarc.far.test', 'v=DMARC1; p=none; rua=mailto:d@far.test');
    reports.hooks.observeDmarc(await evidence('x@far.test'), { disposition: 'none' });
    await nextMorning();
    const twin = open(new Metrics());
    assert.equal(await twin.send(), false);
    await twin.stop();
    await out.idle();
    assert.equal(peer.transactions.length, 1);
    const message = peer.transactions[0];
    assert.equal(message?.from, 'noreply-dmarc@example.test');
    assert.deepEqual(message?.to, ['d@far.test']);
    assert.deepEqual(await sent(), ['dmarc far.test sent: to d@far.test']);
    assert.equal(reports.hooks.discards('Noreply-DMARC'), true);
    assert.equal(reports.hooks.discards('alice'), false);
  });

  it('nothing before its time, and not all at once', async () => {
    txt('_dmarc.far.test', 'v=DMARC1; p=none; rua=mailto:d@far.test');
    reports.hooks.observeDmarc(await evidence('x@far.test'), { disposition: 'none' });
    await reports.flush();
    const { clock } = out.flow;
    clock.advance(DAY - (clock.now() % DAY) + 60_000);
    assert.equal(await reports.send(), false);
    assert.deepEqual(await sent(), []);
    const times = new Set(Array.from({ length: 50 }, (_, i) => dueAt('mx', 'dmarc', 5, `d${i}.test`)));
    assert.equal(times.size, 50);
    for (const at of times) assert.ok(at > 6 * DAY && at < 6 * DAY + 7 * HOUR);
  });

  it('a third party only with its consent, which may name another of its addresses', async () => {
    txt('_dmarc.far.test', 'v=DMARC1; p=none; rua=mailto:a@collector.test,mailto:b@agency.test');
    txt('far.test._report._dmarc.agency.test', 'v=DMARC1; rua=mailto:in@agency.test');
    out.flow.zone['agency.test'] = { MX: [{ preference: 1, exchange: 'mx.far.test' }] };
    reports.hooks.observeDmarc(await evidence('x@far.test'), { disposition: 'none' });
    await nextMorning();
    assert.deepEqual(
      peer.transactions.flatMap(({ to }) => to),
      ['in@agency.test'],
    );
    assert.deepEqual(await sent(), [
      'dmarc far.test sent: to in@agency.test; left out: collector.test has not agreed to take reports about far.test',
    ]);
  });

  it('too small a limit, HTTPS only, no record any more, switched off: noted, nothing sent', async () => {
    for (const name of ['small', 'web', 'gone', 'off'])
      txt(`_dmarc.${name}.test`, 'v=DMARC1; p=none; rua=mailto:d@x.test');
    for (const name of ['small', 'web', 'gone', 'off'])
      reports.hooks.observeDmarc(await evidence(`x@${name}.test`), { disposition: 'none' });
    await reports.flush();
    out.flow.clock.advance(HOUR); // what DNS said before is forgotten
    txt('_dmarc.small.test', 'v=DMARC1; p=none; rua=mailto:d@small.test!1k');
    txt('_dmarc.web.test', 'v=DMARC1; p=none; rua=https://web.test/');
    delete out.flow.zone['_dmarc.gone.test'];
    settings = { ...settings, optOut: ['off.test'] };
    await nextMorning();
    assert.deepEqual((await sent()).toSorted(), [
      'dmarc gone.test none: it asks for no reports',
      'dmarc off.test none: switched off for this domain',
      'dmarc small.test failed: the report is larger than its addresses take',
      'dmarc web.test none: https://web.test/: reports by HTTPS are not sent, only by mail',
    ]);
    assert.equal(peer.transactions.length, 0);
  });

  it('waits while DNS is away, up to three days', async () => {
    txt('_dmarc.far.test', 'v=DMARC1; p=none; rua=mailto:d@far.test');
    reports.hooks.observeDmarc(await evidence('x@far.test'), { disposition: 'none' });
    await reports.flush();
    out.flow.clock.advance(HOUR);
    out.flow.zone['_dmarc.far.test'] = { fault: { kind: 'servfail' } };
    await nextMorning();
    assert.deepEqual(await sent(), []);
    txt('_dmarc.far.test', 'v=DMARC1; p=none; rua=mailto:d@far.test');
    await nextMorning();
    assert.deepEqual(await sent(), ['dmarc far.test sent: to d@far.test']);
  });

  it('nothing is counted without a wish for reports, without DNS, or when switched off', async () => {
    txt('_dmarc.quiet.test', 'v=DMARC1; p=reject');
    txt('_dmarc.far.test', 'v=DMARC1; p=none; rua=mailto:d@far.test');
    reports.hooks.observeDmarc(await evidence('x@quiet.test'), REFUSED);
    reports.hooks.observeDmarc(await evidence('x@nothing.test'), REFUSED);
    const far = await evidence('x@far.test');
    reports.hooks.observeDmarc({ ...far, state: 'unchecked' }, REFUSED);
    settings = { ...settings, dmarc: false };
    reports.hooks.observeDmarc(far, REFUSED);
    await nextMorning();
    assert.deepEqual(await sent(), []);
  });

  it('says why less was done than the domain asks for', async () => {
    txt('_dmarc.far.test', 'v=DMARC1; p=reject; t=y; rua=mailto:d@far.test');
    txt('_dmarc.strict.test', 'v=DMARC1; p=reject; rua=mailto:d@far.test');
    txt('strict.test._report._dmarc.far.test', 'v=DMARC1');
    reports.hooks.observeDmarc(await evidence('x@far.test'), { disposition: 'quarantine' });
    const strict = await evidence('x@strict.test');
    reports.hooks.observeDmarc(strict, {
      disposition: 'none',
      reason: { type: 'trusted_forwarder', comment: 'ARC' },
    });
    reports.hooks.observeDmarc(strict, { disposition: 'quarantine' });
    await nextMorning();
    const told = peer.transactions.flatMap(({ data }) => {
      const reader = createDmarcReader();
      reader.push(attachment(data.toString('latin1')));
      return reader
        .end()
        .records.flatMap(({ headerFrom, reasons }) => reasons.map(({ type }) => `${headerFrom} ${type}`));
    });
    assert.deepEqual(told.toSorted(), [
      'far.test policy_test_mode',
      'strict.test local_policy',
      'strict.test trusted_forwarder',
    ]);
  });
});

describe('TLS reports we send', () => {
  it('successes and failures of a day, by mail', async () => {
    txt('_smtp._tls.far.test', 'v=TLSRPTv1; rua=mailto:t@far.test,https://far.test/x');
    const { hooks } = reports;
    const base = {
      domain: 'far.test',
      policy: noTlsPolicy('far.test'),
      mxHost: 'mx.far.test',
      receivingIp: '192.0.2.9',
    };
    for (let i = 0; i < 5; i++) hooks.observeTls({ ...base, result: 'success' });
    for (let i = 0; i < 2; i++) hooks.observeTls({ ...base, result: 'starttls-not-supported' });
    const sts = {
      type: 'sts',
      domain: 'far.test',
      strings: ['version: STSv1'],
      mxHosts: ['mx.far.test'],
    } as const;
    hooks.observeTls({ ...base, policy: sts, result: 'certificate-expired', reason: 'CERT_HAS_EXPIRED' });
    hooks.observeTls({
      ...base,
      domain: 'nobody.test',
      policy: noTlsPolicy('nobody.test'),
      result: 'success',
    });
    hooks.observeTls({ ...base, domain: '[192.0.2.9]', result: 'success' });
    await nextMorning();
    const [message, ...others] = peer.transactions;
    assert.ok(message && others.length === 0);
    const text = message.data.toString('latin1');
    assert.match(text, /^TLS-Report-Domain: far\.test\r$/m);
    const report = parseTlsReport(attachment(text));
    assert.equal(report.organisation, 'example.test');
    const told = report.policies.toSorted((a, b) => a.policy.type.localeCompare(b.policy.type));
    assert.deepEqual(
      told.map(({ policy, successes, failures, details }) => [
        policy.type,
        successes,
        failures,
        details.map((one) => `${one.resultType} ${one.sessions}`),
      ]),
      [
        ['no-policy-found', 5, 2, ['starttls-not-supported 2']],
        ['sts', 0, 1, ['certificate-expired 1']],
      ],
    );
    assert.deepEqual((await sent()).toSorted(), [
      'tls far.test sent: to t@far.test; left out: https://far.test/x: reports by HTTPS are not sent, only by mail',
      'tls nobody.test none: it asks for no reports',
    ]);
  });

  it('what a session says', () => {
    const none = noTlsPolicy('far.test');
    const failed = (phase: 'tls' | 'connect', reason: string) =>
      tlsOutcomeOf({ status: 'failed', failure: { phase, kind: 'tls', reason }, address: '192.0.2.9' }, none)
        ?.result;
    assert.equal(failed('connect', 'no route'), undefined);
    assert.equal(
      failed('tls', 'the server does not offer STARTTLS, which is required here'),
      'starttls-not-supported',
    );
    assert.equal(failed('tls', 'handshake failure'), 'validation-failure');
    assert.equal(failed('tls', 'CERT_HAS_EXPIRED'), 'certificate-expired');
    assert.equal(failed('tls', 'ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate-host-mismatch');
    assert.equal(failed('tls', 'DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate-not-trusted');
  });
});

const RECORD: DmarcRecord = {
  sourceIp: '192.0.2.1',
  count: 120,
  disposition: 'reject',
  dkim: 'fail',
  spf: 'fail',
  reasons: [],
  headerFrom: 'example.test',
  envelopeFrom: 'x.test',
  dkimResults: [],
  spfResults: [
    {
      domain: 'x.test',
      scope: 'mfrom',
      result: 'pass',
    },
  ],
};

function reportXml(domain: string, id: string, records: readonly DmarcRecord[] = [RECORD]): string {
  const beginMs = out.flow.clock.now() - DAY;
  const head = {
    organisation: 'Reporter',
    email: 'd@reporter.test',
    reportId: id,
    beginMs,
    endMs: beginMs + DAY,
    errors: [],
  };
  return [...dmarcXml({ ...head, policy: { domain, p: 'none' } }, records)].join('');
}

/** A message with one attachment. */
function mailWith(name: string, type: string, octets: Buffer): string {
  return lines(
    'From: d@reporter.test',
    'Subject: Report',
    'MIME-Version: 1.0',
    `Content-Type: ${type}; name="${name}"`,
    'Content-Transfer-Encoding: base64',
    '',
    ...(octets.toString('base64').match(/.{1,76}/g) ?? []),
  );
}

const dmarcMail = (octets: Buffer): string =>
  mailWith('reporter.test!example.test!1!2.xml.gz', 'application/gzip', octets);

/** Evidence that says: this is from reporter.test. */
async function proven(): Promise<ReportEvidence> {
  const none = await evidence('d@reporter.test');
  return { ...none, dmarc: { ...none.dmarc, result: 'pass', domain: 'reporter.test' } };
}

/** Through SMTP into a mailbox, and then to the reports as the pipeline does it. */
async function receive(to: string, message: string, proof?: ReportEvidence): Promise<boolean> {
  const { flow } = out;
  await transact(
    createInbound(() => flow.deps, 'smtp'),
    session(),
    'd@reporter.test',
    [to],
    message,
  );
  const octets = Buffer.from(message);
  const structure = scanMessage(octets);
  const found = reports.hooks.recognise(structure, octets.subarray(0, structure.root.bodyStart));
  if (found === undefined) return false;
  const boxes = await flow.store.read.run('mailstore.mailboxes', { accountId: flow.alice });
  const mailboxId = boxes.find(({ name }) => name === 'INBOX')?.id ?? 0;
  const ranges = [{ from: 1, to: MAX_UID }];
  const rows = await flow.store.read.run('mailstore.fetch', { mailboxId, ranges, want: [], limit: 1000 });
  const last = rows.at(-1);
  assert.ok(last);
  const arrived = {
    recipients: [to],
    receivedAt: last.receivedAt,
    evidence: proof,
    stored: { emailId: last.emailId },
  };
  reports.hooks.take(found, arrived);
  await reports.idle();
  return true;
}

const received = async (unproven: boolean) =>
  (await out.flow.store.read.run('reports.dmarc', { since: 0, unproven, limit: 100 })).sources;

const outcome = (what: string, kind = 'dmarc') =>
  metric(`postern_reports_received_total{kind="${kind}",outcome="${what}"}`);

describe('reports we receive', () => {
  beforeEach(() => out.flow.addAlias('dmarc-reports@example.test', 'alice@example.test'));

  it('proven ones count, forged ones stand aside; the mail itself is in the mailbox either way', async () => {
    const octets = gzipSync(reportXml('example.test', 'r1'));
    assert.equal(await receive('dmarc-reports@example.test', dmarcMail(octets)), true);
    assert.equal((await received(false)).length, 0);
    assert.equal((await received(true)).length, 1);
    await receive('dmarc-reports@example.test', dmarcMail(octets), await proven());
    const [source] = await received(false);
    assert.deepEqual([source?.ip, source?.messages, source?.passed], ['192.0.2.1', 120, 0]);
    assert.equal((await mailbox(out.flow.store, out.flow.alice)).length, 2);
    // A second time by the same reporter changes nothing.
    await receive('dmarc-reports@example.test', dmarcMail(octets), await proven());
    assert.equal((await received(false))[0]?.messages, 120);
    assert.equal(await outcome('duplicate'), 1);
  });

  it('only at an address that we ask others to write to', async () => {
    const mail = dmarcMail(gzipSync(reportXml('example.test', 'r2')));
    await receive('alice+x@example.test', mail, await proven());
    assert.equal(await outcome('not-addressed'), 1);
    // Alice is the first administrator: the proposed records name her address.
    await receive('alice@example.test', mail, await proven());
    assert.equal(await outcome('stored'), 1);
    await out.flow.addAlias('odd-name@example.test', 'alice@example.test');
    out.flow.clock.advance(HOUR); // that there was no record is forgotten
    txt('_dmarc.example.test', 'v=DMARC1; p=none; rua=mailto:Odd-Name@example.test');
    await receive(
      'odd-name@example.test',
      dmarcMail(gzipSync(reportXml('example.test', 'r3'))),
      await proven(),
    );
    assert.equal(await outcome('stored'), 2);
  });

  it('about domains of ours, and those below them', async () => {
    await receive(
      'dmarc-reports@example.test',
      dmarcMail(gzipSync(reportXml('stranger.test', 'r4'))),
      await proven(),
    );
    assert.equal(await outcome('not-ours'), 1);
    await receive(
      'dmarc-reports@example.test',
      dmarcMail(gzipSync(reportXml('news.example.test', 'r5'))),
      await proven(),
    );
    assert.equal(await outcome('stored'), 1);
  });

  it('bombs, entities and damage are refused by name, and the next report is read', async () => {
    const to = 'dmarc-reports@example.test';
    const proof = await proven();
    await receive(to, dmarcMail(gzipSync(Buffer.alloc(9 * 1024 * 1024))), proof);
    assert.equal(await outcome('bomb'), 1);
    await receive(to, dmarcMail(gzipSync('<!DOCTYPE f [<!ENTITY a "b">]><feedback>&a;</feedback>')), proof);
    assert.equal(await outcome('doctype'), 1);
    await receive(to, dmarcMail(gzipSync(reportXml('example.test', 'r6')).subarray(0, 200)), proof);
    assert.equal(await outcome('broken'), 1);
    await receive(to, dmarcMail(Buffer.from('PK\x03\x04 not really')), proof);
    assert.equal(await outcome('broken'), 2);
    await receive(to, dmarcMail(gzipSync(reportXml('example.test', 'r7'))), proof);
    assert.equal(await outcome('stored'), 1);
    assert.equal((await mailbox(out.flow.store, out.flow.alice)).length, 5);
  });

  it('10,000 rows', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({
      ...RECORD,
      sourceIp: `10.${i >> 8}.${i & 255}.1`,
      count: 2,
    }));
    await receive(
      'dmarc-reports@example.test',
      dmarcMail(gzipSync(reportXml('example.test', 'big', rows))),
      await proven(),
    );
    const { domains } = await out.flow.store.read.run('reports.dmarc', {
      since: 0,
      unproven: false,
      limit: 1,
    });
    assert.deepEqual([domains[0]?.messages, domains[0]?.passed], [20_000, 0]);
  });

  it('TLS reports', async () => {
    const json = JSON.stringify({
      'organization-name': 'Reporter',
      'date-range': { 'start-datetime': '2030-01-01T00:00:00Z', 'end-datetime': '2030-01-01T23:59:59Z' },
      'report-id': 't1',
      policies: [
        {
          policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'example.test' },
          summary: { 'total-successful-session-count': 7, 'total-failure-session-count': 1 },
          'failure-details': [{ 'result-type': 'starttls-not-supported', 'failed-session-count': 1 }],
        },
        { policy: { 'policy-type': 'sts', 'policy-domain': 'stranger.test' }, summary: {} },
      ],
    });
    const mail = mailWith('x.json.gz', 'application/tlsrpt+gzip', gzipSync(json));
    await out.flow.addAlias('tls-reports@example.test', 'alice@example.test');
    await receive('tls-reports@example.test', mail, await proven());
    const seen = await out.flow.store.read.run('reports.tls', { since: 0, unproven: false, limit: 10 });
    assert.deepEqual(
      seen.policies.map(({ domain, successes, failures }) => [domain, successes, failures]),
      [['example.test', 7, 1]],
    );
    assert.match(seen.failing[0]?.data ?? '', /starttls-not-supported/);
  });

  it('what was not read in time is found in the mailbox later', async () => {
    const { flow } = out;
    await transact(
      createInbound(() => flow.deps, 'smtp'),
      session(),
      'd@reporter.test',
      ['dmarc-reports@example.test'],
      dmarcMail(gzipSync(reportXml('example.test', 'late'))),
    );
    assert.equal((await received(true)).length, 0);
    await reports.reread();
    assert.equal((await received(true)).length, 1);
    // Nothing proves who sent it: it was not looked at when it came.
    assert.equal((await received(false)).length, 0);
  });
});

describe('complaints', () => {
  const complaint = (type: string, messageId: string): string =>
    lines(
      'From: fbl@reporter.test',
      'Subject: FW: Offers',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=feedback-report; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'A complaint.',
      '--b',
      'Content-Type: message/feedback-report',
      '',
      `Feedback-Type: ${type}`,
      'Original-Rcpt-To: <user@reporter.test>',
      '',
      '--b',
      'Content-Type: message/rfc822',
      '',
      'From: alice@example.test',
      `Message-ID: <${messageId}>`,
      'Subject: Offers',
      '',
      'Buy',
      '--b--',
    );
  const kept = async () =>
    (await out.flow.store.read.run('reports.complaints', { since: 0, limit: 10 })).complaints;

  it('are kept with the account that sent the message; failure reports are counted only', async () => {
    await out.send(
      ['x@far.test'],
      lines('From: alice@example.test', 'Message-ID: <ours@example.test>', '', 'Hi'),
    );
    await receive('abuse@example.test', complaint('abuse', 'ours@example.test'), await proven());
    const [one, ...others] = await kept();
    assert.deepEqual(
      [one?.account, one?.feedbackType, one?.reporter, one?.recipient, others.length],
      ['alice@example.test', 'abuse', 'reporter.test', 'user@reporter.test', 0],
    );
    // Any address will do for a message that we know.
    await receive('alice@example.test', complaint('fraud', 'ours@example.test'), await proven());
    assert.equal((await kept()).length, 2);
    await receive('alice@example.test', complaint('abuse', 'unknown@example.test'), await proven());
    assert.equal((await kept()).length, 2);
    await receive('abuse@example.test', complaint('auth-failure', 'ours@example.test'), await proven());
    assert.equal((await kept()).length, 2);
    assert.equal(await outcome('counted', 'arf'), 1);
    await reports.reread();
    assert.equal((await kept()).length, 2, 'reading the mailbox again adds none');
  });
});
