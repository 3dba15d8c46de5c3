import { reverseName } from '../../../net/dns/addresses.ts';
import { quoted, ok, problem, type Topic, unknown } from '../lines.ts';
import type { DoctorLine, World } from '../types.ts';

/** Whether our addresses stand on DNS lists (RFC 5782). A list that does not answer us says nothing. */

/** Always listed (section 5), by which a list shows that it answers us. */
const ALWAYS = '127.0.0.2';
/** Never listed; who lists it, lists everybody. */
const NEVER = '127.0.0.1';

export async function checkLists(world: World): Promise<readonly DoctorLine[]> {
  const { addresses, options } = world;
  const why = 'Hosts that ask the list refuse our mail or put it into Junk.';
  if (addresses.all.length === 0)
    return [
      unknown(
        { check: 'lists', subject: 'DNS lists', why },
        'Our public address is not known.',
        'curl https://icanhazip.com   # on this machine, then look the address up at https://check.spamhaus.org',
      ),
    ];
  const lines = await Promise.all(options.lists.map((zone) => listLines(world, zone, why)));
  return lines.flat();
}

async function listLines(world: World, zone: string, why: string): Promise<DoctorLine[]> {
  const { resolver, addresses, signal } = world;
  const topic: Topic = { check: 'lists', subject: zone, why };
  const health = await healthOf(world, zone);
  const found: DoctorLine[] = [];
  const clean: string[] = [];
  for (const ip of addresses.all) {
    const name = `${labels(ip)}.${zone}`;
    const by = `dig ${name} TXT`;
    const answer = await resolver.query(name, 'A', signal);
    if (answer.status === 'temporary') {
      found.push(unknown(topic, `${ip}: the list did not answer (${answer.reason}).`, by));
      continue;
    }
    const codes = answer.status === 'ok' ? answer.records : [];
    const refusal = codes.find((code) => code.startsWith('127.255.255.') || !code.startsWith('127.'));
    if (refusal !== undefined || health !== undefined) {
      const reason = refusal === undefined ? health : `it answers ${refusal}, which means no`;
      found.push(
        unknown(
          topic,
          `The list does not answer questions of our resolver (${reason}).`,
          zone.endsWith('.spamhaus.org')
            ? `https://check.spamhaus.org/results/?query=${ip}   # in a browser, or: ${by} @RESOLVER, one of your own`
            : `${by} @RESOLVER   # one of your own: lists do not answer the big public ones`,
        ),
      );
      break;
    }
    if (codes.length === 0) {
      clean.push(ip);
      continue;
    }
    const text = await resolver.query(name, 'TXT', signal);
    const reason = text.status === 'ok' ? ` It says ${quoted(text.records[0]?.text ?? '', 200)}.` : '';
    found.push(
      problem(
        topic,
        `${ip} is listed (${codes.join(', ')}).${reason}`,
        'Find out what was sent (postern trace), stop it, then ask the list to remove the address.',
        by,
      ),
    );
  }
  return found.length > 0
    ? found
    : [ok(topic, `${clean.join(', ')} ${clean.length === 1 ? 'is' : 'are'} not listed.`)];
}

/** The labels of an address in front of a list's zone (RFC 5782 section 2.1 and 2.4). */
function labels(ip: string): string {
  return (reverseName(ip) ?? ip).replace(/\.(?:in-addr|ip6)\.arpa$/, '');
}

/** Why nothing the list says counts; undefined when it does. */
async function healthOf({ resolver, signal }: World, zone: string): Promise<string | undefined> {
  const [always, never] = await Promise.all([
    resolver.query(`${labels(ALWAYS)}.${zone}`, 'A', signal),
    resolver.query(`${labels(NEVER)}.${zone}`, 'A', signal),
  ]);
  if (always.status === 'temporary') return always.reason;
  if (always.status !== 'ok') return 'its test entry is missing';
  if (never.status === 'ok') return 'it lists everybody';
  return undefined;
}
