import { lookUpKey } from '../../../mail/dkim/keys.ts';
import { recordsOfKey } from './dkim-record.ts';
import { ok, problem, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorDomain, DoctorKey, DoctorLine, World } from '../types.ts';
import type { Seen } from '../zones.ts';

/** The published keys against ours. */

export async function checkDkim(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const active = domain.keys.filter(({ state }) => state === 'active');
  if (active.length === 0) {
    const topic: Topic = {
      check: 'dkim',
      domain: domain.name,
      subject: domain.name,
      why: 'Big providers refuse mail that is not signed.',
    };
    return [problem(topic, 'There is no key to sign with.', `postern dkim add ${domain.name}`)];
  }
  const lines = await Promise.all(
    domain.keys.map((key) => {
      switch (key.state) {
        case 'active':
          return activeLine(world, domain, key);
        case 'pending':
          return pendingLine(world, domain, key);
        case 'retired':
          return retiredLine(world, domain, key);
        case 'revoked':
          return revokedLine(world, domain, key);
      }
    }),
  );
  return lines.filter((line) => line !== undefined);
}

function topicOf(domain: DoctorDomain, key: DoctorKey, why: string): Topic {
  const subject = `${key.selector}._domainkey.${domain.name}`;
  return { check: 'dkim', domain: domain.name, subject, why };
}

/** Records with a `p=`, white space out. */
function published(seen: Seen<'TXT'>): { text: string; key: string; testing: boolean }[] {
  if (seen.status !== 'ok') return [];
  return seen.records.flatMap(({ text }) => {
    const key = /(?:^|;)\s*p\s*=([^;]{0,4000})/.exec(text)?.[1];
    if (key === undefined) return [];
    return [{ text, key: key.replaceAll(/\s/g, ''), testing: /(?:^|;)\s*t\s*=[^;]{0,50}y/.test(text) }];
  });
}

async function activeLine(world: World, domain: DoctorDomain, key: DoctorKey): Promise<DoctorLine> {
  const topic = topicOf(
    domain,
    key,
    'Our signatures cannot be verified without it, and mail of ours is distrusted.',
  );
  const seen = await world.zones.look(topic.subject, 'TXT');
  const mend = recordsOfKey(domain.name, key);
  if (seen.status === 'unknown')
    return unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${topic.subject} TXT`);
  const found = published(seen);
  const [only] = found;
  if (only === undefined) {
    const text = seen.status === 'ok' ? seen.records[0]?.text : undefined;
    return withSeen(
      problem(
        topic,
        text === undefined ? 'The key is not published.' : 'The record there is no key.',
        ...mend,
      ),
      seen,
    );
  }
  if (found.length > 1)
    return problem(topic, `There are ${found.length} keys at the name; receivers take any one.`, ...mend);
  if (only.key === '')
    return problem(topic, 'The published key is revoked (p= is empty), but we sign with it.', ...mend);
  if (only.key !== key.publicKey)
    return problem(
      topic,
      `The published key (${only.key.slice(0, 16)}...) is not the one we sign with (${key.publicKey.slice(0, 16)}...).`,
      ...mend,
    );
  // What receivers check beyond the key itself: version, key type, hashes, services.
  const usable = await lookUpKey(world.resolver, domain.name, key.selector, key.algorithm, world.signal);
  if (usable.status === 'permerror' && seen.trouble === undefined)
    return problem(topic, `Receivers cannot use the record: ${usable.reason}.`, ...mend);
  if (only.testing)
    return warning(topic, 'It is ours, but the record says that we are only testing (t=y).', ...mend);
  return withSeen(ok(topic, 'The published key is ours.'), seen);
}

async function pendingLine(world: World, domain: DoctorDomain, key: DoctorKey): Promise<DoctorLine> {
  const topic = topicOf(domain, key, 'The next key is used once its record is seen.');
  const seen = await world.zones.look(topic.subject, 'TXT');
  if (seen.status === 'unknown')
    return unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${topic.subject} TXT`);
  if (published(seen).some(({ key: text }) => text === key.publicKey))
    return ok(topic, 'The next key is published; it will be used soon.');
  return warning(topic, 'The next key waits for its record.', ...recordsOfKey(domain.name, key));
}

async function retiredLine(
  world: World,
  domain: DoctorDomain,
  key: DoctorKey,
): Promise<DoctorLine | undefined> {
  const topic = topicOf(domain, key, 'Mail that was signed before the key was changed is still on its way.');
  const seen = await world.zones.look(topic.subject, 'TXT');
  if (seen.status === 'unknown' || published(seen).some(({ key: text }) => text === key.publicKey))
    return undefined;
  return warning(
    topic,
    'The record of the key before was taken away too early.',
    ...recordsOfKey(domain.name, key),
  );
}

async function revokedLine(
  world: World,
  domain: DoctorDomain,
  key: DoctorKey,
): Promise<DoctorLine | undefined> {
  const topic = topicOf(
    domain,
    key,
    'Whoever has the old key could sign as the domain while it is published.',
  );
  const seen = await world.zones.look(topic.subject, 'TXT');
  if (!published(seen).some(({ key: text }) => text !== '')) return undefined;
  return warning(topic, 'An old key is still published.', ...recordsOfKey(domain.name, key));
}
