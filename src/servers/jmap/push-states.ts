import type { Store } from '../../data/store.ts';
import { formatState } from './state.ts';
import { accountText, allViews } from './view.ts';
import { vacationState } from './methods/vacation.ts';
import { identityState } from './methods/identity.ts';
import { scriptState } from './methods/sieve.ts';
import { submissionState } from './methods/submission-object.ts';

/** Types whose states are told (RFC 8620 section 7.1). */
export const PUSHED_TYPES: readonly string[] = [
  'Mailbox',
  'Thread',
  'Email',
  'Identity',
  'EmailSubmission',
  'VacationResponse',
  'SieveScript',
];

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
    if (view.own) {
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
