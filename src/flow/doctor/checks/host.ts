import { checkReverse } from '../../../mail/iprev.ts';
import { zoneLine } from '../../../mail/dns-records.ts';
import { reverseName } from '../../../net/dns/addresses.ts';
import { canonicalAddress } from '../../../net/ip.ts';
import { isIP } from 'node:net';
import { ok, problem, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorLine, World } from '../types.ts';

/** The name and the addresses of the host, both ways. */

/** Names that no host on the Internet can have (RFC 6761, RFC 6762, RFC 8375, RFC 2606). */
const NOT_PUBLIC = /(?:^|\.)(?:localhost|local|localdomain|internal|lan|home|arpa|invalid|example)$/i;

/** Others are not worth asking DNS about. */
export function isFullName(name: string): boolean {
  return name.includes('.') && !NOT_PUBLIC.test(name) && isIP(name) === 0;
}

export async function checkName({ facts }: World): Promise<readonly DoctorLine[]> {
  const topic: Topic = {
    check: 'name',
    subject: facts.hostname,
    why: 'We introduce ourselves by this name; many hosts refuse one that is no full name.',
  };
  const mend = 'Set hostname = "mail.YOUR-DOMAIN" in the configuration file and restart.';
  if (!isFullName(facts.hostname))
    return [problem(topic, `${facts.hostname} is no name that the Internet knows.`, mend)];
  return [ok(topic, 'It is a full name.')];
}

/** A and AAAA of our name against the addresses we have. */
export async function checkAddress(world: World): Promise<readonly DoctorLine[]> {
  const { facts, zones, addresses } = world;
  if (!isFullName(facts.hostname)) return [];
  const lines: DoctorLine[] = [];
  const found: string[] = [];
  for (const type of ['A', 'AAAA'] as const) {
    const topic: Topic = {
      check: 'address',
      subject: `${facts.hostname} ${type}`,
      why: 'Hosts and mail programs find us by it.',
    };
    const seen = await zones.look(facts.hostname, type);
    if (seen.status === 'unknown') {
      lines.push(
        unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${facts.hostname} ${type} +trace`),
      );
      continue;
    }
    const listed =
      seen.status === 'ok' ? seen.records.map((address) => canonicalAddress(address) ?? address) : [];
    found.push(...listed);
    const ours = addresses.all.filter((address) => (isIP(address) === 4) === (type === 'A'));
    lines.push(withSeen(addressLine(world, topic, type, listed, ours), seen));
  }
  const silent = lines.every(({ state }) => state === 'ok') && found.length === 0;
  if (!silent) return lines.filter(({ found: text }) => text !== NEITHER);
  const topic: Topic = {
    check: 'address',
    subject: facts.hostname,
    why: 'Hosts and mail programs find us by it.',
  };
  return [problem(topic, 'The name has no address.', `${facts.hostname}. 3600 IN A YOUR-ADDRESS`)];
}

const NEITHER = 'There is no such record, and we have no such address.';

function addressLine(
  { facts, addresses }: World,
  topic: Topic,
  type: 'A' | 'AAAA',
  listed: readonly string[],
  ours: readonly string[],
): DoctorLine {
  const mend = ours.map((address) => zoneLine({ name: facts.hostname, type, value: address }));
  if (!addresses.certain) {
    if (listed.length === 0) return ok(topic, NEITHER);
    return unknown(
      topic,
      `It leads to ${listed.join(', ')}. Whether that is us cannot be seen from here: this machine has private addresses only.`,
      `curl -${type === 'A' ? '4' : '6'} https://icanhazip.com   # on this machine; shows the address we are seen with`,
      `postern doctor set addresses '["${listed[0]}"]'   # when it is that one`,
    );
  }
  if (listed.length === 0 && ours.length === 0) return ok(topic, NEITHER);
  if (listed.length === 0)
    return type === 'A'
      ? problem(topic, `There is no A record, but we have ${ours.join(', ')}.`, ...mend)
      : warning(topic, `There is no AAAA record, but we have ${ours.join(', ')} and send from it.`, ...mend);
  const foreign = listed.filter((address) => !ours.includes(address));
  if (foreign.length > 0)
    return problem(
      topic,
      `It leads to ${foreign.join(', ')}, which is not an address of this machine (${ours.join(', ') || 'none of this kind'}).`,
      ...mend,
    );
  const missing = ours.filter((address) => !listed.includes(address));
  if (missing.length > 0)
    return warning(topic, `It leads to ${listed.join(', ')}, but not to ${missing.join(', ')}.`, ...mend);
  return ok(topic, `It leads to ${listed.join(', ')}.`);
}

/** PTR of each of our addresses, and back. */
export async function checkReverseNames(world: World): Promise<readonly DoctorLine[]> {
  const { facts, resolver, addresses, signal } = world;
  if (addresses.all.length === 0) {
    const topic: Topic = {
      check: 'reverse',
      subject: 'reverse name',
      why: 'Big providers refuse mail from an address without a matching name.',
    };
    return [
      unknown(
        topic,
        'Our public address is not known.',
        'curl https://icanhazip.com   # on this machine, then: dig -x ADDRESS',
      ),
    ];
  }
  return Promise.all(
    addresses.all.map(async (ip) => {
      const topic: Topic = {
        check: 'reverse',
        subject: ip,
        why: 'Big providers refuse mail from an address without a name that leads back to it.',
      };
      const result = await checkReverse({ ip, dns: resolver, signal });
      const mend = [
        `${reverseName(ip) ?? ip}. 3600 IN PTR ${facts.hostname}.   # at the provider of the address, under "reverse DNS"`,
      ];
      switch (result.result) {
        case 'temperror':
          return unknown(topic, `DNS did not answer: ${result.reason}.`, `dig -x ${ip}`);
        case 'permerror':
          return problem(topic, 'The address has no name (no PTR record).', ...mend);
        case 'fail':
          return problem(
            topic,
            `Its name is ${result.claimed.join(', ')}, which does not lead back to it.`,
            ...mend,
          );
        case 'pass':
          break;
      }
      const own = facts.hostname.toLowerCase();
      if (!result.claimed.includes(own))
        return warning(
          topic,
          `Its name is ${result.name ?? ''}, and back, but we call ourselves ${own}: some hosts want both to be the same.`,
          ...mend,
        );
      if (result.name !== own && result.claimed.length > 1)
        return warning(topic, `It has several names (${result.claimed.join(', ')}).`, ...mend);
      return ok(topic, `It is ${own}, and back.`);
    }),
  );
}
