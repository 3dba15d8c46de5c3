import type { Dns, DnsAnswer, DnsType, DnsRecords } from '../../mail/dns.ts';
import { recordLine, type SesRecord, sesRecords } from '../../mail/ses-template/records.ts';
import { ok, problem, type Topic, unknown } from './lines.ts';
import type { DomainFacts } from './identity.ts';
import type { StatusLine, StatusParts } from './types.ts';

/** Preferences of MX records that are proposed: SES alone, SES behind our own host. */
const ALONE = 10;
const BEHIND = 20;

export interface Receiving {
  /** SES shall receive for the domain. */
  readonly wanted: boolean;
  /** Our own host shall come first. */
  readonly backup: boolean;
}

/** The records of a domain, compared with what they should be. */
export async function dnsLines(
  { dns, request }: StatusParts,
  { domain, identity }: DomainFacts,
  receiving: Receiving,
): Promise<StatusLine[]> {
  const records = sesRecords({
    domain,
    region: request.region,
    mailFrom: identity?.mailFrom?.domain,
    dkim: identity?.dkim.records ?? [],
    mxPreference: receiving.wanted ? (receiving.backup ? BEHIND : ALONE) : undefined,
    host: receiving.backup ? request.host : undefined,
  });
  const checks = records
    .filter(({ kind }) => kind !== 'own-mx')
    .map((record) => CHECKS[record.kind](dns, record, identity?.mailFrom !== undefined, records));
  return Promise.all(checks);
}

type Check = (
  dns: Dns,
  record: SesRecord,
  ownSender: boolean,
  all: readonly SesRecord[],
) => Promise<StatusLine>;

const CHECKS: Readonly<Record<SesRecord['kind'], Check>> = {
  mx: checkMx,
  'own-mx': checkMx,
  dkim: checkCname,
  'mail-from-mx': checkMailFromMx,
  'mail-from-spf': (dns, record) => checkSpf(dns, record, true),
  spf: (dns, record, ownSender) => checkSpf(dns, record, !ownSender),
  dmarc: checkDmarc,
};

function topicOf(record: SesRecord): Topic {
  return { area: 'dns', subject: `${record.name} ${record.type}`, why: record.why };
}

/** The records, or what DNS says instead; a lookup that failed says nothing. */
async function ask<T extends DnsType>(
  dns: Dns,
  record: SesRecord,
  type: T,
): Promise<{ readonly records: readonly DnsRecords[T][] } | { readonly failed: StatusLine }> {
  const answer: DnsAnswer<T> = await dns.query(record.name, type);
  if (answer.status === 'temporary')
    return {
      failed: unknown(
        topicOf(record),
        `DNS did not answer (${answer.reason}).`,
        'Try again: postern ses status',
      ),
    };
  return { records: answer.status === 'ok' ? answer.records : [] };
}

/** Names are compared without regard to case. */
function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function split(value: string): { readonly preference: number; readonly exchange: string } {
  const [preference = '', exchange = ''] = value.split(' ');
  return { preference: Number(preference), exchange };
}

async function checkMx(
  dns: Dns,
  record: SesRecord,
  _ownSender: boolean,
  all: readonly SesRecord[],
): Promise<StatusLine> {
  const asked = await ask(dns, record, 'MX');
  if ('failed' in asked) return asked.failed;
  const topic = topicOf(record);
  const ses = split(record.value).exchange;
  const own = all.find(({ kind }) => kind === 'own-mx');
  const wanted = own === undefined ? [record] : [own, record];
  const found = asked.records.map(({ preference, exchange }) => `${preference} ${exchange}`).join(', ');
  const there = asked.records.find(({ exchange }) => same(exchange, ses));
  const mend = wanted.map(recordLine);
  if (there === undefined)
    return problem(
      topic,
      found === '' ? 'There is no MX record.' : `It leads to ${found}, not to SES.`,
      ...mend,
    );
  const others = asked.records.filter(({ exchange }) => !same(exchange, ses));
  if (own === undefined)
    return others.length === 0
      ? ok(topic, `It leads to SES (${found}).`)
      : problem(
          topic,
          `It leads to other hosts as well (${found}): their mail does not come by SES.`,
          ...mend,
        );
  const host = split(own.value).exchange;
  const first = others.find(({ exchange }) => same(exchange, host));
  if (first === undefined) return problem(topic, `Our own host is missing (${found}).`, ...mend);
  return first.preference < there.preference
    ? ok(topic, `Our own host comes first, SES second (${found}).`)
    : problem(topic, `SES comes before our own host (${found}); the lower number is tried first.`, ...mend);
}

async function checkCname(dns: Dns, record: SesRecord): Promise<StatusLine> {
  const asked = await ask(dns, record, 'CNAME');
  if ('failed' in asked) return asked.failed;
  const topic = topicOf(record);
  if (asked.records.some((target) => same(target, record.value))) return ok(topic, 'It is there.');
  const [other] = asked.records;
  return problem(topic, other === undefined ? 'It is missing.' : `It leads to ${other}.`, recordLine(record));
}

/** SES wants exactly one MX record there. */
async function checkMailFromMx(dns: Dns, record: SesRecord): Promise<StatusLine> {
  const asked = await ask(dns, record, 'MX');
  if ('failed' in asked) return asked.failed;
  const topic = topicOf(record);
  const { exchange } = split(record.value);
  const fits = asked.records.some((found) => same(found.exchange, exchange));
  if (fits && asked.records.length === 1) return ok(topic, 'It is there.');
  const found = asked.records.map((mx) => `${mx.preference} ${mx.exchange}`).join(', ');
  if (found === '') return problem(topic, 'It is missing.', recordLine(record));
  return problem(topic, `There is ${found}; SES wants this one alone.`, recordLine(record));
}

/** `mustInclude`: SES sends under this very name, so it must be named. */
async function checkSpf(dns: Dns, record: SesRecord, mustInclude: boolean): Promise<StatusLine> {
  const asked = await ask(dns, record, 'TXT');
  if ('failed' in asked) return asked.failed;
  const topic = topicOf(record);
  const all = asked.records.map(({ text }) => text).filter((text) => /^v=spf1(?: |$)/i.test(text));
  const [spf] = all;
  if (spf === undefined) return problem(topic, 'There is no SPF record.', recordLine(record));
  if (all.length > 1)
    return problem(
      topic,
      `There are ${all.length} SPF records: receivers ignore them all.`,
      `Make one of them: ${recordLine(record)}`,
    );
  const includes = spf.toLowerCase().split(/\s+/).includes('include:amazonses.com');
  if (includes || !mustInclude) return ok(topic, spf);
  return problem(
    topic,
    `It does not let SES send: ${spf}`,
    'Put include:amazonses.com into it, before its last word.',
  );
}

async function checkDmarc(dns: Dns, record: SesRecord): Promise<StatusLine> {
  const asked = await ask(dns, record, 'TXT');
  if ('failed' in asked) return asked.failed;
  const topic = topicOf(record);
  const found = asked.records.map(({ text }) => text).find((text) => text.startsWith('v=DMARC1'));
  return found === undefined
    ? problem(topic, 'There is no DMARC record.', recordLine(record))
    : ok(topic, found);
}
