import type { Timer } from '../../base/clock.ts';
import { type JmapOptions, shortHash } from './context.ts';
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
  const events = new Events(options, login, wish, ended);
  return new ReadableStream<Uint8Array>({
    start: (controller) => events.start(controller),
    cancel: () => events.stop(),
  });
}

class Events {
  readonly #options: JmapOptions;
  readonly #login: LoginAccount;
  readonly #wish: StreamOptions;
  readonly #ended: () => void;
  readonly #stops: (() => void)[] = [];
  readonly #watched = new Set<number>();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #told: States | undefined;
  #gathering: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #open = true;

  constructor(options: JmapOptions, login: LoginAccount, wish: StreamOptions, ended: () => void) {
    this.#options = options;
    this.#login = login;
    this.#wish = wish;
    this.#ended = ended;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    const { revoked, accountId } = this.#login;
    const end = (): void => this.#end();
    revoked.addEventListener('abort', end);
    this.#stops.push(() => revoked.removeEventListener('abort', end));
    this.#watch(accountId);
    this.#ping(this.#wish.ping);
    // So that the client sees at once that it is connected.
    this.#send(': here\n\n');
    this.#lookAgain();
    if (revoked.aborted) end();
  }

  stop(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#gathering?.cancel();
    for (const stop of this.#stops) stop();
    this.#ended();
  }

  #end(): void {
    if (!this.#open) return;
    this.stop();
    this.#controller?.close();
  }

  #send(text: string): void {
    if (this.#open) this.#controller?.enqueue(Buffer.from(text));
  }

  #ping(seconds: number): void {
    if (seconds === 0) return;
    const timer: Timer = this.#options.clock.setTimer(seconds * 1000, () => {
      this.#send(`event: ping\ndata: ${JSON.stringify({ interval: seconds })}\n\n`);
      timer.refresh();
    });
    this.#stops.push(() => timer.cancel());
  }

  #watch(accountId: number): void {
    if (this.#watched.has(accountId)) return;
    this.#watched.add(accountId);
    this.#stops.push(this.#options.store.changes.onAccount(accountId, () => this.#wake()));
  }

  #wake(): void {
    if (!this.#open || this.#gathering !== undefined) return;
    this.#gathering = this.#options.clock.setTimer(GATHER_MS, () => {
      this.#gathering = undefined;
      this.#lookAgain();
    });
  }

  #lookAgain(): void {
    this.#looking = this.#looking.then(() => this.#look()).catch(() => this.#end());
  }

  async #look(): Promise<void> {
    const { types, lastId, closeAfterState } = this.#wish;
    const { states, accounts } = await currentStates(this.#options, this.#login, types);
    if (!this.#open) return;
    for (const account of accounts) this.#watch(account);
    const id = shortHash(JSON.stringify(states));
    // Who comes back and was told something else last is told everything.
    const before = this.#told ?? (lastId === undefined || lastId === id ? states : {});
    this.#told = states;
    const changed = changedStates(before, states);
    if (Object.keys(changed).length === 0) return;
    this.#send(`event: state\nid: ${id}\ndata: ${JSON.stringify({ '@type': 'StateChange', changed })}\n\n`);
    if (closeAfterState) this.#end();
  }
}

/** Seconds between signs of life that a client may have. */
export function pingOf(text: string | undefined): number {
  const { least, most, usual } = JMAP_LIMITS.pingSeconds;
  if (text === undefined || !/^\d{1,9}$/.test(text)) return usual;
  const wanted = Number(text);
  return wanted === 0 ? 0 : Math.min(most, Math.max(least, wanted));
}
