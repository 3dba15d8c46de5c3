import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import type { Secret } from '../../data/backup/keys.ts';
import type { PlaceSettings } from '../../data/backup/place.ts';
import { type BackupSettings, backupSettingsSchema } from '../../data/backup/settings.ts';
import type { BackupState } from '../../data/backup/state.ts';
import type { OpenStore } from '../../data/open.ts';
import { bringBack, type BroughtBack } from './bring-back.ts';
import type { Extract } from './extract.ts';
import type {
  BackupJob,
  CreateJob,
  CreateResult,
  DrillJob,
  DrillResult,
  ExtractJob,
  JobResult,
} from './job.ts';
import { readSecret } from './secret.ts';
import { type RunningJob, startJob } from './run-job.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Milliseconds after a backup that failed until the next is tried by itself. */
const RETRY_MS = HOUR;
const MIB = 1024 * 1024;

export interface BackupParts {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The data directory. */
  readonly data: string;
  /** Files elsewhere that belong to the server: configuration, certificates. */
  readonly system: () => readonly string[];
  readonly program: string;
}

/** Another place than the one in the settings, with what opens it. */
export interface Elsewhere {
  readonly place: PlaceSettings;
  readonly secret: Secret;
}

export interface MailRequest {
  readonly what: Extract;
  readonly to: string;
  readonly below?: string | undefined;
}

export type TaskKind = 'create' | 'drill' | 'restore';

/** Something long: one at a time. */
export interface Task {
  readonly id: string;
  readonly kind: TaskKind;
  readonly startedAt: number;
  readonly progress: { readonly bytes: number; readonly of: number } | undefined;
  /** Undefined: it is at work. */
  readonly end: TaskEnd | undefined;
}

export type TaskEnd =
  | { readonly ok: true; readonly result: CreateResult | DrillResult | BroughtBack }
  | { readonly ok: false; readonly message: string };

export interface Backups {
  settings(): Promise<BackupSettings>;
  state(): Promise<BackupState>;
  /** The task at work, or the last one. */
  task(): Task | undefined;
  /** These begin and answer at once. Refusal 'conflict' while another is at work, 'bad-input' without a place or key. */
  create(elsewhere?: Elsewhere): Promise<Task>;
  drill(elsewhere?: Elsewhere): Promise<Task>;
  restore(request: MailRequest, elsewhere?: Elsewhere): Promise<Task>;
  /** Begin what is due by the schedule. */
  tick(): Promise<void>;
  /** Resolves when nothing is at work. */
  settled(): Promise<void>;
  /** Ends what is at work: a backup goes on where it was the next time. */
  stop(): Promise<void>;
}

interface Running {
  task: Task;
  job: RunningJob | undefined;
  readonly over: Promise<void>;
}

export function createBackups(parts: BackupParts): Backups {
  const { store, clock, logger } = parts;
  let current: Running | undefined;
  let stopped = false;

  const settings = async (): Promise<BackupSettings> => {
    const json = await store.read.run('backup.settings', null);
    return backupSettingsSchema.parse(json === undefined ? {} : JSON.parse(json));
  };
  const state = (): Promise<BackupState> => store.read.run('backup.state', null);
  const remember = async (more: BackupState): Promise<void> => {
    await store.write.run('backup.saveState', { state: { ...(await state()), ...more } });
  };

  /** Run something as the only task. */
  function begin(kind: TaskKind, work: (running: Running) => Promise<TaskEnd>): Task {
    if (stopped) throw new Refusal('unavailable', 'The server is about to stop.');
    if (current !== undefined && current.task.end === undefined) {
      const minutes = Math.floor((clock.now() - current.task.startedAt) / 60_000);
      throw new Refusal(
        'conflict',
        `The server is at work on backups already (${current.task.kind}, for ${minutes} min).`,
      );
    }
    const task: Task = {
      id: timeId(clock.now()),
      kind,
      startedAt: clock.now(),
      progress: undefined,
      end: undefined,
    };
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const running: Running = { task, job: undefined, over };
    current = running;
    void work(running)
      .catch((error: unknown): TaskEnd => ({ ok: false, message: errorText(error) }))
      .then((end) => {
        running.task = { ...running.task, end };
        if (!end.ok) logger.error({ task: kind, error: end.message }, 'backup: failed');
        resolve();
      });
    return task;
  }

  function runJob(running: Running, job: BackupJob): Promise<JobResult> {
    running.job = startJob(job, (progress) => {
      running.task = { ...running.task, progress };
    });
    if (stopped) running.job.kill();
    return running.job.done;
  }

  /** Where, and with which key. */
  async function whereTo(
    elsewhere: Elsewhere | undefined,
  ): Promise<Elsewhere & { settings: BackupSettings }> {
    const wanted = await settings();
    if (elsewhere !== undefined) return { ...elsewhere, settings: wanted };
    if (wanted.target === '')
      throw new Refusal(
        'bad-input',
        'No place for backups is set: name one, or "postern backup set target PLACE".',
      );
    return { place: wanted, secret: await readSecret(wanted), settings: wanted };
  }

  const scratchOf = ({ scratch }: BackupSettings): string => (scratch === '' ? parts.data : scratch);

  /** `make`: an administrator asked; by itself nothing is begun at an empty place, which may be a disk that is not there. */
  async function create(elsewhere: Elsewhere | undefined, make: boolean): Promise<Task> {
    const { place, secret, settings: wanted } = await whereTo(elsewhere);
    const own = wanted.target === '' || wanted.target === place.target;
    const { keep_daily: daily, keep_weekly: weekly, keep_monthly: monthly } = wanted;
    const job: CreateJob = {
      kind: 'create',
      now: clock.now(),
      system: [...parts.system(), ...secretFiles(wanted)],
      program: parts.program,
      make,
      bytesPerSecond: wanted.mib_per_second * MIB,
      keep: elsewhere === undefined ? { daily, weekly, monthly } : undefined,
    };
    return begin('create', (running) =>
      createTask(running, { ...job, place, secret, data: parts.data }, own),
    );
  }

  async function createTask(running: Running, job: BackupJob, own: boolean): Promise<TaskEnd> {
    const began = clock.monotonic();
    const { startedAt } = running.task;
    if (own) await remember({ triedAt: startedAt });
    // What the database names when the backup begins stays until it has been read.
    const release = store.bodies.keepAll();
    try {
      const result = (await runJob(running, job)) as CreateResult;
      const { snapshot, problems, snapshots } = result;
      const { id, bytes, added, emails } = snapshot;
      const tookMs = Math.round(clock.monotonic() - began);
      for (const problem of problems) logger.warn({ problem }, 'backup: something was left out');
      logger.info({ snapshot: id, bytes, added, emails, tookMs, pruned: result.pruned }, 'backup: done');
      if (own)
        await remember({
          success: { at: startedAt, snapshot: id, bytes, added, emails, tookMs, snapshots, problems },
          failure: undefined,
        });
      return { ok: true, result };
    } catch (error) {
      if (own && !stopped) await remember({ failure: { at: clock.now(), message: errorText(error) } });
      throw error;
    } finally {
      await release();
    }
  }

  async function drill(elsewhere: Elsewhere | undefined): Promise<Task> {
    const { place, secret, settings: wanted } = await whereTo(elsewhere);
    const job: DrillJob = { kind: 'drill', scratch: scratchOf(wanted) };
    return begin('drill', (running) => drillTask(running, { ...job, place, secret, data: parts.data }));
  }

  async function drillTask(running: Running, job: BackupJob): Promise<TaskEnd> {
    const began = clock.monotonic();
    const at = clock.now();
    try {
      const result = (await runJob(running, job)) as DrillResult;
      const { ok, snapshot, snapshotAt, mailboxes, messages, compared, problems } = result;
      const tookMs = Math.round(clock.monotonic() - began);
      const told = { snapshot, mailboxes: mailboxes.length, messages, compared, tookMs };
      if (ok) logger.info(told, 'backup: the restore drill went well');
      else logger.error({ ...told, problems }, 'backup: THE RESTORE DRILL FAILED');
      await remember({ drill: { at, ok, snapshotAt, problems, ...told } });
      return { ok: true, result };
    } catch (error) {
      const none = { snapshot: '', snapshotAt: 0, mailboxes: 0, messages: 0, compared: 0, tookMs: 0 };
      if (!stopped) await remember({ drill: { at, ok: false, ...none, problems: [errorText(error)] } });
      throw error;
    }
  }

  async function restore(request: MailRequest, elsewhere: Elsewhere | undefined): Promise<Task> {
    const { place, secret, settings: wanted } = await whereTo(elsewhere);
    const job: ExtractJob = { kind: 'extract', scratch: scratchOf(wanted), what: request.what };
    return begin('restore', async (running) => {
      const extracted = await runJob(running, { ...job, place, secret, data: parts.data });
      if (extracted.kind !== 'extract') throw new Error('another job answered');
      try {
        const result = await bringBack({ store, from: extracted.directory, ...request });
        const { restored, there } = result;
        logger.info({ account: request.to, restored, there }, 'backup: mail was brought back');
        return { ok: true, result };
      } finally {
        await rm(extracted.directory, { recursive: true, force: true });
      }
    });
  }

  return {
    settings,
    state,
    task: () => current?.task,
    create: (elsewhere) => create(elsewhere, true),
    drill,
    restore,
    async tick() {
      if (stopped || (current !== undefined && current.task.end === undefined)) return;
      const due = whatIsDue(await settings(), await state(), clock.now());
      // What is wrong with the settings is a failure too: it is told of in the same places.
      const fail = async (error: unknown): Promise<void> => {
        const failure = { at: clock.now(), message: errorText(error) };
        logger.error({ error: failure.message }, 'backup: cannot begin');
        await remember({ triedAt: clock.now(), failure });
      };
      if (due === 'create') await create(undefined, false).catch(fail);
      else if (due === 'drill') await drill(undefined).catch(fail);
    },
    async settled() {
      await current?.over;
    },
    async stop() {
      stopped = true;
      current?.job?.kill();
      await current?.over;
    },
  };
}

/** The files that a restored server needs to go on with its backups; their own key is not among them. */
function secretFiles({ credentials_file: file }: BackupSettings): string[] {
  return file === '' ? [] : [join(file)];
}

/** What the schedule asks for now. */
export function whatIsDue(
  { target, every_hours: everyHours, drill_days: drillDays }: BackupSettings,
  { triedAt = 0, success, drill }: BackupState,
  now: number,
): 'create' | 'drill' | undefined {
  if (target === '') return undefined;
  const last = success?.at ?? 0;
  // Failed, or cut short by the end of the server.
  const failed = triedAt > last;
  if (everyHours > 0 && now >= last + everyHours * HOUR && (!failed || now >= triedAt + RETRY_MS))
    return 'create';
  if (drillDays === 0 || success === undefined) return undefined;
  const wait = drill === undefined || drill.ok ? drillDays * DAY : DAY;
  return drill === undefined || now >= drill.at + wait ? 'drill' : undefined;
}
