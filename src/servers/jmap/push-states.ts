import { randomToken } from '../../base/ids.ts';
import type { Store } from '../../data/store.ts';
import { formatState } from './state.ts';
import { accountText, allViews } from './view.ts';
import { vacationState } from './methods/vacation.ts';
import { identityState } from './methods/identity.ts';
import { quotaState } from './methods/quota.ts';
import { scriptState } from './methods/sieve.ts';
import { submissionState } from './methods/submission-object.ts';

/** Types whose states are told (RFC 8620 section 7.1). */
export const PUSHED_TYPES: readonly string[] = [
  'Mailbox',
  'Thread',
  'Email',
  // RFC 8621 section 1.5: it has no objects and no methods, and says that there is new mail.
  'EmailDelivery',
  'Identity',
  'EmailSubmission',
  'VacationResponse',
  'SieveScript',
  // RFC 9425 section 6.
  'Quota',
];

const caches = new WeakMap<object, string>();

/** Names a store, for what its reads keep. */
function cacheOf(read: object): string {
  const cache = caches.get(read) ?? randomToken(12);
  caches.set(read, cache);
  return cache;
}

export type States = Record<string, Record<string, string>>;

/** What everything an account may see is at, by account and type. */
export async function currentStates(
  options: { readonly store: Pick<Store, 'read'> },
  login: { readonly accountId: number },
  types: ReadonlySet<string>,
): Promise<{ readonly states: States; readonly accounts: readonly number[] }> {
  const { read } = options.store;
  const states: States = {};
  const views = await allViews(read, login.accountId);
  for (const view of views) {
    const { seq } = await read.run('jmap.state', { accountId: view.accountId });
    const mail = formatState(view, { seq });
    const all: Record<string, string> = { Mailbox: mail, Thread: mail, Email: mail };
    if (types.has('EmailDelivery')) {
      const { accountId, visible } = view;
      const newest = await read.run('jmap.newestEmail', { cache: cacheOf(read), accountId, visible });
      all['EmailDelivery'] = formatState(view, { seq: newest.id });
    }
    if (view.own) {
      if (types.has('Quota')) all['Quota'] = await quotaState(read, view);
      if (types.has('Identity')) all['Identity'] = await identityState(read, view);
      if (types.has('EmailSubmission')) all['EmailSubmission'] = await submissionState(read, view);
      if (types.has('VacationResponse')) all['VacationResponse'] = await vacationState(read, view);
      if (types.has('SieveScript')) all['SieveScript'] = await scriptState(read, view);
    }
    states[accountText(view)] = Object.fromEntries(Object.entries(all).filter(([name]) => types.has(name)));
  }
  return { states, accounts: views.map(({ accountId }) => accountId) };
}

/** What of `after` differs from `before`. */
export function changedStates(before: States, after: States): States {
  const changed: States = {};
  for (const [account, types] of Object.entries(after)) {
    const differ = Object.entries(types).filter(([type, state]) => before[account]?.[type] !== state);
    if (differ.length > 0) changed[account] = Object.fromEntries(differ);
  }
  return changed;
}
