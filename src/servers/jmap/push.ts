import type { Timer } from '../../base/clock.ts';
import type { JmapOptions } from './context.ts';
import { JMAP_LIMITS } from './limits.ts';
import { formatState } from './state.ts';
import { accountText, allViews } from './view.ts';
import { vacationState } from './methods/vacation.ts';
import { identityState } from './methods/identity.ts';
import { submissionState } from './methods/submission.ts';
import type { LoginAccount } from '../../mail/sasl/types.ts';

/** Types whose states are told (RFC 8620 section 7.1). */
export const PUSHED_TYPES: readonly string[] = [
  'Mailbox',
  'Thread',
  'Email',
  'Identity',
  'EmailSubmission',
  'VacationResponse',
];

type States = Record<string, Record<string, string>>;

/** What everything an account may see is at, by account and type. */
export async function currentStates(
  options: JmapOptions,
  login: LoginAccount,
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
      if (types.has('Identity')) all['Identity'] = await identityState(read, view.accountId);
      if (types.has('EmailSubmission')) all['EmailSubmission'] = await submissionState(read, view.accountId);
      if (types.has('VacationResponse')) all['VacationResponse'] = await vacationState(read, view.accountId);
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

export interface StreamOptions {
  readonly types: ReadonlySet<string>;
  readonly closeAfterState: boolean;
  /** Seconds; 0: none. */
  readonly ping: number;
  /** Last-Event-ID: what the client was told last. */
  readonly lastId: string | undefined;
}

/** Milliseconds in which changes are gathered into one event. */
const GATHER_MS = 50;

/** Events of RFC 8620 section 7.3, until the client goes, its account is revoked, or `closeAfterState` is satisfied. */
export function eventStream(
  options: JmapOptions,
  login: LoginAccount,
  wish: StreamOptions,
  ended: () => void,
): ReadableStream<Uint8Array> {
  const { clock, store } = options;
  const timers = new Set<Timer>();
  const stops: (() => void)[] = [];
  const watched = new Set<number>();
  let open = true;
  let told: States | undefined;
  let gathering: Timer | undefined;
  let looking: Promise<void> | undefined;
  const close = (): void => {
    if (!open) return;
    open = false;
    for (const timer of timers) timer.cancel();
    gathering?.cancel();
    for (const stop of stops) stop();
    login.revoked.removeEventListener('abort', close);
    ended();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string): void => {
        if (open) controller.enqueue(Buffer.from(text));
      };
      const end = (): void => {
        if (!open) return;
        close();
        controller.close();
      };
      const look = async (): Promise<void> => {
        const { states, accounts } = await currentStates(options, login, wish.types);
        if (!open) return;
        for (const account of accounts) watch(account);
        const id = Buffer.from(JSON.stringify(states)).toString('base64url');
        const before = told ?? (wish.lastId === undefined || wish.lastId === id ? states : {});
        told = states;
        const changed = changedStates(before, states);
        if (Object.keys(changed).length === 0) return;
        const data = JSON.stringify({ '@type': 'StateChange', changed });
        send(`event: state\nid: ${id}\ndata: ${data}\n\n`);
        if (wish.closeAfterState) end();
      };
      const wake = (): void => {
        if (!open || gathering !== undefined) return;
        gathering = clock.setTimer(GATHER_MS, () => {
          gathering = undefined;
          looking = (looking ?? Promise.resolve()).then(look).catch(end);
        });
      };
      const watch = (account: number): void => {
        if (watched.has(account)) return;
        watched.add(account);
        stops.push(store.changes.onAccount(account, wake));
      };
      watch(login.accountId);
      login.revoked.addEventListener('abort', end);
      stops.push(() => login.revoked.removeEventListener('abort', end));
      if (wish.ping > 0) {
        const timer: Timer = clock.setTimer(wish.ping * 1000, () => {
          send(`event: ping\ndata: ${JSON.stringify({ interval: wish.ping })}\n\n`);
          timer.refresh();
        });
        timers.add(timer);
      }
      // So that the client sees at once that it is connected.
      send(': here\n\n');
      looking = look().catch(end);
      if (login.revoked.aborted) end();
    },
    cancel: close,
  });
}

/** Seconds between signs of life that a client may have. */
export function pingOf(text: string | undefined): number {
  const { least, most, usual } = JMAP_LIMITS.pingSeconds;
  if (text === undefined || !/^\d{1,9}$/.test(text)) return usual;
  const wanted = Number(text);
  return wanted === 0 ? 0 : Math.min(most, Math.max(least, wanted));
}
