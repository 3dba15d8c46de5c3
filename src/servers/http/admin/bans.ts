import { z } from 'zod';
import { BANS_MAX } from '../../../data/bans/active.ts';
import { parseNetwork } from '../../../data/bans/networks.ts';
import type { Ban } from '../../../data/bans/types.ts';
import { said } from '../said.ts';
import { waySentences } from '../way-words.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';

const SECOND = 1000;
/** Seconds of the longest ban: 30 days. */
const LONGEST_S = 30 * 86_400;

const network = z.string().min(1).max(100).describe('192.0.2.7, 192.0.2.0/24, 2001:db8::/48');

const ban = z.object({
  /** network: may not log in at all. account: closed to places it does not know. */
  kind: z.enum(['network', 'account']),
  subject: z.string(),
  cause: z.enum(['guessing', 'manual']),
  reason: z.string(),
  /** The same with codes; what an administrator wrote as it is. */
  reasonWords: z.array(said).readonly().optional(),
  /** How many in a row, each twice as long; 0 for one set by hand. */
  offences: z.number(),
  since: z.number(),
  until: z.number(),
});

const exemption = z.object({ network: z.string(), note: z.string(), since: z.number() });

/** The bans that hold, one for each subject. */
async function active({ store, clock, guard }: AdminContext): Promise<Ban[]> {
  // What the guard has just decided is on its way to the store.
  await guard?.settled();
  const all = await store.read.run('bans.after', { after: clock.now(), limit: BANS_MAX });
  const found = new Map<string, Ban>();
  // The one that ends last comes first.
  for (const one of all) {
    const key = `${one.kind} ${one.subject}`;
    if (!found.has(key)) found.set(key, one);
  }
  return [...found.values()].toSorted((a, b) => b.since - a.since);
}

const list = operation({
  method: 'GET',
  path: '/bans',
  summary: 'Who may not log in at present, the newest first',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({ bans: z.array(ban) }),
  async run(context) {
    const bans = await active(context);
    return { bans: bans.map((one) => ({ ...one, reasonWords: waySentences(one.reason) })) };
  },
});

const add = operation({
  method: 'POST',
  path: '/bans',
  summary: 'Let nobody of a network log in for a time',
  access: 'administrator',
  input: z.strictObject({
    network,
    seconds: z.int().min(1).max(LONGEST_S),
    reason: z.string().max(500).default(''),
  }),
  output: z.object({ ban }),
  async run({ store, guard }, { network: name, seconds, reason }, actor) {
    const args = { actor, network: name, forMs: seconds * SECOND, reason };
    const added = await store.write.run('bans.add', args);
    guard?.adopt(added);
    return { ban: added };
  },
});

const lift = operation({
  method: 'DELETE',
  path: '/bans/:subject',
  summary: 'End a ban of a network or an account now; the next one is as short as the first',
  access: 'administrator',
  input: z.strictObject({ subject: z.string().min(1).max(320) }),
  output: z.object({ subject: z.string(), active: z.boolean() }),
  async run({ store, guard }, { subject }, actor) {
    const { kind, name } = subjectOf(subject);
    await guard?.settled();
    const { active: was } = await store.write.run('bans.lift', { actor, kind, subject: name });
    guard?.lifted(kind, name);
    return { subject: name, active: was };
  },
});

/** An address of an account has an @ and a network has none. */
function subjectOf(text: string): Pick<Ban, 'kind'> & { name: string } {
  if (text.includes('@')) return { kind: 'account', name: text.trim().normalize('NFC').toLowerCase() };
  return { kind: 'network', name: parseNetwork(text, true).text };
}

const exemptions = operation({
  method: 'GET',
  path: '/bans/exemptions',
  summary: 'Networks that are never banned',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({ exemptions: z.array(exemption) }),
  async run({ store }) {
    return { exemptions: await store.read.run('bans.exemptions', null) };
  },
});

async function tellGuard({ store, guard }: AdminContext): Promise<void> {
  guard?.useExemptions(await store.read.run('bans.exemptions', null));
}

const exempt = operation({
  method: 'POST',
  path: '/bans/exemptions',
  summary: 'Never ban a network',
  access: 'administrator',
  input: z.strictObject({ network, note: z.string().max(500).default('') }),
  output: z.object({ exemption }),
  async run(context, { network: name, note }, actor) {
    const added = await context.store.write.run('bans.exempt', { actor, network: name, note });
    await tellGuard(context);
    return { exemption: added };
  },
});

const unexempt = operation({
  method: 'DELETE',
  path: '/bans/exemptions/:network',
  summary: 'Let a network be banned again',
  access: 'administrator',
  input: z.strictObject({ network }),
  output: done,
  async run(context, { network: name }, actor) {
    await context.store.write.run('bans.unexempt', { actor, network: name });
    await tellGuard(context);
    return OK;
  },
});

/** `exemptions` first: its path would be a subject of `lift` by name otherwise. */
export const bans = { list, exemptions, exempt, unexempt, add, lift };
