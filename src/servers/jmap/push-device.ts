import type { Timer } from '../../base/clock.ts';
import type { LoginKey } from '../../data/db/sql.ts';
import type { PushLogin, PushSubscription } from '../../data/push/push.ts';
import { PUSH_TEXT_BYTES } from '../../net/web-push/encrypt.ts';
import { formatId } from './ids.ts';
import type { States } from './push-states.ts';

/** A device that is told of changes. */
export interface Device {
  subscription: PushSubscription;
  pending: States | undefined;
  timer: Timer | undefined;
  sending: boolean;
  /** No push before this time (of the monotonic clock). */
  notBefore: number;
}

/** Devices as they are stored now; those that have gone are told no more. */
export function settleDevices(
  devices: Map<number, Device>,
  verified: ReadonlyMap<number, PushSubscription>,
): void {
  for (const [id, device] of devices) {
    if (verified.has(id)) continue;
    device.timer?.cancel();
    devices.delete(id);
  }
  for (const [id, subscription] of verified) {
    const known = devices.get(id);
    if (known !== undefined) known.subscription = subscription;
    else
      devices.set(id, {
        subscription,
        pending: undefined,
        timer: undefined,
        sending: false,
        notBefore: 0,
      });
  }
}

export function keyOf({ kind, id }: PushLogin): LoginKey | undefined {
  return kind === 'password' ? undefined : `${kind}:${id}`;
}

/** Of some types only; undefined when nothing is left. */
export function statesOf(states: States, types: readonly string[] | undefined): States | undefined {
  if (types === undefined) return states;
  const wanted: States = {};
  for (const [account, all] of Object.entries(states)) {
    const some = Object.entries(all).filter(([type]) => types.includes(type));
    if (some.length > 0) wanted[account] = Object.fromEntries(some);
  }
  return Object.keys(wanted).length === 0 ? undefined : wanted;
}

export function merged(before: States | undefined, after: States): States {
  const all: States = { ...before };
  for (const [account, types] of Object.entries(after)) all[account] = { ...all[account], ...types };
  return all;
}

/** A StateChange; where it is too long for a push, of as many accounts as fit, the device's own first. */
export function textOf(states: States, accountId: number): string {
  const own = formatId('account', accountId);
  const entries = Object.entries(states).toSorted(([a], [b]) => Number(b === own) - Number(a === own));
  for (;;) {
    const text = JSON.stringify({ '@type': 'StateChange', changed: Object.fromEntries(entries) });
    if (Buffer.byteLength(text) <= PUSH_TEXT_BYTES || entries.length <= 1) return text;
    entries.length = Math.ceil(entries.length / 2);
  }
}

/** At most so many at a time; resolves, in turn, to how to leave. */
export function createSlots(count: number): () => Promise<() => void> {
  let free = count;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    return leave;
  };
}
