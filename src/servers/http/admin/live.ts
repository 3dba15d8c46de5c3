import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { settingsOf } from '../../../data/journal/policy.ts';
import { type Hiding, hideEvent } from '../../../data/journal/privacy.ts';
import type { JournalEvent } from '../../../data/journal/types.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { AdminEnv } from './app.ts';
import { badInput } from '../api.ts';
import { type AdminContext, API_PREFIX } from './operation.ts';
import { type Scope, scopeOf } from './scope.ts';
import { inWords } from '../../../flow/explain/in-words.ts';
import { wordsOf } from './schemas.ts';
import { eventInScope } from './trace-scope.ts';

/** Events as they happen, for somebody who watches: server-sent events. */
export const LIVE_PATH = `${API_PREFIX}/trace/live`;

/** Milliseconds between two signs of life; the rules of what may be shown are read anew then. */
const HEARTBEAT_MS = 15_000;
/** Events that wait for a slow reader; beyond it they are dropped and counted. */
const WAITING_MAX = 500;
/** People who watch at a time. */
const WATCHERS_MAX = 50;

export const liveQuery = z.strictObject({
  address: z.string().min(1).max(320).optional(),
  /** "login.failed", or "login" for all that begin so. */
  kind: z
    .string()
    .regex(/^[a-z]+(?:\.[a-z-]+)?$/)
    .optional(),
  trace: z.string().min(1).max(40).optional(),
});
type Wanted = z.output<typeof liveQuery>;

let watchers = 0;

export function mountLiveTrace(app: Hono<AdminEnv>, context: AdminContext): void {
  app.get(LIVE_PATH, async (c) => {
    const actor = c.get('actor');
    const scope = await scopeOf(context.store, actor);
    const query = liveQuery.safeParse(c.req.query());
    if (!query.success) throw badInput(query.error);
    if (context.watch === undefined) throw new Refusal('unavailable', 'Nothing can be watched here.');
    if (watchers >= WATCHERS_MAX)
      throw new Refusal('limit', `At most ${WATCHERS_MAX} people can watch at a time.`);
    const signals = [
      c.req.raw.signal,
      ...(c.get('revoked') === undefined ? [] : [c.get('revoked') as AbortSignal]),
    ];
    const body = stream(context, context.watch, {
      actor,
      scope,
      wanted: query.data,
      signal: AbortSignal.any(signals),
    });
    return sse(c, body);
  });
}

function sse(c: Context<AdminEnv>, body: ReadableStream<Uint8Array>): Response {
  return c.body(body, 200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    // Proxies would keep it until there is more.
    'X-Accel-Buffering': 'no',
  });
}

interface Watcher {
  readonly actor: Actor;
  readonly scope: Scope;
  readonly wanted: Wanted;
  readonly signal: AbortSignal;
}

/** What a watcher has not read yet: bounded, and it is told how much was left out. */
class Waiting {
  #texts: string[] = [];
  #dropped = 0;
  #ended = false;
  #wake: () => void = () => undefined;

  add(text: string): void {
    if (this.#texts.length >= WAITING_MAX) this.#dropped++;
    else this.#texts.push(text);
    this.#wake();
  }

  addHeartbeat(): void {
    if (this.#texts.length < WAITING_MAX) this.add(': still here\n\n');
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** All there is, once there is some; '' at the end. */
  async take(): Promise<string> {
    while (!this.#ended && this.#texts.length === 0 && this.#dropped === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const lost = this.#dropped === 0 ? '' : message('dropped', { count: this.#dropped });
    const text = this.#texts.join('') + lost;
    this.#texts = [];
    this.#dropped = 0;
    return text;
  }
}

function stream(
  context: AdminContext,
  watch: NonNullable<AdminContext['watch']>,
  { actor, scope: first, wanted, signal }: Watcher,
): ReadableStream<Uint8Array> {
  let scope = first;
  let hiding: Hiding | undefined;
  const waiting = new Waiting();
  const over = new AbortController();
  const stop = watch.listen((event) => {
    const shown = shownOf(event, wanted, scope, hiding);
    if (shown !== undefined) waiting.add(message('journal', withWords(shown)));
  });
  watchers++;
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    stop();
    over.abort();
    watchers--;
    waiting.end();
  };
  signal.addEventListener('abort', end, { once: true });
  const heartbeat = async (): Promise<void> => {
    hiding = await hidingNow(context);
    while (!ended) {
      await context.clock.sleep(HEARTBEAT_MS, over.signal).catch(() => undefined);
      if (ended) return;
      try {
        hiding = await hidingNow(context);
        scope = await scopeOf(context.store, actor);
      } catch {
        end();
        return;
      }
      waiting.addHeartbeat();
    }
  };
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      hiding = await hidingNow(context);
      controller.enqueue(Buffer.from(': watching\n\n'));
      void heartbeat();
    },
    async pull(controller) {
      const text = await waiting.take();
      if (text !== '') controller.enqueue(Buffer.from(text));
      if (ended) controller.close();
    },
    cancel: end,
  });
}

async function hidingNow({ store }: AdminContext): Promise<Hiding | undefined> {
  const { json, key } = await store.read.run('journal.privacy', null);
  const { client_ips: ips, words } = settingsOf(json);
  return ips === 'full' && words ? undefined : { addresses: false, ips, words, key };
}

/** As the journal would keep it; undefined: not wanted, or not theirs to see. */
function shownOf(
  event: JournalEvent,
  { address, kind, trace }: Wanted,
  scope: Scope,
  hiding: Hiding | undefined,
): Pick<JournalEvent, 'trace' | 'at' | 'kind' | 'data'> | undefined {
  if (trace !== undefined && event.trace !== trace) return undefined;
  if (kind !== undefined && event.kind !== kind && !event.kind.startsWith(`${kind}.`)) return undefined;
  if (address !== undefined && !names(event, address.toLowerCase())) return undefined;
  const kept = hiding === undefined ? event : hideEvent(event, hiding);
  const own = eventInScope(scope, kept);
  return own && { trace: own.trace, at: own.at, kind: own.kind, data: own.data };
}

/** What happened, in words beside the facts. */
function withWords(shown: Pick<JournalEvent, 'trace' | 'at' | 'kind' | 'data'>): object {
  const [step] = inWords([{ ...shown, id: 0, count: 1, lastAt: shown.at }]);
  return step === undefined ? shown : { ...shown, words: wordsOf(step) };
}

function names({ terms, data }: JournalEvent, address: string): boolean {
  return terms.includes(`a:${address}`) || JSON.stringify(data).toLowerCase().includes(address);
}

function message(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
