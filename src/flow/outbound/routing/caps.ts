import type { Clock } from '../../../base/clock.ts';
import type { Usage } from '../../../data/routing/types.ts';
import type { FlowDeps } from '../../deps.ts';
import type { Caps } from './settings.ts';

/** What a way may be used for in a while: recipients, money, speed. */

const DAY_MS = 86_400_000;
const GIGABYTE = 1024 ** 3;
/** Milliseconds an attempt waits for its turn at a way with a speed limit; beyond it the queue does. */
const WAIT_MAX_MS = 20_000;

export interface Exhausted {
  readonly reason: string;
  /** Milliseconds until it may be used again. */
  readonly pauseMs: number;
}

/** What a month of use costs by the prices of the caps, in their currency. */
export function costOf(caps: Caps, usage: Usage): number {
  const perRecipient = (usage.recipients / 1000) * caps.price_per_1000_recipients;
  return perRecipient + (usage.octets / GIGABYTE) * caps.price_per_gigabyte;
}

export interface CapKeeper {
  /** Why so many more recipients are too many now; undefined: they are not. */
  exhausted(way: string, caps: Caps, more: Usage): Promise<Exhausted | undefined>;
  /** Wait for a place in the speed limit; false: it takes too long. What was reserved is used. */
  turn(way: string, caps: Caps, recipients: number, stopping: AbortSignal): Promise<boolean>;
  /** Count what is under way, so that a crowd does not pass a limit together. Answers how to stop counting it. */
  hold(way: string, usage: Usage): () => void;
}

export function createCapKeeper(deps: () => FlowDeps, clock: Clock): CapKeeper {
  const pending = new Map<string, { messages: number; recipients: number; octets: number }>();
  const freeAt = new Map<string, number>();
  return {
    async exhausted(way, caps, more) {
      const { recipients_per_day: perDay, recipients_per_month: perMonth, cost_per_month: cost } = caps;
      if (perDay === undefined && perMonth === undefined && cost === undefined) return undefined;
      const now = clock.now();
      const { day, month } = await deps().store.read.run('routing.usage', { way, at: now });
      const waiting = pending.get(way) ?? { messages: 0, recipients: 0, octets: 0 };
      const after = (used: Usage): Usage => ({
        messages: used.messages + waiting.messages + more.messages,
        recipients: used.recipients + waiting.recipients + more.recipients,
        octets: used.octets + waiting.octets + more.octets,
      });
      const [thisDay, thisMonth] = [after(day), after(month)];
      if (perDay !== undefined && thisDay.recipients > perDay)
        return { reason: `its ${perDay} recipients a day are used up`, pauseMs: DAY_MS - (now % DAY_MS) };
      if (perMonth !== undefined && thisMonth.recipients > perMonth)
        return { reason: `its ${perMonth} recipients a month are used up`, pauseMs: untilNextMonth(now) };
      if (cost !== undefined && costOf(caps, thisMonth) > cost)
        return { reason: `its ${cost} a month are used up`, pauseMs: untilNextMonth(now) };
      return undefined;
    },
    async turn(way, caps, recipients, stopping) {
      const rate = caps.recipients_per_second;
      if (rate === undefined) return true;
      const now = clock.monotonic();
      const at = Math.max(now, freeAt.get(way) ?? 0);
      if (at - now > WAIT_MAX_MS) return false;
      freeAt.set(way, at + (recipients / rate) * 1000);
      if (at > now) await clock.sleep(at - now, stopping);
      return true;
    },
    hold(way, usage) {
      const held = pending.get(way) ?? { messages: 0, recipients: 0, octets: 0 };
      pending.set(way, held);
      const add = (sign: 1 | -1): void => {
        held.messages += sign * usage.messages;
        held.recipients += sign * usage.recipients;
        held.octets += sign * usage.octets;
      };
      add(1);
      return () => add(-1);
    },
  };
}

function untilNextMonth(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) - now;
}
