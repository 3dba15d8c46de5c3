import { parentPort, workerData } from 'node:worker_threads';
import { Refusal, type RefusalData, refusalToData } from '../../base/errors.ts';
import { collectGarbage, onQuiet } from '../../base/quiet.ts';
import { runRead } from './read.ts';
import { openSqlite, SqliteSession } from './sqlite.ts';

/** Runs the reads that may take longer than the event loop can spare. */

export interface ReadRequest {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
}

export type ReadAnswer = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly refusal: RefusalData }
  | { readonly bug: string }
);

const session = new SqliteSession(openSqlite((workerData as { path: string }).path, 'reader'));

onQuiet(() => {
  session.shrink();
  collectGarbage();
});
parentPort?.on('message', (request: ReadRequest) => {
  void answer(request).then((message) => parentPort?.postMessage(message));
});

async function answer({ id, name, args }: ReadRequest): Promise<ReadAnswer> {
  try {
    return { id, value: await runRead(session, name, args) };
  } catch (error) {
    if (error instanceof Refusal) return { id, refusal: refusalToData(error) };
    return { id, bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
