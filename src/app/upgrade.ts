import { accessSync, closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { openDatabaseSnapshot } from '../data/backup/database-snapshot.ts';
import type { BackupState } from '../data/backup/state.ts';
import { copyBeforeUpgrade, roomForCopy, schemaOf } from '../data/db/before-upgrade.ts';
import { migrateSqlite, refuseNewer } from '../data/db/migrate.ts';
import { migrations, schemaVersion } from '../data/db/migrations/index.ts';
import { openSqlite, SqliteReadTx, SqliteSession } from '../data/db/sqlite.ts';
import { checkInvariants } from '../data/mailstore/invariants.ts';
import { reads as backupReads } from '../data/backup/reads.ts';
import { becomeOwner } from './cli/backup-offline.ts';
import { findPlace } from './cli/find-server.ts';
import { processIo } from './cli/index.ts';
import { sizeText, spanText } from './cli/quantities.ts';
import { readFlags } from './flags.ts';
import { programVersion } from './version.ts';

/** `postern upgrade --check`: what the start of this version would do to the data, tried on a copy. */

const HELP = `postern upgrade --check: see whether this version can take over a data directory.

The data is upgraded when the server of the new version starts; nothing else is needed. The check upgrades a copy of the
database and looks whether it is whole; the server may run meanwhile, also an older one.

  --data DIR   data directory (else POSTERN_DATA, ./.postern, or the system's)
  --check      the only thing there is
  --help       this text

Exit status: 0 when the start will go well.
`;

/** Pages that are copied at a time. */
const PAGES = 64;

export async function upgradeCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('postern upgrade', args, { text: ['data'], on: ['check'] });
  if (flags.on.has('help') || !flags.on.has('check')) {
    process.stdout.write(HELP);
    return flags.on.has('help') ? 0 : 2;
  }
  const { directory } = await findPlace(processIo(), flags.text.data);
  becomeOwner(directory);
  // Where one may not look there seems to be nothing.
  accessSync(directory, constants.R_OK | constants.X_OK);
  const { ok, lines } = await checkUpgrade(directory);
  process.stdout.write(`${lines.join('\n')}\n`);
  return ok ? 0 : 1;
}

export interface UpgradeCheck {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

/** Refusal 'conflict' when the data was written by a newer program. */
export async function checkUpgrade(directory: string): Promise<UpgradeCheck> {
  const path = join(directory, 'mail.db');
  const from = schemaOf(path);
  if (from === 0) return { ok: false, lines: [`There is no database in ${directory}.`] };
  refuseNewer(from);
  const lines = [
    `This is Postern ${programVersion()}; the database has schema ${from}, this version ${schemaVersion}.`,
  ];
  if (from === schemaVersion) return { ok: true, lines: [...lines, 'There is nothing to upgrade.'] };
  const steps = migrations.filter(({ version }) => version > from).map(({ name }) => name);
  lines.push(`Steps at the start: ${steps.join(', ')}.`);
  const { needed, free } = roomForCopy(path);
  const room = free >= needed;
  lines.push(
    room
      ? `A copy of the database as it is now will be kept in ${copyBeforeUpgrade(path, from)}.`
      : `NO ROOM for the copy that is kept: ${sizeText(needed)} are needed, ${sizeText(free)} are free.`,
  );
  const tried = room ? await tryUpgrade(directory, path) : { ok: false, line: 'It was not tried on a copy.' };
  lines.push(tried.line, await backupLine(path));
  return { ok: room && tried.ok, lines };
}

async function tryUpgrade(directory: string, path: string): Promise<{ ok: boolean; line: string }> {
  const scratch = mkdtempSync(join(directory, 'scratch-'));
  try {
    const copy = join(scratch, 'mail.db');
    copyDatabase(path, copy);
    const began = systemClock.monotonic();
    const problems = await upgradeCopy(copy);
    const took = Math.ceil((systemClock.monotonic() - began) / 1000);
    return problems.length === 0
      ? { ok: true, line: `Tried on a copy: all went well, in ${took} s.` }
      : { ok: false, line: `Tried on a copy: NOT WELL: ${problems.slice(0, 5).join('; ')}.` };
  } catch (error) {
    return { ok: false, line: `Tried on a copy: IT FAILED: ${errorText(error)}.` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function upgradeCopy(copy: string): Promise<string[]> {
  const db = openSqlite(copy, 'writer');
  try {
    migrateSqlite(db);
    const damage = db
      .prepare('PRAGMA quick_check(5)')
      .all()
      .map((row) => String(row.quick_check))
      .filter((line) => line !== 'ok');
    return [...damage, ...(await checkInvariants(new SqliteReadTx(new SqliteSession(db))))];
  } finally {
    db.close();
  }
}

/** As of one moment, also while a server writes it. */
function copyDatabase(path: string, to: string): void {
  const snapshot = openDatabaseSnapshot(path);
  const file = openSync(to, 'wx', 0o600);
  try {
    for (let first = 1; first <= snapshot.pages; first += PAGES) writeSync(file, snapshot.read(first, PAGES));
  } finally {
    closeSync(file);
    snapshot.close();
  }
}

async function backupLine(path: string): Promise<string> {
  const db = openSqlite(path, 'reader');
  try {
    const { success }: BackupState = await backupReads['backup.state'].run(
      new SqliteReadTx(new SqliteSession(db)),
      null,
    );
    return success === undefined
      ? 'There is no backup that the server knows of: make one first ("postern backup create --to PLACE").'
      : `The last backup is ${spanText(systemClock.now() - success.at)} old.`;
  } finally {
    db.close();
  }
}
