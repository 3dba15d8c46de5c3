import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { collectGarbage, onQuiet } from '../../base/quiet.ts';
import type { Logger } from '../../base/log.ts';
import { FileBlobStore } from '../blobs/file.ts';
import { createBlobReader } from '../blobs/reader.ts';
import { inSnapshot, openPool } from '../db/postgres.ts';
import { keepNoHeaders } from '../mailstore/content-reader.ts';
import { readCatalogue, runRead } from '../db/read.ts';
import { openSqlite, SqliteSession } from '../db/sqlite.ts';
import type { Reader } from '../store.ts';
import { SearchEngine } from './engine.ts';
import type { SearchThreadData, ToSearch } from './thread-messages.ts';

/** Keeps the search indexes, and answers from them, apart from the event loop that moves bytes. */

const { database, data, directory } = workerData as SearchThreadData;

/** Connections to PostgreSQL: one account is worked on at a time, while searches look for new mail. */
const POOL = 2;

/** Octets of bodies kept: each is read once, though in pieces. */
const KEPT_BODIES = 1024 * 1024;

const reader = database.kind === 'sqlite' ? sqliteReader(database.path) : postgresReader(database.url);
const blobs = createBlobReader(reader.read, await FileBlobStore.open(join(data, 'bodies')), KEPT_BODIES);
keepNoHeaders(blobs);
const engine = new SearchEngine({
  directory,
  read: reader.read,
  blobs,
  clock: systemClock,
  logger: toParent({}),
});

onQuiet(() => {
  engine.rest();
  reader.shrink();
  collectGarbage();
});
parentPort?.on('message', (message: ToSearch) => void take(message));
parentPort?.postMessage({ kind: 'ready' });
engine.start().catch((error: unknown) => {
  toParent({}).error({ error: errorText(error) }, 'search: the accounts could not be looked through');
});

async function take(message: ToSearch): Promise<void> {
  if (message.kind === 'changed') {
    for (const account of message.accounts) engine.changed(account);
    return;
  }
  if (message.kind === 'close') {
    await engine.close();
    await reader.close();
    parentPort?.close();
    return;
  }
  const { id } = message;
  try {
    parentPort?.postMessage({ kind: 'answer', id, value: await answer(message) });
  } catch (error) {
    parentPort?.postMessage({ kind: 'failed', id, error: errorText(error) });
  }
}

function answer(message: Extract<ToSearch, { id: number }>): unknown {
  switch (message.kind) {
    case 'find':
      return engine.find(message.accountId, message.query);
    case 'rebuild':
      return engine.rebuild(message.accountId);
    case 'states':
      return engine.states(message.accountIds);
    case 'totals':
      return engine.totals();
  }
}

interface OwnReader {
  readonly read: Reader;
  /** Give back memory that is not in use. */
  shrink(): void;
  close(): Promise<void>;
}

function sqliteReader(path: string): OwnReader {
  const session = new SqliteSession(openSqlite(path, 'reader'));
  return {
    read: { run: (name, args) => runRead(session, name, args) as never },
    shrink: () => session.shrink(),
    close: () => Promise.resolve(session.db.close()),
  };
}

function postgresReader(url: string): OwnReader {
  const pool = openPool(url, POOL);
  return {
    read: {
      run: (name, args) => inSnapshot(pool, (tx) => readCatalogue[name]?.run(tx, args) as Promise<never>),
    },
    shrink: () => undefined,
    close: () => pool.end(),
  };
}

function toParent(own: object): Logger {
  const log = (level: string) => (fields: object, text: string) =>
    parentPort?.postMessage({ kind: 'log', level, fields: { ...own, ...fields }, text });
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => toParent({ ...own, ...fields }),
  };
}
