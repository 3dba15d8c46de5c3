import { z } from 'zod';
import type { Store } from '../../../data/store.ts';
import type { AdminContext } from './operation.ts';

/** How far the setting up of a server has come: what is there is looked at, what was tried or left out is remembered. */

export const STEPS = ['domain', 'dns', 'certificate', 'account', 'send', 'receive', 'backup'] as const;
export type StepId = (typeof STEPS)[number];

const SETTING = 'setup';

export const probe = z.object({
  id: z.string(),
  kind: z.enum(['send', 'expect']),
  at: z.number(),
  address: z.string(),
  to: z.string(),
  subject: z.string(),
  /** Of a message that was sent. */
  trace: z.string().optional(),
  arrivedAt: z.number().optional(),
});
export type Probe = z.output<typeof probe>;

const kept = z.object({
  /** Steps that somebody wants to leave out. */
  skipped: z.array(z.enum(STEPS)).catch([]).default([]),
  /** When mail was last seen to go out and to come in. */
  sentAt: z.number().optional(),
  receivedAt: z.number().optional(),
  /** When DNS was last found to be right, and for which domain. */
  dnsAt: z.number().optional(),
  probes: z.array(probe).catch([]).default([]),
});
export type Kept = z.output<typeof kept>;

/** Probes that are remembered. */
export const PROBES_MAX = 20;

export async function readSetup({ read }: Pick<Store, 'read'>): Promise<Kept> {
  return keptOf(await read.run('directory.setting', { name: SETTING }));
}

function keptOf(json: string | undefined): Kept {
  const parsed = kept.safeParse(json === undefined ? {} : JSON.parse(json));
  return parsed.success ? parsed.data : kept.parse({});
}

/**
 * Change what is remembered. No audit: nothing of the server is changed by it. Whoever else changes it meanwhile (DNS is
 * asked for seconds while test messages begin) loses nothing: then `change` is called again, with what stands now.
 */
export async function saveSetup(
  { read, write }: Pick<Store, 'read' | 'write'>,
  change: (before: Kept) => Kept,
): Promise<Kept> {
  for (;;) {
    const before = await read.run('directory.setting', { name: SETTING });
    const next = change(keptOf(before));
    const value = JSON.stringify(next);
    if (value === before) return next;
    if (await write.run('directory.changeSetting', { name: SETTING, before, value })) return next;
  }
}

export interface SetupState {
  readonly firstRun: boolean;
  readonly complete: boolean;
  readonly open: number;
  readonly kept: Kept;
  readonly done: ReadonlySet<StepId>;
}

/** Without asking DNS: the last answer counts. */
export async function setupState({ store, facts, backups }: AdminContext): Promise<SetupState> {
  const [remembered, domains, accounts] = await Promise.all([
    readSetup(store),
    store.read.run('directory.domains', null),
    store.read.run('directory.accounts', {}),
  ]);
  const done = new Set<StepId>();
  if (domains.length > 0) done.add('domain');
  if (remembered.dnsAt !== undefined) done.add('dns');
  if (facts.certificates().some(({ names }) => names.includes(facts.hostname))) done.add('certificate');
  if (accounts.some(({ shared }) => !shared)) done.add('account');
  if (remembered.sentAt !== undefined) done.add('send');
  if (remembered.receivedAt !== undefined) done.add('receive');
  if (backups !== undefined && (await backups.state()).success !== undefined) done.add('backup');
  const left = STEPS.filter((step) => !done.has(step) && !remembered.skipped.includes(step));
  return {
    firstRun: domains.length === 0,
    complete: left.length === 0,
    open: left.length,
    kept: remembered,
    done,
  };
}
