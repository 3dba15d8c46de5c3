import { createDiskReserve, type DiskReserve, type DiskSpace, type DiskState } from '../base/disk-reserve.ts';
import type { Clock } from '../base/clock.ts';
import { timeId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { OpenStore } from '../data/open.ts';
import { expireMail, tellQuotas } from '../flow/housekeeping/jobs.ts';
import {
  defaultHousekeeping,
  type HousekeepingSettings,
  housekeepingSettingsSchema,
  reserveWish,
} from '../flow/housekeeping/settings.ts';
import type { Housekeeping } from '../flow/housekeeping/types.ts';
import type { FlowDeps } from '../flow/deps.ts';
import type { Job } from './jobs.ts';

/** What the server does by itself so that disks and mailboxes do not fill. */
export interface HousekeepingPart extends Housekeeping {
  readonly disk: DiskReserve;
  /** The settings have changed. */
  changed(): Promise<void>;
  stop(): void;
}

export interface HousekeepingParts {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly recorder: Pick<Recorder, 'event'>;
  /** The data directory. */
  readonly data: string;
  /** For tests. */
  readonly space?: ((directory: string) => Promise<DiskSpace>) | undefined;
}

const HOUR = 3_600_000;
/** Milliseconds between two looks at quotas. */
const QUOTA_MS = 5 * 60_000;

/** Resolves when it is known how much room there is. */
export async function createHousekeeping(parts: HousekeepingParts): Promise<HousekeepingPart> {
  const { store, clock, logger, metrics, data, space } = parts;
  let settings = await readSettings(store, logger);
  const disk = createDiskReserve({
    directory: data,
    clock,
    logger,
    wish: () => reserveWish(settings),
    onChange: (state) => note(parts, state),
    ...(space !== undefined && { space }),
  });
  await disk.look();
  diskMetrics(metrics, disk);
  return {
    disk,
    settings: () => settings,
    async changed() {
      settings = await readSettings(store, logger);
      await disk.look();
    },
    stop: () => disk.stop(),
  };
}

/** What a later version wrote and this one does not know must not keep the server from starting. */
async function readSettings(store: OpenStore, logger: Logger): Promise<HousekeepingSettings> {
  const json = await store.read.run('housekeeping.settings', null);
  if (json === undefined) return defaultHousekeeping;
  const parsed = housekeepingSettingsSchema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  logger.error(
    {},
    'housekeeping: its settings cannot be used; the defaults hold (postern housekeeping show)',
  );
  return defaultHousekeeping;
}

function note(
  { clock, logger, recorder }: HousekeepingParts,
  { free, total, reserve, low }: DiskState,
): void {
  const at = clock.now();
  const facts = { free, total, reserve: Math.round(reserve) };
  if (low) logger.error(facts, 'disk: nearly full, new mail is put off until there is room');
  else logger.info(facts, 'disk: there is room again, new mail is taken');
  const kind = low ? 'disk.low' : 'disk.enough';
  recorder.event({ trace: timeId(at), at, kind, data: facts, terms: [] });
}

/** What is known of the disk. */
export function diskMetrics(metrics: Metrics, disk: DiskReserve): void {
  const gauge = (name: string, help: string, value: (state: DiskState) => number): void => {
    metrics.gauge(name, help, [], function collect() {
      const state = disk.state();
      if (state === undefined) this.remove();
      else this.set(value(state));
    });
  };
  gauge('postern_disk_low', '1 while new mail is put off because the disk is nearly full', ({ low }) =>
    Number(low),
  );
  gauge(
    'postern_disk_reserve_bytes',
    'Octets that have to be free for new mail to be taken',
    ({ reserve }) => reserve,
  );
  gauge('postern_disk_size_bytes', 'Octets of the disk that holds the data directory', ({ total }) => total);
}

/** What is done every now and then. */
export function housekeepingJobs(deps: () => FlowDeps, metrics: Metrics): readonly Job[] {
  const expired = metrics.counter(
    'postern_housekeeping_expired_total',
    'Messages that left Trash or Junk because of their age',
    ['mailbox'],
  );
  const told = metrics.counter(
    'postern_quota_notices_total',
    'Times that an owner was told that a mailbox fills',
    ['percent'],
  );
  return [
    {
      name: 'empty Trash and Junk',
      everyMs: HOUR,
      async run() {
        await expireMail(deps(), (mailbox, messages) => expired.inc({ mailbox }, messages));
        return false;
      },
    },
    {
      name: 'tell of quotas',
      everyMs: QUOTA_MS,
      async run() {
        await tellQuotas(deps(), (percent) => told.inc({ percent: String(percent) }));
        return false;
      },
    },
  ];
}
