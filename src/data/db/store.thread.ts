import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Refusal, refusalToData } from '../../base/errors.ts';
import { collectGarbage, onQuiet } from '../../base/quiet.ts';
import { SegmentWriter } from '../blobs/segments.ts';
import { keepBeforeUpgrade, upgradeDone } from './before-upgrade.ts';
import { runGroup, type WriteBatch, type WriteRequest } from './group.ts';
import { migrateSqlite } from './migrate.ts';
import { openSqlite, SqliteSession } from './sqlite.ts';

/**
 * The store: the only thread that writes the database. It takes whatever requests have gathered, runs them in one
 * transaction and answers after its fsync; while it commits, the next group gathers. So the cost of an fsync is
 * shared by all who wait for it, and an idle server answers a single write at once.
 */

/** Requests taken into one transaction at most: bounds the time to the first answer and the memory of a group. */
const GROUP_MAX = 256;

interface ThreadData {
  readonly path: string;
  /** The directory of segments. */
  readonly segments: string;
  readonly port: MessagePort;
  /** Opened again after a commit failed. */
  readonly afterFailure: boolean;
}

const { path, segments, port, afterFailure } = workerData as ThreadData;
const pending: WriteRequest[] = [];
let running = false;
/** Told to close: what was asked for before is still done. */
let closing = false;
/** The time of the newest request: the thread has no clock of its own, so a test's clock holds here too. */
let now = 0;

const { db, ...upgraded } = open();
const session = new SqliteSession(db, new SegmentWriter(segments));
// The failed commit may stand whole in the log, behind its end, where a recovery would take it for a good one. A commit
// of our own is written over it before anything is promised; when it fails too, this thread ends and is started again.
if (afterFailure) {
  db.exec(`INSERT INTO settings (name, value) VALUES ('store.reopened', '1')
    ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(settings.value AS INTEGER) + 1 AS TEXT)`);
}

port.on('message', (message: WriteBatch | 'close') => {
  if (message === 'close') closing = true;
  else take(message);
  if (!running) void work();
});
onQuiet(() => {
  session.shrink();
  collectGarbage();
});
parentPort?.postMessage({ ready: upgraded });

/** The database with the schema of this program. What a person can mend is told in its own words, and the thread ends. */
function open() {
  try {
    const kept = keepBeforeUpgrade(path);
    const opened = openSqlite(path, 'writer');
    const migrated = migrateSqlite(opened);
    upgradeDone(path);
    return { db: opened, ...migrated, kept };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    parentPort?.postMessage({ refused: refusalToData(error) });
    return process.exit(1);
  }
}

function take(batch: WriteBatch): void {
  now = batch.now;
  pending.push(...batch.requests);
}

async function work(): Promise<void> {
  running = true;
  while (pending.length > 0) {
    // What arrived during the last commit is still in the port: take it into this group.
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) {
      if (more.message === 'close') closing = true;
      else take(more.message as WriteBatch);
    }
    const group = pending.splice(0, GROUP_MAX);
    const outcome = await runGroup(session, group, now);
    port.postMessage({ answers: outcome.answers, after: outcome.after });
    if (outcome.broken !== undefined) {
      // Leave at once, without closing the connection: closing would checkpoint what the failed fsync left behind.
      parentPort?.postMessage({ broken: outcome.broken });
      process.exit(1);
    }
  }
  running = false;
  if (closing) close();
}

function close(): void {
  session.segments?.abandon();
  db.close();
  port.close();
}
