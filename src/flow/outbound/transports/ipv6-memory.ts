import type { Clock } from '../../../base/clock.ts';

/** Operators that do not take mail from our IPv6 addresses: IPv4 is used with them for a while. */
export interface Ipv6Memory {
  refuses(group: string): boolean;
  note(group: string): void;
}

/** Milliseconds until IPv6 is tried with an operator again. */
const AVOID_MS = 12 * 3_600_000;
/** Operators that are remembered; the oldest are forgotten first. */
const GROUPS_MAX = 5000;

export function createIpv6Memory(clock: Clock): Ipv6Memory {
  const until = new Map<string, number>();
  return {
    refuses(group) {
      const time = until.get(group);
      if (time === undefined) return false;
      if (time > clock.monotonic()) return true;
      until.delete(group);
      return false;
    },
    note(group) {
      until.delete(group);
      until.set(group, clock.monotonic() + AVOID_MS);
      const oldest = until.keys().next().value;
      if (until.size > GROUPS_MAX && oldest !== undefined) until.delete(oldest);
    },
  };
}
