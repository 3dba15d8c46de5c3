import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../base/files.ts';
import { Refusal } from '../../base/errors.ts';
import { schemaVersion } from './migrations/index.ts';
import { openSqlite } from './sqlite.ts';

/** Beside the database: the one of before the last upgrade, `mail-vN.db`, N being its schema. */
const FOLDER = 'before-upgrade';
/** There while the steps of an upgrade run; a start that finds it goes on with an upgrade that was killed. */
const UNDER_WAY = 'under-way';
/** Made by an administrator who has no room for a copy. */
const SKIP = 'skip';
/** Free octets that the copy leaves on the disk, for the upgrade itself. */
const SPARE_BYTES = 128 * 1024 * 1024;

/** The schema of a database file; 0: there is none. */
export function schemaOf(path: string): number {
  if (!existsSync(path)) return 0;
  const db = openSqlite(path, 'reader');
  try {
    return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  } finally {
    db.close();
  }
}

/** Where the copy of a database lies that had this schema. */
export function copyBeforeUpgrade(path: string, schema: number): string {
  return join(dirname(path), FOLDER, `mail-v${schema}.db`);
}

/** What a copy needs, and what is free for it, in octets. */
export function roomForCopy(path: string): { readonly needed: number; readonly free: number } {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const { bavail, bsize } = statfsSync(dirname(path));
  return { needed: statSync(path).size + log + SPARE_BYTES, free: bavail * bsize };
}

/**
 * Keep a copy of a database that is about to be upgraded, until the next upgrade. Call it while nobody in this process
 * has the database open: a copy closes a file of it, which would end SQLite's locks (POSIX). Resolves to the copy;
 * undefined: there is nothing to upgrade, or it was made before. Refusal 'storage-full' with the remedy.
 */
export function keepBeforeUpgrade(path: string): string | undefined {
  const from = schemaOf(path);
  const folder = join(dirname(path), FOLDER);
  if (from === 0 || from >= schemaVersion) return undefined;
  if (existsSync(join(folder, UNDER_WAY)) || existsSync(join(folder, SKIP))) return undefined;
  const { needed, free } = roomForCopy(path);
  if (free < needed) throw noRoom(needed, free, folder);
  makeDirectory(folder);
  moveLogIntoDatabase(path);
  const copy = copyBeforeUpgrade(path, from);
  const part = `${copy}.part`;
  rmSync(part, { force: true });
  // Costs nothing where the file system can share the blocks (btrfs, XFS).
  copyFileSync(path, part, constants.COPYFILE_FICLONE);
  sync(part);
  renameSync(part, copy);
  writeFileSync(join(folder, UNDER_WAY), `${from}\n`, { mode: 0o600 });
  sync(folder);
  for (const name of readdirSync(folder))
    if (/^mail-v\d+\.db$/.test(name) && join(folder, name) !== copy) rmSync(join(folder, name));
  return copy;
}

/** The database has the schema of this program. */
export function upgradeDone(path: string): void {
  rmSync(join(dirname(path), FOLDER, UNDER_WAY), { force: true });
}

/** The file alone is the whole database then. */
function moveLogIntoDatabase(path: string): void {
  const db = openSqlite(path, 'writer');
  try {
    const row = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    if (Number(row?.busy) !== 0)
      throw new Refusal(
        'conflict',
        `${path} is in use by another program: close that one before the upgrade.`,
      );
  } finally {
    db.close();
  }
}

function noRoom(needed: number, free: number, folder: string): Refusal {
  const mib = (octets: number): string => `${Math.ceil(octets / 1024 / 1024)} MiB`;
  return new Refusal(
    'storage-full',
    `The database is upgraded, and a copy of it as it is now is kept first. That needs ${mib(needed)}, and ${mib(free)} are free. ` +
      `Free some space; or, with a backup at hand, go without: mkdir -p ${folder} && touch ${join(folder, SKIP)}`,
  );
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
