import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import type { Call, CliCommand, CliIo, Outcome } from '../command.ts';
import { fit, plain, table, wrap } from '../plain-text.ts';
import { timeText } from '../quantities.ts';

const { reports } = operations;

type Dmarc = z.output<typeof reports.dmarc.output>;
type Tls = z.output<typeof reports.tls.output>;
type Complaints = z.output<typeof reports.complaints.output>;
type Sent = z.output<typeof reports.sent.output>;

const DOMAIN = { name: 'DOMAIN', help: 'only this one and those below it', optional: true } as const;
const DAYS = { value: 'N', help: 'so many days back (30)' };
const LIMIT = { value: 'N', help: 'at most so many (50)' };
const UNPROVEN = { help: 'also what anybody could have written: reports that prove no sender' };
/** Sources that are explained one by one; the table has the others too. */
const EXPLAINED = 12;

/** "2026-01-31" in UTC: days of reports are. */
function dayText(ms: number): string {
  return timeText(ms, 'UTC').slice(0, 10);
}

/** A sentence below something, indented. */
function indented(text: string, width: number, by = 4): string {
  return wrap(plain(text), width - by)
    .map((line) => `${' '.repeat(by)}${line}\n`)
    .join('');
}

function percent(part: number, whole: number): string {
  if (whole === 0) return '-';
  const share = (100 * part) / whole;
  // "100 %" means all and "0 %" none.
  return `${part === whole ? 100 : Math.min(99, Math.floor(share) || (part > 0 ? 1 : 0))} %`;
}

function aboutText({ text, args, on }: Call) {
  const [domain, days, limit] = [args[0], text('days'), text('limit')];
  return {
    ...(domain !== undefined && { domain }),
    ...(days !== undefined && { days }),
    ...(limit !== undefined && { limit }),
    ...(on('unproven') && { unproven: 'true' }),
  };
}

const NO_DMARC =
  'No reports yet. Others send them once a day to the address in the DMARC record of a domain:\n' +
  'see "postern domain records DOMAIN", and docs/guides/reports.md.\n';

function dmarcText({ domains, sources, more }: Dmarc, io: CliIo, unproven: boolean): string {
  if (domains.length === 0) return NO_DMARC;
  const totals = table(
    [
      { title: 'DOMAIN', whole: true },
      { title: 'REPORTS', right: true },
      { title: 'MESSAGES', right: true },
      { title: 'PASS', right: true },
      { title: 'UNTIL' },
    ],
    domains.map(({ domain, reports: count, messages, passed, lastAt }) => [
      domain,
      String(count),
      String(messages),
      percent(passed, messages),
      dayText(lastAt),
    ]),
    io.width,
  );
  const several = domains.length > 1;
  const rows = table(
    [
      { title: 'SOURCE', whole: true },
      ...(several ? [{ title: 'DOMAIN' }] : []),
      { title: 'MESSAGES', right: true },
      { title: 'PASS', right: true },
      { title: 'FAIL', right: true },
      { title: 'BLOCKED', right: true },
      { title: 'IT IS' },
    ],
    sources.map(({ ip, domain, messages, passed, blocked, verdict }) => [
      ip,
      ...(several ? [domain] : []),
      String(messages),
      String(passed),
      String(messages - passed),
      String(blocked),
      VERDICT_WORDS[verdict] ?? verdict,
    ]),
    io.width,
  );
  return [
    totals,
    ...(sources.length === 0 ? [] : [rows]),
    whatToDo(sources, io),
    notes(domains, more, unproven, io.width),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const VERDICT_WORDS: Readonly<Record<string, string>> = {
  fine: 'fine',
  'signature-only': 'passes by DKIM alone',
  'spf-only': 'passes by SPF alone',
  'own-host': 'THIS HOST',
  mixed: 'partly yours',
  forwarded: 'forwarded',
  service: 'other sender',
  unknown: 'UNKNOWN',
};

function whatToDo(sources: Dmarc['sources'], io: CliIo): string {
  const odd = sources.filter(({ verdict }) => verdict !== 'fine').slice(0, EXPLAINED);
  if (odd.length === 0) return '';
  return odd
    .map(({ ip, domain, advice }) => `${plain(ip)} for ${plain(domain)}\n${indented(advice, io.width)}`)
    .join('');
}

function notes(domains: Dmarc['domains'], more: boolean, unproven: boolean, width: number): string {
  const open = domains.reduce((sum, one) => sum + one.unproven, 0);
  const lines = [
    ...(more ? ['There are more sources: --limit N shows them.'] : []),
    ...(open > 0 && !unproven
      ? [`${open} report(s) are not counted: nothing proves who wrote them (--unproven counts them).`]
      : []),
  ];
  return lines.map((line) => indented(line, width, 0)).join('');
}

function tlsText({ policies, failures }: Tls, io: CliIo): string {
  if (policies.length === 0) {
    return (
      'No reports yet. Others send them once a day to the address in the TLS-RPT record of a domain:\n' +
      'see "postern domain records DOMAIN", and docs/guides/reports.md.\n'
    );
  }
  const totals = table(
    [
      { title: 'DOMAIN', whole: true },
      { title: 'POLICY' },
      { title: 'SESSIONS', right: true },
      { title: 'FAILED', right: true },
      { title: 'REPORTERS', right: true },
      { title: 'UNTIL' },
    ],
    policies.map(({ domain, policyType, successes, failures: failed, reporters, lastAt }) => [
      domain,
      policyType === 'no-policy-found' ? 'none' : policyType,
      String(successes + failed),
      String(failed),
      String(reporters),
      dayText(lastAt),
    ]),
    io.width,
  );
  if (failures.length === 0) return `${totals}\nNobody failed to reach you by an encrypted connection.\n`;
  const told = failures
    .slice(0, EXPLAINED)
    .map(({ domain, mxHost, resultType, sessions, reporters, meaning, lastAt }) => {
      const host = mxHost === '' ? `A mail host of ${plain(domain)}` : plain(mxHost);
      const by = `${sessions} session(s), last on ${dayText(lastAt)}, by ${reporters.map(plain).join(', ')}`;
      return `${plain(resultType)}, ${fit(by, 500)}\n${indented(`${host} ${meaning}`, io.width)}`;
    });
  return `${totals}\n${told.join('')}`;
}

function complaintsText({ accounts, complaints }: Complaints, io: CliIo): string {
  if (complaints.length === 0) return 'Nobody has complained.\n';
  const totals = table(
    [
      { title: 'ACCOUNT', whole: true },
      { title: 'COMPLAINTS', right: true },
    ],
    accounts.map(({ account, complaints: count }) => [account ?? '(not known)', String(count)]),
    io.width,
  );
  const rows = table(
    [
      { title: 'WHEN', whole: true },
      { title: 'WHAT' },
      { title: 'BY' },
      { title: 'ABOUT' },
      { title: 'MESSAGE-ID' },
    ],
    complaints.map(({ at, feedbackType, reporter, account, messageId }) => [
      timeText(at, io.timeZone).slice(0, 16),
      feedbackType,
      reporter === '' ? '(not known)' : reporter,
      account ?? '(not known)',
      messageId === '' ? '(taken out)' : messageId,
    ]),
    io.width,
  );
  return `${totals}\n${rows}\nWhat became of a message: postern trace MESSAGE-ID\n`;
}

function sentText({ reports: list }: Sent, io: CliIo, all: boolean): string {
  if (list.length === 0) {
    return all
      ? 'No reports were due. They are made in the first hours of a day (UTC), about the day before.\n'
      : 'No reports were sent. --all shows the domains that want none.\n';
  }
  return table(
    [
      { title: 'DAY', whole: true },
      { title: 'KIND' },
      { title: 'DOMAIN', whole: true },
      { title: 'OUTCOME' },
      { title: 'DETAIL' },
    ],
    list.map(({ day, kind, domain, outcome, detail }) => [dayText(day), kind, domain, outcome, detail]),
    io.width,
  );
}

async function complaints({ admin, io, text }: Call): Promise<Outcome> {
  const [days, limit] = [text('days'), text('limit')];
  const value = await admin.call(reports.complaints, {
    ...(days !== undefined && { days }),
    ...(limit !== undefined && { limit }),
  });
  return { value, text: () => complaintsText(value, io) };
}

export const reportCommands: readonly CliCommand[] = [
  {
    words: ['report', 'findings'],
    summary: 'what the reports of others come to, in sentences, with what to do',
    args: [{ name: 'DOMAIN', help: 'only of this domain', optional: true }],
    options: { days: { value: 'N', help: 'reports of the last N days (30)' } },
    example: 'report findings --days 90',
    async run({ admin, args: [domain], text, io }) {
      const days = text('days');
      const value = await admin.call(reports.findings, {
        ...(domain !== undefined && { domain }),
        ...(days !== undefined && { days }),
      });
      const lines = value.findings.flatMap(({ severity, sentence, count, remedy }) => [
        `${severity.padEnd(8)}${plain(sentence)}${count > 0 ? ` (${count})` : ''}`,
        ...wrap(plain(remedy), io.width - 8).map((line) => `        ${line}`),
      ]);
      return { value, text: () => (lines.length === 0 ? 'Nothing to tell.\n' : `${lines.join('\n')}\n`) };
    },
  },
  {
    words: ['report', 'series'],
    summary: 'mail in the name of your domains and connections to you, day by day',
    details: 'From the DMARC and TLS reports that others sent; the charts of the pages show the same.',
    args: [DOMAIN],
    options: { days: { value: 'N', help: 'the last N days (30)' } },
    example: 'report series example.org --days 90',
    async run({ admin, args: [domain], text }) {
      const days = text('days');
      const value = await admin.call(reports.series, {
        ...(domain !== undefined && { domain }),
        ...(days !== undefined && { days }),
      });
      const row = (cells: readonly (string | number | undefined)[]): string =>
        `${cells.map((cell, i) => (i === 0 ? String(cell).padEnd(12) : String(cell ?? 0).padStart(11))).join('')}\n`;
      const { dmarc, tls } = value;
      const head = row(['day', 'proven', 'not proven', 'stopped', 'TLS', 'no TLS']);
      const body = value.days.map((day, i) =>
        row([
          new Date(day).toISOString().slice(0, 10),
          dmarc.passed[i],
          dmarc.failed[i],
          dmarc.blocked[i],
          tls.successes[i],
          tls.failures[i],
        ]),
      );
      return { value, text: () => [head, ...body].join('') };
    },
  },
  {
    words: ['report', 'dmarc'],
    summary: 'who sends mail in the name of your domains, as other hosts saw it',
    details:
      'From the DMARC reports that others sent. A source is an address that mail came from; it passes when it is in SPF or signs as the domain.',
    args: [DOMAIN],
    options: { days: DAYS, limit: LIMIT, unproven: UNPROVEN },
    example: 'report dmarc example.org',
    async run(call) {
      const value = await call.admin.call(reports.dmarc, aboutText(call));
      return { value, text: () => dmarcText(value, call.io, call.on('unproven')) };
    },
  },
  {
    words: ['report', 'tls'],
    summary: 'whether others reach your mail hosts by encrypted connections',
    details: 'From the TLS reports (RFC 8460) that others sent.',
    args: [DOMAIN],
    options: { days: DAYS, limit: LIMIT, unproven: UNPROVEN },
    example: 'report tls example.org',
    async run(call) {
      const value = await call.admin.call(reports.tls, aboutText(call));
      return { value, text: () => tlsText(value, call.io) };
    },
  },
  {
    words: ['report', 'complaints'],
    summary: 'complaints of recipients about mail of your accounts',
    args: [],
    options: { days: DAYS, limit: LIMIT },
    example: 'report complaints --days 7',
    run: complaints,
  },
  {
    words: ['report', 'sent'],
    summary: 'the daily reports that this server made for other domains',
    args: [{ name: 'DOMAIN', help: 'only about this one', optional: true }],
    options: { days: DAYS, limit: LIMIT, all: { help: 'also domains that want none, and why' } },
    example: 'report sent --all',
    async run({ admin, io, args, text, on }) {
      const [domain, days, limit] = [args[0], text('days'), text('limit')];
      const value = await admin.call(reports.sent, {
        ...(domain !== undefined && { domain }),
        ...(days !== undefined && { days }),
        ...(limit !== undefined && { limit }),
        ...(on('all') && { all: 'true' }),
      });
      return { value, text: () => sentText(value, io, on('all')) };
    },
  },
];
