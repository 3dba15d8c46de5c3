import { resolve } from 'node:path';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { BackupState } from '../data/backup/state.ts';
import { type Backups, createBackups } from '../flow/backup/service.ts';
import type { Config } from './config.ts';
import type { Core } from './core.ts';
import type { Job } from './jobs.ts';
import { programVersion } from './version.ts';

/** Backups of the running server: by the schedule, and when somebody asks. */
export interface BackupPart {
  readonly backups: Backups;
  readonly jobs: readonly Job[];
}

/** Milliseconds between two looks at the schedule; a server that has just started is left alone for so long. */
const LOOK_MS = 5 * 60_000;

export function createBackupPart(core: Core): BackupPart {
  const { store, clock, metrics, options } = core;
  const { logger, configFile } = options;
  const backups = createBackups({
    store,
    clock,
    logger,
    tracer: core.telemetry.tracer,
    data: core.live.config.data,
    system: () => systemFiles(core.live.config, configFile),
    program: programVersion(),
  });
  backupMetrics({ backups, metrics, logger, now: () => clock.now() });
  return {
    backups,
    jobs: [
      {
        name: 'backups that are due',
        everyMs: LOOK_MS,
        async run() {
          await backups.tick();
          return false;
        },
      },
    ],
  };
}

/** What a new machine needs besides the data directory. */
function systemFiles({ tls, relay, telemetry }: Config, configFile: string | undefined): string[] {
  const files = [configFile ?? '', tls.cert, tls.key, relay.password_file, telemetry.headers_file];
  return files.filter((file) => file !== '').map((file) => resolve(file));
}

interface MetricParts {
  readonly backups: Pick<Backups, 'state' | 'task'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Gauges that are not there (NaN) until there is something to tell. */
function backupMetrics({ backups, metrics, logger, now }: MetricParts): void {
  const gauge = (name: string, help: string, value: (state: BackupState) => number | undefined): void => {
    metrics.gauge(name, help, [], async function collect() {
      this.reset();
      try {
        const known = value(await backups.state());
        if (known === undefined) this.remove();
        else this.set(known);
      } catch (error) {
        logger.warn({ error: errorText(error) }, 'metrics: the state of backups could not be read');
      }
    });
  };
  const age = (at: number | undefined): number | undefined =>
    at === undefined ? undefined : Math.max(0, (now() - at) / 1000);
  gauge('postern_backup_age_seconds', 'Seconds since the moment that the last good backup is of', (state) =>
    age(state.success?.at),
  );
  gauge('postern_backup_failed', '1 when the last backup that was tried failed', (state) =>
    state.failure === undefined ? 0 : 1,
  );
  gauge('postern_backup_bytes', 'Octets that the last backup can restore', ({ success }) => success?.bytes);
  gauge(
    'postern_backup_added_bytes',
    'Octets that the last backup added to those before',
    ({ success }) => success?.added,
  );
  gauge('postern_backup_seconds', 'How long the last backup took', ({ success }) =>
    success === undefined ? undefined : success.tookMs / 1000,
  );
  gauge('postern_backup_snapshots', 'Backups that lie there', ({ success }) => success?.snapshots);
  gauge('postern_restore_drill_age_seconds', 'Seconds since a backup was restored to try it', ({ drill }) =>
    age(drill?.at),
  );
  gauge(
    'postern_restore_drill_ok',
    '1 when the last restore drill went well, 0 when it did not',
    ({ drill }) => (drill === undefined ? undefined : Number(drill.ok)),
  );
  gauge('postern_restore_drill_seconds', 'How long the last restore drill took', ({ drill }) =>
    drill === undefined ? undefined : drill.tookMs / 1000,
  );
}
