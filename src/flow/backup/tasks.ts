import { rm } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Tracer } from '../../base/tracing.ts';
import type { BackupState } from '../../data/backup/state.ts';
import type { OpenStore } from '../../data/open.ts';
import { bringBack } from './bring-back.ts';
import type { Extract } from './extract.ts';
import type { BackupJob } from './job.ts';
import type { TaskEnd, Turn } from './turns.ts';

/** What the server does about a job that runs in its process: before, after, and what it remembers of it. */

export interface TaskParts {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
}

/** Mail of a backup, and where it goes. */
export interface MailRequest {
  readonly what: Extract;
  /** Address of the account that gets it. */
  readonly to: string;
  readonly below?: string | undefined;
}

export async function remember({ store }: Pick<TaskParts, 'store'>, more: BackupState): Promise<void> {
  const state = await store.read.run('backup.state', null);
  await store.write.run('backup.saveState', { state: { ...state, ...more } });
}

/** `own`: at the place of the settings, so that it counts. */
export async function makeBackup(
  parts: TaskParts,
  turn: Turn,
  job: BackupJob & { readonly kind: 'create' },
  own: boolean,
): Promise<TaskEnd> {
  const { store, clock, logger } = parts;
  const began = clock.monotonic();
  if (own) await remember(parts, { triedAt: turn.startedAt });
  // What the database names when the backup begins stays until it has been read.
  const release = store.bodies.keepAll();
  try {
    const result = await turn.run(job);
    if (result.kind !== 'create') throw new Error('another job answered');
    const { snapshot, problems, snapshots, pruned } = result;
    const { id, bytes, added, emails } = snapshot;
    const tookMs = Math.round(clock.monotonic() - began);
    for (const problem of problems) logger.warn({ problem }, 'backup: something was left out');
    logger.info({ snapshot: id, bytes, added, emails, tookMs, pruned }, 'backup: done');
    const success = { at: turn.startedAt, snapshot: id, bytes, added, emails, tookMs, snapshots, problems };
    if (own) await remember(parts, { success, failure: undefined });
    return { ok: true, result };
  } catch (error) {
    // A stop of the server is no failure: it goes on after the next start.
    if (own && !turn.stopped)
      await remember(parts, { failure: { at: clock.now(), message: errorText(error) } });
    throw error;
  } finally {
    await release();
  }
}

export async function makeDrill(parts: TaskParts, turn: Turn, job: BackupJob): Promise<TaskEnd> {
  const { clock, logger } = parts;
  const began = clock.monotonic();
  const at = turn.startedAt;
  try {
    const result = await turn.run(job);
    if (result.kind !== 'drill') throw new Error('another job answered');
    const { ok, snapshot, snapshotAt, mailboxes, messages, compared, problems } = result;
    const tookMs = Math.round(clock.monotonic() - began);
    const told = { snapshot, mailboxes: mailboxes.length, messages, compared, tookMs };
    if (ok) logger.info(told, 'backup: the restore drill went well');
    else logger.error({ ...told, problems }, 'backup: THE RESTORE DRILL FAILED');
    await remember(parts, { drill: { at, ok, snapshotAt, problems, ...told } });
    return { ok: true, result };
  } catch (error) {
    const none = { snapshot: '', snapshotAt: 0, mailboxes: 0, messages: 0, compared: 0, tookMs: 0 };
    const drill = { at, ok: false, ...none, problems: [errorText(error)] };
    if (!turn.stopped) await remember(parts, { drill });
    throw error;
  }
}

export async function makeRestore(
  { store, logger }: TaskParts,
  turn: Turn,
  job: BackupJob,
  request: MailRequest,
): Promise<TaskEnd> {
  const extracted = await turn.run(job);
  if (extracted.kind !== 'extract') throw new Error('another job answered');
  const from = extracted.directory;
  try {
    const result = await bringBack({ store, from, ...request, stopped: () => turn.stopped });
    const { restored, there } = result;
    logger.info({ account: request.to, restored, there }, 'backup: mail was brought back');
    return { ok: true, result };
  } finally {
    await rm(from, { recursive: true, force: true });
  }
}
