import { constants, copyFile, mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import { putSetting } from '../directory/directory.sql.ts';
import { EPOCH, newEpoch } from '../jmap/epoch.ts';
import { openSqlite } from '../db/sqlite.ts';
import { MAX_UID } from '../mailstore/types.ts';
import {
  holdQueue,
  holdRecipients,
  leapAccounts,
  leapIds,
  leapMailboxes,
  leapPlacements,
  waitingInQueue,
} from './messages.sql.ts';
import type { Repository, Snapshot } from './repository.ts';
import { restoreFiles, type RestoreOptions } from './restore.ts';

/** Below the directory that is restored to, until everything is there. */
const UNDER_WAY = '.restoring';
/** What may lie in a directory that counts as empty: left by an earlier try, or by the file system. */
const HARMLESS = new Set([UNDER_WAY, 'lock', 'lock-journal', 'pid', 'run', 'lost+found', 'restored-system']);
/** UIDs and modification numbers that are left out after a restore. */
const GAP = 1_000_000;

export interface WholeOptions extends Pick<RestoreOptions, 'progress'> {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  /** The new data directory: missing or empty, and ours alone (locked). */
  readonly directory: string;
  /**
   * Leave the numbers that clients remember as they were: for looking, not for going on. Otherwise clients that have
   * seen newer mail than the backup has are kept from taking new messages for those.
   */
  readonly asItWas?: boolean;
  /** Hold what waits in the queue: it may have been sent since. */
  readonly holdQueue?: boolean;
  /** Put configuration and certificates to where they were, where nothing is; else they go below `restored-system`. */
  readonly placeSystem?: boolean;
}

export interface RestoredWhole {
  readonly files: number;
  readonly bytes: number;
  /** Recipients waiting in the queue (held ones not counted). */
  readonly waiting: number;
  /** Where files from elsewhere on the machine went. */
  readonly system: readonly string[];
}

/** Refusal 'conflict' when there is something in the directory. */
export async function refuseFull(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const found = (await readdir(directory)).filter((name) => !HARMLESS.has(name));
  if (found.length === 0) return;
  throw new Refusal(
    'conflict',
    `${directory} is not empty (${found.slice(0, 3).join(', ')}): move it away first, or restore to another directory.`,
  );
}

/**
 * Restore everything. The database gets its name last, so a directory with a `mail.db` is a whole one; after a kill the
 * same call begins anew.
 */
export async function restoreWhole(options: WholeOptions): Promise<RestoredWhole> {
  const { directory, placeSystem = false } = options;
  await refuseFull(directory);
  const temporary = join(directory, UNDER_WAY);
  await rm(temporary, { recursive: true, force: true });
  const elsewhere = join(temporary, 'restored-system');
  const done = await restoreFiles({
    ...options,
    target: ({ root, path }) => join(root === 'data' ? temporary : elsewhere, path),
  });
  const waiting = goOn(join(temporary, 'mail.db'), options);
  const left = join(directory, 'restored-system');
  const system = placeSystem
    ? await placeOrLeave(elsewhere, left)
    : (await namesBelow(elsewhere)).map((name) => join(left, name));
  const names = (await readdir(temporary)).filter((name) => name !== 'mail.db');
  for (const name of names) {
    await rm(join(directory, name), { recursive: true, force: true });
    await rename(join(temporary, name), join(directory, name));
  }
  await rename(join(temporary, 'mail.db'), join(directory, 'mail.db'));
  await rm(temporary, { recursive: true, force: true });
  return { ...done, waiting, system };
}

/** Make the database fit to go on with. Returns the recipients that wait in the queue. */
function goOn(path: string, { asItWas = false, holdQueue: hold = false }: WholeOptions): number {
  const db = openSqlite(path, 'writer');
  try {
    db.exec('BEGIN IMMEDIATE');
    if (!asItWas) {
      db.prepare(leapAccounts.text.sqlite).run(GAP);
      db.prepare(leapMailboxes.text.sqlite).run(MAX_UID - GAP, GAP);
      db.prepare(leapPlacements.text.sqlite).run();
      db.prepare(leapIds.text.sqlite).run(GAP);
      db.prepare(putSetting.text.sqlite).run(EPOCH, newEpoch());
    }
    if (hold) {
      db.prepare(holdQueue.text.sqlite).run('restored from a backup: it may have been sent since');
      db.prepare(holdRecipients.text.sqlite).run();
    }
    const row = db.prepare(waitingInQueue.text.sqlite).get();
    db.exec('COMMIT');
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return Number(row?.count ?? 0);
  } finally {
    db.close();
  }
}

async function namesBelow(root: string, path = ''): Promise<string[]> {
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries) {
    const name = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await namesBelow(root, name)));
    else found.push(name);
  }
  return found;
}

/** Where each file is afterwards: where it was on the old machine, if nothing is there and we may write there. */
async function placeOrLeave(from: string, left: string): Promise<string[]> {
  const places: string[] = [];
  for (const name of await namesBelow(from)) {
    const target = join('/', name);
    try {
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(from, name), target, constants.COPYFILE_EXCL);
      await unlink(join(from, name));
      places.push(target);
    } catch {
      places.push(join(left, name));
    }
  }
  return places;
}
