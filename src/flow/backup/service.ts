import { errorText, Refusal } from '../../base/errors.ts';
import type { Secret } from '../../data/backup/keys.ts';
import type { PlaceSettings } from '../../data/backup/place.ts';
import { type BackupSettings, backupSettingsSchema } from '../../data/backup/settings.ts';
import type { BackupState } from '../../data/backup/state.ts';
import { readSecret } from './secret.ts';
import { type MailRequest, makeBackup, makeDrill, makeRestore, remember, type TaskParts } from './tasks.ts';
import { createTurns, type Task } from './turns.ts';

export type { MailRequest } from './tasks.ts';
export type { Task } from './turns.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Milliseconds after a backup that failed until the next is tried by itself. */
const RETRY_MS = HOUR;
const MIB = 1024 * 1024;

export interface BackupParts extends TaskParts {
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

export function createBackups(parts: BackupParts): Backups {
  const { store, clock, data } = parts;
  const turns = createTurns(parts);
  const settings = async (): Promise<BackupSettings> => {
    const json = await store.read.run('backup.settings', null);
    return backupSettingsSchema.parse(json === undefined ? {} : JSON.parse(json));
  };
  const state = (): Promise<BackupState> => store.read.run('backup.state', null);
  const scratchOf = ({ scratch }: BackupSettings): string => (scratch === '' ? data : scratch);

  /** `make`: an administrator asked; by itself nothing is begun at an empty place, which may be a disk that is not there. */
  async function create(elsewhere: Elsewhere | undefined, make: boolean): Promise<Task> {
    const wanted = await settings();
    const { place, secret } = elsewhere ?? (await ownPlace(wanted));
    const own = wanted.target === '' || wanted.target === place.target;
    const job = {
      ...createJobOf(parts, wanted, elsewhere === undefined),
      place,
      secret,
      data,
      make,
    } as const;
    return turns.begin('create', (turn) => makeBackup(parts, turn, job, own));
  }

  async function drill(elsewhere?: Elsewhere): Promise<Task> {
    const wanted = await settings();
    const { place, secret } = elsewhere ?? (await ownPlace(wanted));
    const job = { kind: 'drill', scratch: scratchOf(wanted), place, secret, data } as const;
    return turns.begin('drill', (turn) => makeDrill(parts, turn, job));
  }

  return {
    settings,
    state,
    task: turns.task,
    create: (elsewhere) => create(elsewhere, true),
    drill,
    async restore(request, elsewhere) {
      const wanted = await settings();
      const { place, secret } = elsewhere ?? (await ownPlace(wanted));
      const scratch = scratchOf(wanted);
      const job = { kind: 'extract', scratch, what: request.what, place, secret, data } as const;
      return turns.begin('restore', (turn) => makeRestore(parts, turn, job, request));
    },
    async tick() {
      if (turns.stopped || turns.busy) return;
      const due = whatIsDue(await settings(), await state(), clock.now());
      if (due === 'create')
        await create(undefined, false).catch((error: unknown) => cannotBegin(parts, error));
      else if (due === 'drill') await drill().catch((error: unknown) => cannotBegin(parts, error));
    },
    settled: turns.settled,
    stop: turns.stop,
  };
}

/** What is wrong with the settings is a failure too: it is told of in the same places. */
async function cannotBegin(parts: BackupParts, error: unknown): Promise<void> {
  const failure = { at: parts.clock.now(), message: errorText(error) };
  parts.logger.error({ error: failure.message }, 'backup: cannot begin');
  await remember(parts, { triedAt: failure.at, failure });
}

async function ownPlace(settings: BackupSettings): Promise<Elsewhere> {
  if (settings.target !== '') return { place: settings, secret: await readSecret(settings) };
  throw new Refusal(
    'bad-input',
    'No place for backups is set: name one, or "postern backup set target PLACE".',
  );
}

/** `prune`: afterwards, as the settings say. */
function createJobOf({ clock, system, program }: BackupParts, settings: BackupSettings, prune: boolean) {
  const { keep_daily: daily, keep_weekly: weekly, keep_monthly: monthly, credentials_file: file } = settings;
  return {
    kind: 'create',
    now: clock.now(),
    // The key of the backups themselves is not among them: who has lost it could not get at it.
    system: [...system(), ...(file === '' ? [] : [file])],
    program,
    bytesPerSecond: settings.mib_per_second * MIB,
    keep: prune ? { daily, weekly, monthly } : undefined,
  } as const;
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
