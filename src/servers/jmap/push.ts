import type { Timer } from '../../base/clock.ts';
import type { JmapOptions } from './context.ts';
import { JMAP_LIMITS } from './limits.ts';
import { watchStates } from './push-watch.ts';

export interface StreamOptions {
  readonly types: ReadonlySet<string>;
  readonly closeAfterState: boolean;
  /** Seconds; 0: none. */
  readonly ping: number;
  /** Last-Event-ID: what the client was told last. */
  readonly lastId: string | undefined;
}

/** Events of RFC 8620 section 7.3, until the client goes, its login is revoked, or `closeAfterState` is satisfied. */
export function eventStream(
  options: JmapOptions,
  login: { readonly accountId: number; readonly revoked: AbortSignal },
  wish: StreamOptions,
  ended: () => void,
): ReadableStream<Uint8Array> {
  let stop = (): void => undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      stop = runEvents(options, login, wish, { controller, ended });
    },
    cancel: () => stop(),
  });
}

/** Begin to tell; returns how to stop, which tells that it has ended. */
function runEvents(
  options: JmapOptions,
  { accountId, revoked }: { readonly accountId: number; readonly revoked: AbortSignal },
  wish: StreamOptions,
  to: { readonly controller: ReadableStreamDefaultController<Uint8Array>; readonly ended: () => void },
): () => void {
  let open = true;
  let unwatch = (): void => undefined;
  let ping: Timer | undefined;
  const stop = (): void => {
    if (!open) return;
    open = false;
    ping?.cancel();
    revoked.removeEventListener('abort', end);
    unwatch();
    to.ended();
  };
  const end = (): void => {
    if (!open) return;
    stop();
    to.controller.close();
  };
  const send = (text: string): void => {
    if (open) to.controller.enqueue(Buffer.from(text));
  };
  if (wish.ping > 0)
    ping = options.clock.setTimer(wish.ping * 1000, () => {
      send(`event: ping\ndata: ${JSON.stringify({ interval: wish.ping })}\n\n`);
      ping?.refresh();
    });
  revoked.addEventListener('abort', end);
  // So that the client sees at once that it is connected.
  send(': here\n\n');
  unwatch = watchStates(options, {
    login: { accountId },
    types: wish.types,
    lastId: wish.lastId,
    change(changed, id) {
      send(`event: state\nid: ${id}\ndata: ${JSON.stringify({ '@type': 'StateChange', changed })}\n\n`);
      // RFC 8620 section 7.3: a ping when nothing was sent for that long.
      ping?.refresh();
      if (wish.closeAfterState) end();
    },
    failed: end,
  });
  if (revoked.aborted) end();
  return stop;
}

/** Seconds between signs of life that a client may have. */
export function pingOf(text: string | undefined): number {
  const { least, most, usual } = JMAP_LIMITS.pingSeconds;
  if (text === undefined || !/^\d{1,9}$/.test(text)) return usual;
  const wanted = Number(text);
  return wanted === 0 ? 0 : Math.min(most, Math.max(least, wanted));
}
