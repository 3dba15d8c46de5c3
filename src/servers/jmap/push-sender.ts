import { type Clock, every } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { PushSubscription } from '../../data/push/push.ts';
import type { Store } from '../../data/store.ts';
import { guardedUrl } from '../../net/guarded-fetch.ts';
import { type PushFetch, type PushOutcome, sendPush } from '../../net/web-push/send.ts';
import { createVapid, type VapidKeys } from '../../net/web-push/vapid.ts';
import { formatId } from './ids.ts';
import { createSlots, type Device, keyOf, merged, settleDevices, statesOf, textOf } from './push-device.ts';
import { PUSHED_TYPES } from './push-states.ts';
import type { WebPush } from './push-types.ts';
import { watchStates } from './push-watch.ts';

/** Tells devices of changes by the push services that their browsers named (RFC 8620 section 7.2). */

export const PUSH_LIMITS = {
  /** Milliseconds in which changes of an account are gathered, and those between two pushes to one device. */
  gatherMs: 1000,
  intervalMs: 10_000,
  /** Milliseconds after a first failure; doubled with each, up to the longest. */
  retryMs: 30_000,
  retryMaxMs: 6 * 3600_000,
  /** Failures in a row after which a subscription is given up: some three days. */
  failures: 20,
  /** Requests at one time. */
  concurrency: 16,
  /** Seconds that a service keeps a push for a device that is away, and a question whether it hears us. */
  ttl: 86_400,
  verificationTtl: 3600,
  /** Tries to ask that, and milliseconds between them. */
  verifications: 3,
  verificationMs: 20_000,
  /** Subscriptions that an account may make in an hour. */
  perHour: 60,
  /** Milliseconds between two looks for those whose time is over. */
  sweepMs: 3600_000,
} as const;

/** What is still kept of pushes is replaced by the newest. */
const TOPIC = 'state';
const GONE = 'it is gone at the push service';
/** Rows of one read at the start. */
const PAGE = 500;

export interface PushSenderOptions {
  readonly store: Store;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly keys: VapidKeys;
  /** How operators of push services reach us: a mailto: or https: URL. */
  readonly subject: string;
  /** How the network is asked; its clock is that of everything here. For tests: other addresses and ports. */
  readonly fetch: PushFetch;
  readonly limits?: Partial<{ [K in keyof typeof PUSH_LIMITS]: number }> | undefined;
}

export interface PushSender extends WebPush {
  /** Tell those that are subscribed already. */
  start(): Promise<void>;
  /** What is under way is broken off. */
  stop(): Promise<void>;
}

interface Watched {
  readonly devices: Map<number, Device>;
  /** Undefined while no device of the account has been verified. */
  unwatch: (() => void) | undefined;
  /** What ends when the logins do that subscriptions were made with. */
  readonly logins: Map<string, () => void>;
}

export function createPushSender(options: PushSenderOptions): PushSender {
  return new Sender(options);
}

class Sender implements PushSender {
  readonly applicationServerKey: string;
  readonly #options: PushSenderOptions;
  readonly #clock: Clock;
  readonly #limits: { readonly [K in keyof typeof PUSH_LIMITS]: number };
  readonly #vapid: ReturnType<typeof createVapid>;
  readonly #sent: ReturnType<Metrics['counter']>;
  readonly #accounts = new Map<number, Watched>();
  /** Subscriptions that accounts have made lately. */
  readonly #made = new Map<number, number>();
  /** Looks at one account follow each other. */
  readonly #looking = new Map<number, Promise<void>>();
  readonly #stopped = new AbortController();
  readonly #busy = new Set<Promise<unknown>>();
  readonly #enter: () => Promise<() => void>;
  #sweeping: { cancel(): void } | undefined;

  constructor(options: PushSenderOptions) {
    this.#options = options;
    this.#clock = options.fetch.clock;
    this.#limits = { ...PUSH_LIMITS, ...options.limits };
    this.#vapid = createVapid(options.keys, options.subject);
    this.#sent = options.metrics.counter('postern_push_total', 'Pushes to devices by what became of them', [
      'outcome',
    ]);
    this.#enter = createSlots(this.#limits.concurrency);
    this.applicationServerKey = options.keys.publicKey;
  }

  check(url: string): void {
    const { allow, allowPort } = this.#options.fetch;
    guardedUrl(url, { allow, allowPort });
  }

  begin(subscription: PushSubscription): void {
    const { accountId } = subscription;
    const count = this.#made.get(accountId) ?? 0;
    if (count >= this.#limits.perHour)
      throw new Refusal('limit', 'There were too many subscriptions lately.');
    this.#made.set(accountId, count + 1);
    this.#work('a verification', () => this.#verify(subscription));
    this.changed(accountId);
  }

  changed(accountId: number): void {
    const before = this.#looking.get(accountId) ?? Promise.resolve();
    const next = before.then(() => this.#look(accountId));
    const mine = next
      .catch(() => undefined)
      .finally(() => {
        if (this.#looking.get(accountId) === mine) this.#looking.delete(accountId);
      });
    this.#looking.set(accountId, mine);
    this.#work('a look at subscriptions', () => next);
  }

  async start(): Promise<void> {
    const { read } = this.#options.store;
    const ids = new Set<number>();
    for (let after = 0; ; ) {
      const page = await read.run('push.after', { after, now: this.#clock.now(), limit: PAGE });
      for (const { accountId } of page) ids.add(accountId);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last.id;
    }
    for (const id of ids) this.changed(id);
    this.#sweeping = every(this.#clock, this.#limits.sweepMs, () =>
      this.#work('a sweep', () => this.#sweep()),
    );
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#sweeping?.cancel();
    for (const { devices, unwatch, logins } of this.#accounts.values()) {
      unwatch?.();
      for (const { timer } of devices.values()) timer?.cancel();
      for (const end of logins.values()) end();
    }
    this.#accounts.clear();
    await Promise.allSettled(this.#busy);
  }

  /** Do something that nobody waits for, unless we stop. */
  #work(what: string, run: () => Promise<unknown>): void {
    if (this.#stopped.signal.aborted) return;
    const running: Promise<unknown> = run()
      .catch((error: unknown) => {
        if (!this.#stopped.signal.aborted)
          this.#options.logger.error({ error: errorText(error) }, `push: ${what} failed`);
      })
      .finally(() => this.#busy.delete(running));
    this.#busy.add(running);
  }

  async #look(accountId: number): Promise<void> {
    const { read } = this.#options.store;
    const all = await read.run('push.of', { accountId, now: this.#clock.now() });
    if (this.#stopped.signal.aborted) return;
    const watched = this.#accounts.get(accountId) ?? {
      devices: new Map<number, Device>(),
      unwatch: undefined,
      logins: new Map<string, () => void>(),
    };
    this.#accounts.set(accountId, watched);
    const verified = new Map(all.filter((each) => each.verified).map((each) => [each.id, each]));
    settleDevices(watched.devices, verified);
    this.#followLogins(accountId, watched, all);
    if (verified.size === 0) {
      watched.unwatch?.();
      watched.unwatch = undefined;
    } else watched.unwatch ??= this.#watch(accountId, watched);
    if (all.length === 0) this.#accounts.delete(accountId);
  }

  /** RFC 8620 section 7.2: with the credentials that made it a subscription ends. */
  #followLogins(accountId: number, watched: Watched, all: readonly PushSubscription[]): void {
    const { store } = this.#options;
    const wanted = new Map(all.map(({ login }) => [`${login.kind}:${login.id}`, login]));
    for (const [key, stop] of watched.logins)
      if (!wanted.has(key)) {
        stop();
        watched.logins.delete(key);
      }
    for (const [key, login] of wanted) {
      if (watched.logins.has(key)) continue;
      const signal = store.changes.revocation(accountId, keyOf(login));
      const end = (): void => {
        watched.logins.delete(key);
        this.#work('the end of a login', async () => {
          await store.write.run('push.removeOf', { accountId, login });
          this.changed(accountId);
        });
      };
      if (signal.aborted) end();
      else {
        signal.addEventListener('abort', end, { once: true });
        watched.logins.set(key, () => signal.removeEventListener('abort', end));
      }
    }
  }

  #watch(accountId: number, watched: Watched): () => void {
    const { store } = this.#options;
    return watchStates(
      { store, clock: this.#clock },
      {
        login: { accountId },
        types: new Set(PUSHED_TYPES),
        lastId: undefined,
        gatherMs: this.#limits.gatherMs,
        change: (states) => {
          for (const device of watched.devices.values()) {
            const wanted = statesOf(states, device.subscription.types);
            if (wanted === undefined) continue;
            device.pending = merged(device.pending, wanted);
            this.#plan(device);
          }
        },
        failed: () => {
          watched.unwatch = undefined;
          this.#clock.setTimer(this.#limits.retryMs, () => this.changed(accountId));
        },
      },
    );
  }

  #plan(device: Device): void {
    if (device.sending || device.timer !== undefined || device.pending === undefined) return;
    const delay = Math.max(0, device.notBefore - this.#clock.monotonic());
    device.timer = this.#clock.setTimer(delay, () => {
      device.timer = undefined;
      device.sending = true;
      this.#work('a push', async () => {
        try {
          await this.#tell(device);
        } finally {
          device.sending = false;
          const { id, accountId } = device.subscription;
          // It may have been taken away meanwhile.
          if (this.#accounts.get(accountId)?.devices.get(id) === device) this.#plan(device);
        }
      });
    });
  }

  async #tell(device: Device): Promise<void> {
    const { id, accountId, expiresAt, toldAt } = device.subscription;
    const states = device.pending;
    device.pending = undefined;
    if (states === undefined) return;
    if (expiresAt <= this.#clock.now()) return this.changed(accountId);
    const outcome = await this.#send(device.subscription, textOf(states, accountId), this.#limits.ttl, TOPIC);
    if (this.#stopped.signal.aborted) return;
    if (outcome.status === 'gone') return this.#remove(device.subscription, GONE);
    const ok = outcome.status === 'taken';
    const { failures } = await this.#options.store.write.run('push.settled', { id, ok, toldAt });
    if (ok) {
      device.subscription = { ...device.subscription, toldAt: toldAt ?? this.#clock.now() };
      device.notBefore = this.#clock.monotonic() + this.#limits.intervalMs;
      return;
    }
    if (failures >= this.#limits.failures) return this.#remove(device.subscription, outcome.reason);
    const { reason } = outcome;
    this.#options.logger.info({ accountId, failures, reason }, 'push: not taken, tried again later');
    device.pending = device.pending === undefined ? states : merged(states, device.pending);
    const { retryMs, retryMaxMs } = this.#limits;
    const backoff = Math.min(retryMaxMs, retryMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
    device.notBefore = this.#clock.monotonic() + (outcome.retryMs ?? backoff);
  }

  async #remove({ id, accountId }: PushSubscription, reason: string): Promise<void> {
    await this.#options.store.write.run('push.remove', { id, accountId });
    this.#options.logger.info({ accountId, reason }, 'push: a subscription was given up');
    this.changed(accountId);
  }

  async #send(
    { url, keys }: PushSubscription,
    text: string,
    ttl: number,
    topic?: string,
  ): Promise<PushOutcome> {
    const leave = await this.#enter();
    try {
      const how = { ...this.#options.fetch, signal: this.#stopped.signal };
      const outcome = await sendPush({ url, keys, text, ttl, topic, urgency: 'normal' }, this.#vapid, how);
      this.#sent.inc({ outcome: outcome.status });
      return outcome;
    } finally {
      leave();
    }
  }

  /** Ask the device for the code; nothing else is sent before it has come back. */
  async #verify(subscription: PushSubscription): Promise<void> {
    const { verifications, verificationMs, verificationTtl } = this.#limits;
    const text = JSON.stringify({
      '@type': 'PushVerification',
      pushSubscriptionId: formatId('push', subscription.id),
      verificationCode: subscription.code,
    });
    for (let tries = 1; tries <= verifications; tries++) {
      const outcome = await this.#send(subscription, text, verificationTtl);
      if (outcome.status === 'taken' || this.#stopped.signal.aborted) return;
      if (outcome.status === 'gone') return this.#remove(subscription, GONE);
      const { accountId } = subscription;
      const { reason } = outcome;
      this.#options.logger.info(
        { accountId, reason },
        'push: a device could not be asked whether it hears us',
      );
      await this.#clock.sleep(outcome.retryMs ?? verificationMs, this.#stopped.signal);
    }
  }

  async #sweep(): Promise<void> {
    this.#made.clear();
    await this.#options.store.write.run('push.sweep', null);
    for (const accountId of this.#accounts.keys()) this.changed(accountId);
  }
}
