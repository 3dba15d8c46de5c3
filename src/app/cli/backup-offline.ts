import { chownSync, lchownSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import { createBackup } from '../../data/backup/create.ts';
import { openDataDirectory } from '../../data/backup/data-directory.ts';
import { messagesOf } from '../../data/backup/digest.ts';
import { openPlace } from '../../data/backup/open-place.ts';
import { openRepository } from '../../data/backup/repository.ts';
import { restoreWhole, type RestoredWhole } from '../../data/backup/whole.ts';
import { type Extract, extractMail, wantedMailboxes } from '../../flow/backup/extract.ts';
import { chosenSnapshot } from '../../flow/backup/job.ts';
import { lockDirectory } from '../lock.ts';
import { findUser } from '../privileges.ts';
import { programVersion } from '../version.ts';
import { type Source, withRepository } from './backup-source.ts';
import type { Call } from './command.ts';
import { findPlace } from './find-server.ts';

/** What works without a server: a backup of a stopped one, and restoring. */

/** Back up the data directory of a server that is stopped, as its owner. */
export async function createOffline(
  call: Call,
  source: Source,
): Promise<Awaited<ReturnType<typeof createBackup>>> {
  const { io, text } = call;
  const { directory } = await findPlace(io, text('data'));
  becomeOwner(directory);
  const lock = lockDirectory(directory);
  try {
    const place = await openPlace(source.place, { clock: io.clock, make: true });
    try {
      const repository = await openRepository(place, source.secret, { create: true });
      const options = { data: directory, system: [], program: programVersion(), bytesPerSecond: 0 };
      return await createBackup({ ...options, repository, clock: io.clock });
    } finally {
      place.close();
    }
  } finally {
    lock.release();
  }
}

/** As root, files would be left that the server cannot open. */
export function becomeOwner(directory: string): void {
  const { uid, gid } = statSync(directory);
  const { getuid, setgroups, setgid, setuid } = process;
  if (getuid?.() !== 0 || uid === 0) return;
  setgroups?.([gid]);
  setgid?.(gid);
  setuid?.(uid);
}

export interface Restored extends RestoredWhole {
  readonly directory: string;
  readonly snapshot: string;
  readonly at: number;
  readonly emails: number;
}

/** Restore everything into a data directory that is missing or empty. */
export async function restoreOffline(call: Call, source: Source): Promise<Restored> {
  const { io, text, on } = call;
  const named = text('data') ?? io.env['POSTERN_DATA'];
  const directory = named === undefined || named === '' ? io.systemDataDirectory : resolve(io.cwd, named);
  const owner = ownerFor(directory, text('user'));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(directory);
  try {
    const restored = await withRepository(call, source, async (repository) => {
      const snapshot = await chosenSnapshot(repository, text('snapshot'));
      const done = await restoreWhole({
        repository,
        snapshot,
        directory,
        asItWas: on('as-it-was'),
        holdQueue: on('hold-queue'),
        placeSystem: on('place-system'),
        progress: progressTo(call),
      });
      return { ...done, directory, snapshot: snapshot.id, at: snapshot.at, emails: snapshot.emails };
    });
    if (owner !== undefined) giveTo(directory, owner);
    return restored;
  } finally {
    lock.release();
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whose the files will be: of the user the server runs as, when we are root. */
function ownerFor(directory: string, user: string | undefined): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const found = findUser(user ?? 'postern');
  if (found !== undefined) return found;
  if (user !== undefined) throw new Refusal('not-found', `There is no user ${user}.`);
  return statSync(directory, { throwIfNoEntry: false });
}

function giveTo(path: string, owner: Owner): void {
  chownSync(path, owner.uid, owner.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) giveTo(below, owner);
    else lchownSync(below, owner.uid, owner.gid);
  }
}

/** Write mail of a backup as files, DIR/MAILBOX/UID.eml. Returns how many. */
export async function restoreToFiles(call: Call, source: Source, what: Extract, to: string): Promise<number> {
  return withRepository(call, source, async (repository) => {
    const snapshot = await chosenSnapshot(repository, what.snapshot);
    const directory = await mkdtemp(join(tmpdir(), 'postern-restore-'));
    try {
      await extractMail({ repository, snapshot, directory, what, progress: progressTo(call) });
      return await writeFiles(directory, what, to);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

async function writeFiles(from: string, what: Extract, to: string): Promise<number> {
  const directory = openDataDirectory(from);
  let count = 0;
  try {
    for (const { id, name } of await wantedMailboxes(directory, what)) {
      const folder = join(to, ...name.split('/').map(safeName));
      for await (const row of messagesOf(directory, id)) {
        if (what.uid !== undefined && row.uid !== what.uid) continue;
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const path = join(folder, `${row.uid}.eml`);
        await writeFile(path, directory.seen(row), { mode: 0o600, flag: 'wx' });
        count++;
      }
    }
  } finally {
    directory.close();
  }
  return count;
}

/** A level of a mailbox's name as one of a path. */
function safeName(level: string): string {
  const name = level.replaceAll(/[\0/\\]/g, '_');
  return /^\.{0,2}$/.test(name) ? `_${name}` : name;
}

/** Progress on a terminal, a line that is written over. */
export function progressTo({
  io,
}: Pick<Call, 'io'>): ((done: { bytes: number; of: number }) => void) | undefined {
  if (io.stdin.isTTY !== true) return undefined;
  let told = -1;
  return ({ bytes, of }) => {
    const percent = of === 0 ? 0 : Math.min(100, Math.floor((bytes / of) * 100));
    if (percent === told) return;
    told = percent;
    io.err(`\r${percent} %${percent === 100 ? '\n' : ''}`);
  };
}
