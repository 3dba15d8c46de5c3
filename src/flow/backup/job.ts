import { mkdir, readdir, rm, statfs, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { randomToken } from '../../base/ids.ts';
import { createBackup } from '../../data/backup/create.ts';
import { type DataDirectory, openDataDirectory } from '../../data/backup/data-directory.ts';
import { digestMailboxes, type MailboxDigest } from '../../data/backup/digest.ts';
import type { Secret } from '../../data/backup/keys.ts';
import { openPlace } from '../../data/backup/open-place.ts';
import type { PlaceSettings } from '../../data/backup/place.ts';
import { type KeepRules, pruneBackups } from '../../data/backup/prune.ts';
import { openRepository, type Repository, type Snapshot } from '../../data/backup/repository.ts';
import { restoreWhole } from '../../data/backup/whole.ts';
import { checkInvariants } from '../../data/mailstore/invariants.ts';
import { type Extract, extractMail } from './extract.ts';

/** What is done in a process of its own (backup.process.ts), with all it needs; crosses by structured clone. */
export type BackupJob = {
  readonly place: PlaceSettings;
  readonly secret: Secret;
  /** The data directory of the server. */
  readonly data: string;
} & (CreateJob | DrillJob | ExtractJob);

export interface CreateJob {
  readonly kind: 'create';
  /** The server's time now: its clock need not be the system's. */
  readonly now: number;
  readonly system: readonly string[];
  readonly program: string;
  /** Begin a repository where there is none. */
  readonly make: boolean;
  readonly bytesPerSecond: number;
  /** Afterwards; undefined: nothing is pruned. */
  readonly keep: KeepRules | undefined;
}

/** Restore the newest backup below `scratch`, and compare it with what the server has. */
export interface DrillJob {
  readonly kind: 'drill';
  readonly scratch: string;
}

/** Put mail of one account below `scratch`, in a directory that whoever asked removes. */
export interface ExtractJob {
  readonly kind: 'extract';
  readonly scratch: string;
  readonly what: Extract;
}

export interface CreateResult {
  readonly kind: 'create';
  readonly snapshot: Snapshot;
  readonly problems: readonly string[];
  readonly pruned: number;
  /** How many backups there are now. */
  readonly snapshots: number;
}

export interface DrillResult {
  readonly kind: 'drill';
  readonly snapshot: string;
  readonly snapshotAt: number;
  readonly ok: boolean;
  readonly mailboxes: readonly MailboxDigest[];
  readonly messages: number;
  readonly bytes: number;
  /** Messages that the server still has, and that are the same there. */
  readonly compared: number;
  readonly problems: readonly string[];
}

export interface ExtractResult {
  readonly kind: 'extract';
  /** A data directory with the database of the backup, and of the bodies those that are needed. */
  readonly directory: string;
  readonly snapshot: Snapshot;
}

export type JobResult = CreateResult | DrillResult | ExtractResult;
export type Progress = (done: { readonly bytes: number; readonly of: number }) => void;

/** Free octets that restoring into a scratch directory leaves on the disk. */
const SPARE_BYTES = 256 * 1024 * 1024;
/** Sentences about problems that are kept. */
const PROBLEMS_MOST = 20;

export async function runJob(job: BackupJob, clock: Clock, progress?: Progress): Promise<JobResult> {
  const make = job.kind === 'create' && job.make;
  const place = await openPlace(job.place, { clock, make });
  try {
    const repository = await openRepository(place, job.secret, { create: make });
    if (job.kind === 'create') return await create(repository, job, clock, progress);
    if (job.kind === 'drill') return await drill(repository, job, progress);
    const snapshot = await chosenSnapshot(repository, job.what.snapshot);
    await clearScratch(job.scratch, clock);
    const directory = await scratchDirectory(job.scratch);
    try {
      await extractMail({ repository, snapshot, directory, what: job.what, progress });
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return { kind: 'extract', directory, snapshot };
  } finally {
    place.close();
  }
}

async function create(
  repository: Repository,
  job: CreateJob & { readonly data: string },
  system: Clock,
  progress: Progress | undefined,
): Promise<CreateResult> {
  const shift = job.now - system.now();
  const clock = { ...system, now: () => system.now() + shift };
  const { snapshot, problems } = await createBackup({ ...job, repository, clock, progress });
  const pruned = job.keep === undefined ? undefined : await pruneBackups(repository, job.keep, clock);
  const snapshots = pruned?.kept.length ?? (await repository.snapshots()).snapshots.length;
  return { kind: 'create', snapshot, problems, pruned: pruned?.removed.length ?? 0, snapshots };
}

/** The newest at or before what is named: an id, its begin, or the newest of all. Refusal 'not-found'. */
export async function chosenSnapshot(repository: Repository, named: string | undefined): Promise<Snapshot> {
  const { snapshots } = await repository.snapshots();
  const found = named === undefined ? snapshots.at(-1) : snapshots.findLast(({ id }) => id.startsWith(named));
  if (found !== undefined) return found;
  throw new Refusal(
    'not-found',
    named === undefined
      ? `There is no whole backup at ${repository.place.shown} yet.`
      : `There is no backup ${named} at ${repository.place.shown}; "postern backup list" shows them.`,
  );
}

const SCRATCH = 'scratch-';
/** Milliseconds after which a scratch directory belongs to nobody any more. */
const ABANDONED_MS = 24 * 3_600_000;

async function scratchDirectory(parent: string): Promise<string> {
  const directory = join(parent, `${SCRATCH}${randomToken(10)}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Remove what somebody who was killed has left. */
async function clearScratch(parent: string, clock: Clock): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(SCRATCH)) continue;
    const path = join(parent, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < clock.now() - ABANDONED_MS)
      await rm(path, { recursive: true, force: true });
  }
}

async function drill(
  repository: Repository,
  { scratch, data }: DrillJob & { readonly data: string },
  progress: Progress | undefined,
): Promise<DrillResult> {
  const snapshot = await chosenSnapshot(repository, undefined);
  const directory = await scratchDirectory(scratch);
  try {
    await refuseSmallDisk(directory, snapshot.bytes);
    await restoreWhole({ repository, snapshot, directory, asItWas: true, progress });
    return await examine(snapshot, directory, data);
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === 'unavailable') throw error;
    const nothing = { messages: 0, bytes: 0, compared: 0, mailboxes: [] };
    const { id, at } = snapshot;
    return { kind: 'drill', snapshot: id, snapshotAt: at, ok: false, ...nothing, problems: [error.message] };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function refuseSmallDisk(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= bytes + SPARE_BYTES) return;
  const mib = (octets: number): string => `${Math.ceil(octets / 1024 / 1024)} MiB`;
  throw new Refusal(
    'storage-full',
    `The scratch directory has ${mib(bavail * bsize)} free, and a restored copy needs ${mib(bytes + SPARE_BYTES)}: name a larger disk ("postern backup set scratch /DIR").`,
  );
}

/** Look through a restored directory: the database, the rules it obeys, and all mail, octet by octet. */
async function examine(snapshot: Snapshot, directory: string, data: string): Promise<DrillResult> {
  const restored = openDataDirectory(directory);
  let live: DataDirectory | undefined;
  const problems: string[] = [];
  const mailboxes: MailboxDigest[] = [];
  let compared = 0;
  try {
    live = openDataDirectory(data);
    for (const { integrity_check: line } of restored.db.prepare('PRAGMA integrity_check(5)').all())
      if (line !== 'ok') problems.push(`the database: ${String(line)}`);
    problems.push(...(await checkInvariants(restored.tx)));
    for await (const { problems: found, same, ...digest } of digestMailboxes(restored, live)) {
      mailboxes.push(digest);
      compared += same;
      problems.push(...found);
      if (problems.length >= PROBLEMS_MOST) break;
    }
  } catch (error) {
    problems.push(errorText(error));
  } finally {
    restored.close();
    live?.close();
  }
  return {
    kind: 'drill',
    snapshot: snapshot.id,
    snapshotAt: snapshot.at,
    ok: problems.length === 0,
    mailboxes,
    messages: mailboxes.reduce((sum, { messages }) => sum + messages, 0),
    bytes: mailboxes.reduce((sum, { bytes }) => sum + bytes, 0),
    compared,
    problems: problems.slice(0, PROBLEMS_MOST),
  };
}
