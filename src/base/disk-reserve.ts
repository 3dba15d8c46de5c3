import { statfs } from 'node:fs/promises';
import type { Clock, Timer } from './clock.ts';
import { errorText } from './errors.ts';
import type { Logger } from './log.ts';

/**
 * The last part of a disk is for what is under way. A server that takes mail until nothing is left can neither deliver
 * nor delete: so new mail is put off while some room remains, and reading, deleting and the queue go on.
 */

/** Milliseconds between two looks when room is scarce, and at most. */
const SOON_MS = 5_000;
const LATE_MS = 60_000;
/** Octets a second that are thought to come at the very most: how long a free disk need not be looked at. */
const FASTEST = 200 * 1024 * 1024;
/** Taking mail begins again with so much more room than the reserve, or it would stop and begin with every message. */
const ENOUGH = 1.2;

export interface DiskSpace {
  /** Octets that we may still write, and octets of the whole disk. */
  readonly free: number;
  readonly total: number;
}

export interface ReserveWish {
  /** Of the whole disk. */
  readonly percent: number;
  readonly bytes: number;
}

export interface DiskState extends DiskSpace {
  /** Octets below which no new mail is taken. */
  readonly reserve: number;
  readonly low: boolean;
  /** Since when it is low, milliseconds since the epoch. */
  readonly since: number | undefined;
}

export interface DiskReserve {
  /** Whether new mail has to wait: looked up, never asked of the system. */
  low(): boolean;
  /** Undefined: the system did not tell yet. */
  state(): DiskState | undefined;
  /** Look now. */
  look(): Promise<void>;
  stop(): void;
}

export interface DiskReserveParts {
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wish: () => ReserveWish;
  /** Told when it begins and when it ends. */
  readonly onChange?: (state: DiskState) => void;
  /** For tests. */
  readonly space?: (directory: string) => Promise<DiskSpace>;
}

/** What the system says of the disk that holds `directory`. */
export async function diskSpace(directory: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** The reserve of the disk of a directory; call `look` once before it is asked. */
export function createDiskReserve(parts: DiskReserveParts): DiskReserve {
  const { directory, clock, logger, wish, space = diskSpace } = parts;
  let known: DiskState | undefined;
  let timer: Timer | undefined;
  let stopped = false;
  let failed = false;

  async function look(): Promise<void> {
    timer?.cancel();
    try {
      const next = judge(await space(directory), wish(), known, clock.now());
      const changed = next.low !== (known?.low ?? false);
      known = next;
      failed = false;
      if (changed) parts.onChange?.(next);
    } catch (error) {
      if (!failed) logger.warn({ directory, error: errorText(error) }, 'disk: its free room is not known');
      failed = true;
    }
    if (!stopped) timer = clock.setTimer(pause(known), () => void look());
  }

  return {
    low: () => known?.low === true,
    state: () => known,
    look,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** Octets of a disk of `total` octets below which no new mail is taken: whichever wish is more. */
export function reserveOf(total: number, wish: ReserveWish): number {
  return Math.max(wish.bytes, (total * wish.percent) / 100);
}

function judge(now: DiskSpace, wish: ReserveWish, before: DiskState | undefined, at: number): DiskState {
  const reserve = reserveOf(now.total, wish);
  const low = now.free < (before?.low === true ? reserve * ENOUGH : reserve);
  return { ...now, reserve, low, since: low ? (before?.since ?? at) : undefined };
}

/** However fast it fills, the next look comes before the reserve is gone. */
function pause(state: DiskState | undefined): number {
  if (state === undefined) return SOON_MS;
  const left = ((state.free - state.reserve) / FASTEST) * 1000;
  return Math.min(LATE_MS, Math.max(SOON_MS, left));
}
