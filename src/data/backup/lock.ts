import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Clock, every } from '../../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import { randomToken } from '../../base/ids.ts';
import type { Place } from './place.ts';

/** Milliseconds between two signs of life of who holds the lock. */
const RENEW_MS = 60_000;
/** Milliseconds without one after which a holder on another machine is taken for dead; clocks may differ by half of it. */
const DEAD_MS = 30 * 60_000;
const NAME = 'lock';

/** Who works on a repository. */
export interface LockOwner {
  readonly token: string;
  /** "create", "prune": what for. */
  readonly purpose: string;
  readonly host: string;
  readonly pid: number;
  /** Where the pid means something: this boot of this machine, this container. */
  readonly world: string;
  /** When the process began, in ticks since the boot: a pid alone is given to others again. */
  readonly born: string;
  /** Milliseconds since the epoch, by the owner's clock. */
  readonly since: number;
  readonly renewed: number;
}

export interface RepositoryLock {
  /** Refusal 'conflict' when somebody took the lock away meanwhile (we stood still for half an hour). */
  assertOurs(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Take the only lock of a repository, from a dead owner too. Refusal 'conflict' that names the owner and the lock's age
 * while somebody else has it.
 */
export async function lockRepository(place: Place, purpose: string, clock: Clock): Promise<RepositoryLock> {
  const now = clock.now();
  const self: LockOwner = {
    token: randomToken(20),
    purpose,
    host: hostname(),
    pid: process.pid,
    world: world(),
    born: born('self'),
    since: now,
    renewed: now,
  };
  for (let attempt = 0; !(await place.putNew(NAME, encode(self))); attempt++) {
    const owner = await lockOwner(place);
    if (owner !== undefined && (attempt > 2 || isAlive(owner, clock.now()))) throw held(owner, clock.now());
    await place.remove(NAME);
  }
  const renewal = every(clock, RENEW_MS, async () => {
    if ((await lockOwner(place).catch(() => self))?.token !== self.token) return;
    await place.put(NAME, encode({ ...self, renewed: clock.now() })).catch(() => undefined);
  });
  const assertOurs = async (): Promise<void> => {
    const owner = await lockOwner(place);
    if (owner?.token === self.token) return;
    throw new Refusal('conflict', `The backup was taken over by another process${named(owner)}.`);
  };
  try {
    await place.tidy();
  } catch (error) {
    renewal.cancel();
    await place.remove(NAME).catch(() => undefined);
    throw error;
  }
  return {
    assertOurs,
    async release() {
      renewal.cancel();
      if ((await lockOwner(place))?.token === self.token) await place.remove(NAME);
    },
  };
}

/** Who has the lock; undefined: nobody. A lock that cannot be read belongs to nobody who lives. */
async function lockOwner(place: Place): Promise<LockOwner | undefined> {
  const octets = await place.get(NAME);
  if (octets === undefined) return undefined;
  try {
    return JSON.parse(octets.toString('utf8')) as LockOwner;
  } catch (error) {
    return { ...NOBODY, purpose: errorText(error) };
  }
}

const NOBODY: LockOwner = {
  token: '',
  purpose: '',
  host: '',
  pid: 0,
  world: '',
  born: '',
  since: 0,
  renewed: 0,
};

function encode(owner: LockOwner): Buffer {
  return Buffer.from(`${JSON.stringify(owner)}\n`);
}

function isAlive(owner: LockOwner, now: number): boolean {
  if (owner.world !== '' && owner.world === world()) {
    if (isGone(owner.pid)) return false;
    const birth = born(String(owner.pid));
    // Empty: a process of another user may be hidden from us.
    if (birth !== '') return birth === owner.born;
  }
  return now - owner.renewed < DEAD_MS;
}

/** No process has this pid; one of another user counts as there. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errnoCode(error) === 'ESRCH';
  }
}

function held(owner: LockOwner, now: number): Refusal {
  const minutes = Math.max(0, Math.round((now - owner.since) / 60_000));
  return new Refusal(
    'conflict',
    `Another process is at work on this backup${named(owner)}, for ${minutes} min: wait for its end. A dead one on another machine is passed over ${DEAD_MS / 60_000} min after its last sign of life.`,
  );
}

function named(owner: LockOwner | undefined): string {
  return owner === undefined ? '' : ` (${owner.purpose} on ${owner.host}, process ${owner.pid})`;
}

/** Names this boot and this space of pids; empty where the system tells neither. */
function world(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/** When a process began; empty: it is not there. Field 22 of /proc/PID/stat, counted behind the name in brackets. */
function born(pid: string): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
