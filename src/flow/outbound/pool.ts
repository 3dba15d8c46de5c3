import type { Clock, Timer } from '../../base/clock.ts';
import type { ConnectOutcome } from '../../net/smtp-client/connect.ts';
import type { SmtpClient } from '../../net/smtp-client/client.ts';

/** Milliseconds an unused connection is kept for the next message to the same host. */
const IDLE_MS = 5_000;

interface Idle {
  readonly client: SmtpClient;
  readonly timer: Timer;
}

interface Slot {
  active: number;
  readonly idle: Idle[];
  readonly waiting: (() => void)[];
}

export type PoolOutcome<T> =
  | { readonly done: T }
  | { readonly failed: ConnectOutcome & { status: 'failed' } }
  | 'stopped';

/** Sessions with next hosts: at most so many to one of them, used again while there is mail for it. */
export class ClientPool {
  readonly #clock: Clock;
  readonly #perHost: number;
  readonly #slots = new Map<string, Slot>();
  #closed = false;

  constructor(options: { clock: Clock; perHost: number }) {
    this.#clock = options.clock;
    this.#perHost = options.perHost;
  }

  /**
   * Run `use` with a session to `key`, an idle one when there is one (`reused`), else a new one by `open`. It is kept
   * afterwards if it is still usable. Answers the failure when none could be opened, or 'stopped' when `stopping` came
   * before its turn.
   */
  async run<T>(
    key: string,
    open: () => Promise<ConnectOutcome>,
    use: (client: SmtpClient, reused: boolean) => Promise<T>,
    options: { fresh?: boolean; stopping: AbortSignal },
  ): Promise<PoolOutcome<T>> {
    const slot = await this.#enter(key, options.stopping);
    if (slot === undefined) return 'stopped';
    let client: SmtpClient | undefined;
    try {
      const kept = options.fresh === true ? undefined : takeIdle(slot);
      if (kept === undefined) {
        const outcome = await open();
        if (outcome.status === 'failed') return { failed: outcome };
        client = outcome.client;
      } else client = kept;
      return { done: await use(client, kept !== undefined) };
    } catch (error) {
      client?.destroy();
      throw error;
    } finally {
      this.#leave(key, slot, client);
    }
  }

  async #enter(key: string, stopping: AbortSignal): Promise<Slot | undefined> {
    if (stopping.aborted) return undefined;
    let slot = this.#slots.get(key);
    if (slot === undefined) this.#slots.set(key, (slot = { active: 0, idle: [], waiting: [] }));
    if (slot.active >= this.#perHost) return (await turnIn(slot, stopping)) ? slot : undefined;
    slot.active++;
    return slot;
  }

  #leave(key: string, slot: Slot, client: SmtpClient | undefined): void {
    if (client?.usable === true && !this.#closed) this.#keep(key, slot, client);
    else if (client !== undefined) void client.quit();
    // The place goes straight to whoever waits, so that nobody else slips in between.
    const next = slot.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    slot.active--;
    this.#forget(key, slot);
  }

  #keep(key: string, slot: Slot, client: SmtpClient): void {
    const idle: Idle = {
      client,
      timer: this.#clock.setTimer(IDLE_MS, () => {
        const at = slot.idle.indexOf(idle);
        if (at >= 0) slot.idle.splice(at, 1);
        void client.quit();
        this.#forget(key, slot);
      }),
    };
    slot.idle.push(idle);
  }

  #forget(key: string, slot: Slot): void {
    if (slot.active === 0 && slot.idle.length === 0 && this.#slots.get(key) === slot) this.#slots.delete(key);
  }

  /** Say QUIT on every idle session. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = [...this.#slots.values()].flatMap((slot) => slot.idle.splice(0));
    await Promise.all(
      idle.map(({ client, timer }) => {
        timer.cancel();
        return client.quit();
      }),
    );
  }
}

/** Wait for a place; false when `stopping` came first. */
function turnIn(slot: Slot, stopping: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const onTurn = (): void => {
      stopping.removeEventListener('abort', onStop);
      resolve(true);
    };
    const onStop = (): void => {
      slot.waiting.splice(slot.waiting.indexOf(onTurn), 1);
      resolve(false);
    };
    slot.waiting.push(onTurn);
    stopping.addEventListener('abort', onStop, { once: true });
  });
}

function takeIdle(slot: Slot): SmtpClient | undefined {
  for (let idle = slot.idle.pop(); idle !== undefined; idle = slot.idle.pop()) {
    idle.timer.cancel();
    if (idle.client.usable) return idle.client;
    idle.client.destroy();
  }
  return undefined;
}
