import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { silentLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { type InlineStore, openInlineStore } from '../../data/inline.ts';
import type { DmarcReceivedRow } from '../../data/reports/types.ts';
import type { ServerFacts } from '../../servers/http/facts.ts';
import { type AdminServer, createAdminServer } from '../../servers/http/servers.ts';
import type { CliIo } from './command.ts';
import { runCli } from './run.ts';

const DAY = 86_400_000;
const clock = manualClock(Date.UTC(2030, 0, 31, 12));
let data: string;
let store: InlineStore;
let server: AdminServer;

before(async () => {
  data = await mkdtemp(join(tmpdir(), 'pst-'));
  store = await openInlineStore({ path: ':memory:', clock });
  const facts: ServerFacts = {
    version: '1.2.3',
    mode: 'serve',
    hostname: 'mail.example.org',
    startedAt: 0,
    dataDirectory: data,
    publicAddresses: () => ['198.51.100.1'],
    adminAddress: () => undefined,
    listeners: () => [],
    certificates: () => [],
  };
  server = await createAdminServer({ store, clock, logger: silentLogger, metrics: new Metrics(), facts });
});
after(async () => {
  await server.drain(100);
  await store.close();
  await rm(data, { recursive: true, force: true });
});

async function cli(...words: string[]): Promise<string> {
  let [out, err] = ['', ''];
  const io: CliIo = {
    out: (text) => (out += text),
    err: (text) => (err += text),
    stdin: new PassThrough(),
    env: {},
    cwd: '/nonexistent',
    clock,
    systemDataDirectory: '/nonexistent/system',
    timeZone: 'UTC',
    width: 80,
  };
  const status = await runCli([...words, '--data', data], io);
  assert.equal(status, 0, err);
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  const active = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/;
  assert.doesNotMatch(out, active, 'nothing active reaches the terminal');
  return out;
}

function fitting(text: string): string {
  for (const line of text.split('\n')) assert.ok([...line].length <= 80, `over 80 columns: ${line}`);
  return text;
}

function row(
  ip: string,
  count: number,
  pass: string,
  more: object = {},
  disposition = 'none',
): DmarcReceivedRow {
  return {
    ip,
    count,
    disposition,
    dkimAligned: pass.includes('dkim'),
    spfAligned: pass.includes('spf'),
    headerFrom: 'example.org',
    data: JSON.stringify({ dkimResults: [], spfResults: [], reasons: [], ...more }),
  };
}

describe('postern report', () => {
  it('says where reports come from while there are none', async () => {
    assert.match(await cli('report', 'dmarc'), /^No reports yet\..*postern domain records DOMAIN/s);
    assert.match(await cli('report', 'tls'), /^No reports yet\./);
    assert.equal(await cli('report', 'complaints'), 'Nobody has complained.\n');
    assert.match(await cli('report', 'sent'), /^No reports were sent/);
  });

  it('dmarc: each source with what it is and what to do', async () => {
    const report = {
      kind: 'dmarc',
      domain: 'example.org',
      organisation: 'big.test',
      reportId: '1',
      beginAt: clock.now() - 2 * DAY,
      endAt: clock.now() - DAY,
      genuine: true,
      policy: '{}',
    } as const;
    const service = { dkimResults: [{ domain: 'news\u001b[31m.test', result: 'pass' }] };
    const rows = [
      row('192.0.2.1', 120, '', { spfResults: [{ domain: 'x.test', result: 'fail' }] }, 'reject'),
      row('192.0.2.2', 40, '', service),
      row('203.0.113.9', 6, 'dkim'),
      row('203.0.113.10', 5, 'spf'),
      row('198.51.100.1', 900, 'dkim spf'),
      row('198.51.100.1', 4, ''),
      row('2001:db8::5', 3, '', { reasons: [{ type: 'mailing_list' }] }),
      row('=cmd|"/c calc"!A1<script>\u202e', 1, 'dkim spf'),
    ];
    await store.write.run('reports.receive', { report, dmarc: rows, tls: [] });
    await store.write.run('reports.receive', {
      report: { ...report, reportId: '2', genuine: false },
      dmarc: [row('192.0.2.77', 5000, '')],
      tls: [],
    });
    const text = fitting(await cli('report', 'dmarc', 'Example.org'));
    assert.match(text, /^DOMAIN +REPORTS +MESSAGES +PASS +UNTIL\nexample\.org +2 +1079 +84 % +2030-01-30\n/);
    assert.match(text, /\n192\.0\.2\.1 +120 +0 +120 +120 +UNKNOWN\n/);
    assert.match(text, /\n198\.51\.100\.1 +904 +900 +4 +0 +THIS HOST\n/);
    const words = text.replace(/\s+/g, ' ');
    assert.match(
      words,
      /192\.0\.2\.1 for example\.org Unknown source 192\.0\.2\.1 failed 120 times: somebody sends in your name, or a service of yours is not in the SPF record of example\.org and does not sign\. All of it was refused or put into Junk\./,
    );
    assert.match(
      words,
      /Failed 40 times; it was really sent by news�\[31m\.test\. If that is a service of yours/,
    );
    assert.match(words, /203\.0\.113\.9 for example\.org Passes by its signature alone: forwarded mail/);
    assert.match(words, /203\.0\.113\.10 for example\.org Passes by SPF alone/);
    assert.match(words, /This is your own mail host, and 4 of its 904 messages failed\./);
    assert.match(words, /2001:db8::5 for example\.org Forwarded or through a mailing list/);
    assert.match(words, /1 report\(s\) are not counted: nothing proves who wrote them/);
    assert.doesNotMatch(text, /192\.0\.2\.77/);
    assert.match(await cli('report', 'dmarc', '--unproven'), /192\.0\.2\.77/);
    assert.match(await cli('report', 'dmarc', '--limit', '1'), /There are more sources: --limit N/);
    assert.match(await cli('report', 'dmarc', 'other.org'), /^No reports yet/);
    const json = JSON.parse(await cli('report', 'dmarc', '--json')) as {
      sources: { ip: string; verdict: string }[];
    };
    assert.deepEqual(json.sources.map(({ ip, verdict }) => `${ip} ${verdict}`).slice(0, 3), [
      '192.0.2.1 unknown',
      '192.0.2.2 service',
      '198.51.100.1 own-host',
    ]);
  });

  it('tls: what failed, at which host, and what that means', async () => {
    const details = [{ resultType: 'certificate-expired', sessions: 12, mxHost: 'mail.example.org' }];
    const tls = {
      policyType: 'sts',
      policyDomain: 'example.org',
      successes: 88,
      failures: 12,
      data: JSON.stringify({ details }),
    };
    const report = {
      kind: 'tls',
      domain: 'example.org',
      organisation: 'big.test',
      reportId: '1',
      beginAt: clock.now() - 2 * DAY,
      endAt: clock.now() - DAY,
      genuine: true,
      policy: '{}',
    } as const;
    await store.write.run('reports.receive', { report, dmarc: [], tls: [tls, { ...tls, data: '{}' }] });
    const text = fitting(await cli('report', 'tls'));
    assert.match(text, /\nexample\.org +sts +200 +24 +1 +2030-01-30\n/);
    assert.match(
      text,
      /certificate-expired, 12 session\(s\), last on 2030-01-30, by big\.test\n {4}mail\.example\.org showed a certificate that has ended: renew it\./,
    );
    assert.match(
      text,
      /unsaid, 12 session\(s\).*\n {4}A mail host of example\.org failed; the report does not say how\./,
    );
  });

  it('complaints and what was sent', async () => {
    await store.write.run('reports.complain', {
      at: clock.now() - DAY,
      accountId: undefined,
      feedbackType: 'abuse',
      reporter: 'big.test',
      recipient: 'u@big.test',
      messageId: 'm@example.org',
      sourceIp: '',
      data: '{}',
    });
    assert.match(
      fitting(await cli('report', 'complaints')),
      /2030-01-30 12:00 +abuse +big\.test +\(not known\) +m@example\.org/,
    );
    const noted = {
      kind: 'dmarc',
      day: Math.floor(clock.now() / DAY) - 1,
      domain: 'far.test',
      reportId: 'r',
      outgoing: null,
      events: [],
    } as const;
    await store.write.run('reports.send', { ...noted, outcome: 'sent', detail: 'to d@far.test' });
    await store.write.run('reports.send', {
      ...noted,
      domain: 'near.test',
      outcome: 'none',
      detail: 'it asks for no reports',
    });
    assert.match(await cli('report', 'sent'), /\n2030-01-30 +dmarc +far\.test +sent +to d@far\.test\n$/);
    assert.match(await cli('report', 'sent', '--all'), /near\.test +none +it asks for no reports/);
    assert.doesNotMatch(await cli('report', 'sent', 'other.test'), /far\.test/);
  });
});
