import type { ResolvedTarget, Resolution } from '../../data/directory/types.ts';
import { type EnvelopeAddress, formatAddress } from '../../mail/address/path.ts';
import type { FlowDeps } from '../deps.ts';
import { replies } from '../replies.ts';
import type { LookupAnswer } from './lookup.ts';

/**
 * Where the tables say that mail for an address goes: 'unknown' when they say nothing, or name nobody who is here.
 * Throws 451 4.3.0 when a table cannot be asked: the sender keeps the mail until it can.
 */
export async function resolveByTables(
  deps: FlowDeps,
  address: EnvelopeAddress,
  size: number,
): Promise<Resolution> {
  const { lookup, logger } = deps;
  if (lookup === undefined) return { status: 'unknown' };
  const answer = await lookup.ask('recipients', address);
  if (answer.status === 'none') return { status: 'unknown' };
  if (answer.status === 'unavailable') throw replies.lookupUnavailable();
  const found = await targetsOf(deps, address, answer, size);
  if (found.status === 'unknown') {
    const { table, result } = answer;
    logger.warn(
      { table, address: formatAddress(address), result },
      'lookup: the table names nobody who is here',
    );
  }
  return found;
}

/** Every user that is named, once; names that lead nowhere are left out as long as one does not. */
async function targetsOf(
  deps: FlowDeps,
  address: EnvelopeAddress,
  { users }: LookupAnswer & { status: 'found' },
  size: number,
): Promise<Resolution> {
  const via = formatAddress(address);
  const targets = new Map<string, ResolvedTarget>();
  for (const user of users) {
    const found = await directoryOf(deps, user, size);
    if (found.status === 'loop') return found;
    if (found.status === 'not-local') {
      const elsewhere = formatAddress(user);
      targets.set(`external ${elsewhere.toLowerCase()}`, {
        kind: 'external',
        address: elsewhere,
        via: [via],
      });
    }
    if (found.status !== 'ok') continue;
    for (const target of found.targets) {
      const key =
        target.kind === 'account'
          ? `account ${target.accountId}`
          : `external ${target.address.toLowerCase()}`;
      if (!targets.has(key)) targets.set(key, { ...target, via: [via, ...target.via] });
    }
  }
  return targets.size === 0 ? { status: 'unknown' } : { status: 'ok', targets: [...targets.values()] };
}

/** Accounts and aliases alone: a table's result is meant for somebody, not for a catch-all. */
function directoryOf(deps: FlowDeps, user: EnvelopeAddress, size: number): Promise<Resolution> {
  const { delimiter } = deps.settings;
  return deps.store.read.run('directory.resolve', { ...user, delimiter, size, own: true });
}

/** Whether the tables say that an account may use an address; undefined where the directory decides. */
export async function tableOwner(
  deps: FlowDeps,
  accountId: number,
  address: EnvelopeAddress,
): Promise<{ readonly owns: boolean; readonly only: boolean } | undefined> {
  const { lookup } = deps;
  const mode = await lookup?.mode('sender_login', address.domain);
  if (lookup === undefined || mode === undefined) return undefined;
  const only = mode === 'only';
  const answer = await lookup.ask('sender_login', address);
  if (answer.status === 'unavailable') throw replies.lookupUnavailable();
  if (answer.status === 'none') return { owns: false, only };
  for (const user of answer.users) {
    const found = await directoryOf(deps, user, 0);
    if (found.status !== 'ok') continue;
    // Of an alias for several nobody speaks in the name of all; a table that lists several means each of them.
    const [target, ...others] = found.targets;
    if (others.length === 0 && target?.kind === 'account' && target.accountId === accountId)
      return { owns: true, only };
  }
  return { owns: false, only };
}
