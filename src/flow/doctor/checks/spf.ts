import { txtStrings } from '../../../mail/dns-records.ts';
import { checkHost, SPF_LIMITS } from '../../../mail/spf/check.ts';
import type { Dns } from '../../../mail/dns.ts';
import { ok, problem, quoted, recordsAt, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';
import { domainRecords } from '../../../mail/dns-records.ts';
import { isFullName } from './host.ts';
import type { Seen } from '../zones.ts';

/** SPF as receivers evaluate it, for every address we send from: how a record is written does not matter. */

/** Addresses that are nobody's (RFC 5737, RFC 3849): what lets them pass lets everybody pass. */
const NOBODY = { 4: ['192.0.2.77', '203.0.113.77'], 6: ['2001:db8::77'] } as const;
/** Terms that ask DNS from which it is close to the limit. */
const MANY_LOOKUPS = 9;

export async function checkDomainSpf(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const records = domainRecords(domain.records);
  const topic = {
    check: 'spf',
    domain: domain.name,
    why: 'Receivers refuse or distrust mail of the domain from addresses that it does not name.',
  } as const;
  return spfLines(world, { ...topic, subject: domain.name }, recordsAt(records, domain.name, 'TXT'));
}

/** Notifications have no reverse-path: the name of the host is checked (RFC 7208 section 2.4). */
export async function checkHelloSpf(world: World): Promise<readonly DoctorLine[]> {
  const { hostname, domains } = world.facts;
  // A domain that is the host is checked as such.
  if (!isFullName(hostname) || domains.some(({ name }) => name === hostname)) return [];
  const topic: Topic = {
    check: 'hello-spf',
    subject: hostname,
    why: 'Bounces and other notifications are checked by the name of the host.',
  };
  const lines = await spfLines(world, topic, [`${hostname}. 3600 IN TXT "v=spf1 a -all"`], true);
  return lines.map((line) =>
    line.state === 'problem' && line.found.startsWith('There is no') ? { ...line, state: 'warning' } : line,
  );
}

async function spfLines(
  world: World,
  topic: Topic,
  mend: readonly string[],
  helloOnly = false,
): Promise<DoctorLine[]> {
  const { addresses, zones } = world;
  const { subject: name } = topic;
  const seen = await zones.look(name, 'TXT');
  if (seen.status === 'unknown')
    return [unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${name} TXT`)];
  const all = texts(seen).filter((text) => /^v=spf1(?: |$)/i.test(text));
  const [record] = all;
  if (record === undefined) return [withSeen(problem(topic, 'There is no SPF record.', ...mend), seen)];
  if (all.length > 1)
    return [
      problem(
        topic,
        `There are ${all.length} SPF records, so receivers use none: ${all.map((text) => quoted(text)).join(' and ')}.`,
        'Make one record of them, and remove the others.',
      ),
    ];
  const open = await opensToAll(world, name, helloOnly);
  if (open !== undefined)
    return [
      problem(
        topic,
        `It lets everybody send as the domain: ${open} passes as well (${quoted(record)}).`,
        ...mend,
      ),
    ];
  if (addresses.all.length === 0)
    return [
      unknown(
        topic,
        `Our address is not known, so nobody can say whether it passes: ${quoted(record)}.`,
        'curl https://icanhazip.com   # on this machine; then: postern doctor set addresses \'["ADDRESS"]\'',
      ),
    ];
  if (!world.facts.sendsDirectly)
    return [withSeen(ok(topic, `${quoted(record)} (our mail leaves through others).`), seen)];
  const lines = await Promise.all(
    addresses.all.map((ip) => addressLine(world, topic, { ip, name, record, helloOnly, mend })),
  );
  return joined(topic, lines, record).map((line) => withSeen(line, seen));
}

function texts(seen: Seen<'TXT'>): string[] {
  return seen.status === 'ok' ? seen.records.map(({ text }) => text) : [];
}

interface One {
  readonly ip: string;
  readonly name: string;
  readonly record: string;
  readonly helloOnly: boolean;
  readonly mend: readonly string[];
}

async function evaluate(
  { resolver, clock, facts, signal }: World,
  dns: Dns | undefined,
  ip: string,
  name: string,
  helloOnly: boolean,
): ReturnType<typeof checkHost> {
  return checkHost({
    ip,
    helo: helloOnly ? name : facts.hostname,
    mailFrom: helloOnly ? '' : `postmaster@${name}`,
    dns: dns ?? resolver,
    nowMs: clock.now(),
    receiver: facts.hostname,
    signal,
  });
}

async function opensToAll(world: World, name: string, helloOnly: boolean): Promise<string | undefined> {
  for (const ip of [...NOBODY[4], ...NOBODY[6]]) {
    const { result } = await evaluate(world, undefined, ip, name, helloOnly);
    if (result === 'pass' && !world.addresses.all.includes(ip)) return ip;
  }
  return undefined;
}

async function addressLine(
  world: World,
  topic: Topic,
  { ip, name, record, helloOnly, mend }: One,
): Promise<DoctorLine> {
  const { result, reason, lookups } = await evaluate(world, undefined, ip, name, helloOnly);
  const family = ip.includes(':') ? 'ip6' : 'ip4';
  const add = `Put ${family}:${ip} into the record, before its last word: ${quoted(insert(record, `${family}:${ip}`))}`;
  const known = world.addresses.certain ? '' : ' (as DNS knows our address)';
  switch (result) {
    case 'pass':
      return lookups >= MANY_LOOKUPS
        ? warning(
            topic,
            `${ip} passes, with ${lookups} of at most ${SPF_LIMITS.lookups} lookups: one more and receivers ignore the record.`,
            'Replace include: by the addresses behind it where they do not change.',
          )
        : ok(topic, `${ip} passes${known}.`);
    case 'fail':
    case 'softfail':
      return problem(topic, `${ip} is not allowed to send (${result}, ${reason}): ${quoted(record)}.`, add);
    case 'neutral':
      return problem(topic, `It does not say whether ${ip} may send (${reason}): ${quoted(record)}.`, add);
    case 'temperror':
      return unknown(topic, `It could not be evaluated for ${ip}: ${reason}.`, `dig ${name} TXT`);
    case 'permerror':
      return problem(topic, `Receivers cannot use it: ${reason}. It is ${quoted(record)}.`, ...mend);
    case 'none':
      return problem(topic, 'The resolver does not see the record yet.', `dig ${name} TXT`);
  }
}

/** A record with a term put before its last one, when that is "all". */
function insert(record: string, term: string): string {
  const all = /\s([-~?+]?all)\s*$/i.exec(record);
  return all === null
    ? `${record.trimEnd()} ${term}`
    : `${record.slice(0, all.index)} ${term} ${all[1] ?? ''}`;
}

/** One line for all addresses that pass, one for each that does not; and how the record ends. */
function joined(topic: Topic, lines: readonly DoctorLine[], record: string): DoctorLine[] {
  const good = lines.filter(({ state }) => state === 'ok');
  const rest = lines.filter(({ state }) => state !== 'ok');
  if (rest.length > 0) return rest;
  const found = good.map((line) => line.found).join(' ');
  const last = record.trim().split(/\s+/).at(-1)?.toLowerCase() ?? '';
  if (!/^(?:[-~]all|redirect=.*)$/.test(last))
    return [
      warning(
        topic,
        `${found} But the record does not say what others may not do: it ends in ${quoted(last, 60)}, not in "-all" or "~all".`,
        `${topic.subject}. 3600 IN TXT ${txtStrings(`${record.trim().replace(/\s[?+]?all$/i, '')} -all`)
          .map((text) => `"${text}"`)
          .join(' ')}`,
      ),
    ];
  return [ok(topic, found)];
}
