import { isIP } from 'node:net';
import { domainRecords, mailHosts } from '../../../mail/dns-records.ts';
import type { MxRecord } from '../../../mail/dns.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import { ok, problem, recordsAt, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';

/** Where mail for a domain goes. */

export async function checkMx(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const topic: Topic = {
    check: 'mx',
    domain: domain.name,
    subject: domain.name,
    why: 'Mail for the domain goes to the hosts that it names.',
  };
  const seen = await world.zones.look(domain.name, 'MX');
  const mend = recordsAt(domainRecords(domain.records), domain.name, 'MX');
  if (seen.status === 'unknown')
    return [unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${domain.name} MX`)];
  const records = seen.status === 'ok' ? seen.records.toSorted((a, b) => a.preference - b.preference) : [];
  const made =
    judge(topic, records, mailHosts(domain.records), mend) ?? (await hostLine(world, topic, records, mend));
  return [withSeen(made, seen)];
}

function judge(
  topic: Topic,
  records: readonly MxRecord[],
  wanted: readonly string[],
  mend: readonly string[],
): DoctorLine | undefined {
  const found = records.map(({ preference, exchange }) => `${preference} ${exchange || '.'}`).join(', ');
  if (records.length === 0) return problem(topic, 'There is no MX record.', ...mend);
  if (records.some(({ exchange }) => exchange === ''))
    return problem(topic, 'It says that the domain takes no mail (null MX).', ...mend);
  const address = records.find(({ exchange }) => isIP(exchange) !== 0);
  if (address !== undefined)
    return problem(
      topic,
      `It names an address, ${address.exchange}, where a host name has to stand.`,
      ...mend,
    );
  const here = (exchange: string): boolean => wanted.includes(exchange.toLowerCase());
  const missing = wanted.filter((host) => !records.some(({ exchange }) => exchange.toLowerCase() === host));
  if (missing.length > 0)
    return problem(topic, `It leads to ${found}, not to ${missing.join(' and ')}.`, ...mend);
  const [first] = records;
  const others = records.filter(({ exchange }) => !here(exchange));
  if (first !== undefined && others.includes(first))
    return warning(
      topic,
      `Another host comes before ours (${found}): the lower number is tried first.`,
      ...mend,
    );
  const ours = wanted.map(
    (host) => records.find(({ exchange }) => exchange.toLowerCase() === host)?.preference ?? 0,
  );
  if (ours.some((preference, i) => i > 0 && preference <= (ours[i - 1] ?? 0)))
    return problem(
      topic,
      `The order is wrong (${found}): our own host has to have the lower number.`,
      ...mend,
    );
  if (others.length > 0)
    return warning(
      topic,
      `Other hosts take mail of the domain too (${found}): what they do not pass on is not here, and spammers go there.`,
      'Remove their MX records unless you know why they are there.',
    );
  return undefined;
}

/** That the hosts can be reached by their names. */
async function hostLine(
  { resolver, signal }: World,
  topic: Topic,
  records: readonly MxRecord[],
  mend: readonly string[],
): Promise<DoctorLine> {
  const found = records.map(({ preference, exchange }) => `${preference} ${exchange}`).join(', ');
  for (const { exchange } of records) {
    const alias = await resolver.query(exchange, 'CNAME', signal);
    if (alias.status === 'ok')
      return warning(
        topic,
        `${exchange} is an alias (CNAME) of ${alias.records[0] ?? ''}, which RFC 5321 forbids for MX hosts: some do not deliver.`,
        `Give ${exchange} A and AAAA records in place of the CNAME.`,
      );
    const addresses = await lookupAddresses(resolver, exchange, signal);
    if (addresses.status === 'temporary')
      return unknown(
        topic,
        `DNS did not say where ${exchange} is (${addresses.reason}).`,
        `dig ${exchange} A`,
      );
    if (addresses.status === 'none')
      return problem(topic, `${exchange} has no address.`, ...mend, `dig ${exchange} A`);
  }
  return ok(topic, `It leads to ${found}.`);
}
