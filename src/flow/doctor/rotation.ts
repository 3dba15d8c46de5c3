import type { Clock } from '../../base/clock.ts';
import type { Actor, DkimKey } from '../../data/directory/types.ts';
import type { Store } from '../../data/store.ts';
import { lookUpKey } from '../../mail/dkim/keys.ts';
import type { Dns } from '../../mail/dns.ts';
import { publishedKey } from './checks/dmarc.ts';

/**
 * Changing the keys of a domain without a moment in which signatures cannot be verified: the next keys are made, used
 * once all of them are seen in DNS, and the old ones stay published until what they signed has arrived; then they are
 * revoked.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Milliseconds that the next keys must have been there: resolvers keep "there is none" for a while (RFC 2308). */
const PUBLISHED_MS = HOUR_MS;
/** Mail is tried for five days, and then some is forwarded or looked at again. */
const RETIRED_MS = 14 * DAY_MS;
/** Days that the revoked record is asked for. */
const REVOKED_MS = 30 * DAY_MS;

export type RotationStep =
  | { readonly kind: 'begun'; readonly selectors: readonly string[] }
  | { readonly kind: 'waiting'; readonly selectors: readonly string[]; readonly reason: string }
  | { readonly kind: 'changed'; readonly selectors: readonly string[] }
  | { readonly kind: 'revoked'; readonly selectors: readonly string[] }
  | { readonly kind: 'forgotten'; readonly selectors: readonly string[] }
  | { readonly kind: 'nothing' };

export interface RotationParts {
  readonly store: Pick<Store, 'read' | 'write'>;
  readonly clock: Clock;
  readonly dns: Dns | undefined;
  /** Makes keys that do not sign yet. */
  readonly makeKeys: (domain: string) => Promise<readonly Pick<DkimKey, 'selector'>[]>;
  readonly actor: Actor;
}

/** The next step for a domain. `begin`: change the keys, unless that is under way; else only what was begun goes on. */
export async function rotateStep(
  parts: RotationParts,
  domain: string,
  options: { readonly begin: boolean; readonly rotateDays: number; readonly atOnce?: boolean },
): Promise<RotationStep> {
  const { store, clock } = parts;
  const keys = await store.read.run('directory.dkimKeys', { domain });
  const times = await store.read.run('directory.dkimTimes', { domain });
  const now = clock.now();
  const age = ({ selector }: DkimKey): number =>
    now - (times.find((one) => one.selector === selector)?.changedAt ?? now);
  const pending = keys.filter(({ state }) => state === 'pending');
  if (pending.length > 0)
    return activate(
      parts,
      domain,
      keys,
      pending,
      options.atOnce === true || pending.every((key) => age(key) >= PUBLISHED_MS),
    );
  const active = keys.filter(({ state }) => state === 'active');
  const due =
    options.rotateDays > 0 &&
    active.length > 0 &&
    active.every((key) => age(key) >= options.rotateDays * DAY_MS);
  if (options.begin || due) {
    const made = await parts.makeKeys(domain);
    return { kind: 'begun', selectors: made.map(({ selector }) => selector) };
  }
  const old = keys.filter((key) => key.state === 'retired' && age(key) >= RETIRED_MS);
  if (old.length > 0) return move(parts, domain, old, 'revoked', 'revoked');
  const gone = keys.filter((key) => key.state === 'revoked' && age(key) >= REVOKED_MS);
  if (gone.length > 0) return move(parts, domain, gone, 'gone', 'forgotten');
  return { kind: 'nothing' };
}

async function activate(
  { store, dns, actor }: RotationParts,
  domain: string,
  keys: readonly DkimKey[],
  pending: readonly DkimKey[],
  longEnough: boolean,
): Promise<RotationStep> {
  const selectors = pending.map(({ selector }) => selector);
  const missing: string[] = [];
  for (const key of pending)
    if (!(await isPublished(dns, domain, key))) missing.push(`${key.selector}._domainkey.${domain}`);
  if (missing.length > 0)
    return { kind: 'waiting', selectors, reason: `not seen in DNS yet: ${missing.join(', ')}` };
  if (!longEnough)
    return { kind: 'waiting', selectors, reason: 'seen in DNS; used when the records are an hour old' };
  const active = keys.filter(({ state }) => state === 'active');
  const changes = [
    ...pending.map(({ selector }) => ({ selector, state: 'active' as const })),
    ...active.map(({ selector }) => ({ selector, state: 'retired' as const })),
  ];
  await store.write.run('directory.changeDkimKeys', { actor, domain, changes });
  return { kind: 'changed', selectors };
}

async function isPublished(dns: Dns | undefined, domain: string, key: DkimKey): Promise<boolean> {
  if (dns === undefined) return false;
  const found = await lookUpKey(dns, domain, key.selector, key.algorithm);
  return (
    found.status === 'ok' && (await publishedKey({ resolver: dns }, domain, key.selector)) === key.publicKey
  );
}

async function move(
  { store, actor }: RotationParts,
  domain: string,
  keys: readonly DkimKey[],
  state: 'revoked' | 'gone',
  kind: 'revoked' | 'forgotten',
): Promise<RotationStep> {
  const selectors = keys.map(({ selector }) => selector);
  const changes = selectors.map((selector) => ({ selector, state }));
  await store.write.run('directory.changeDkimKeys', { actor, domain, changes });
  return { kind, selectors };
}
