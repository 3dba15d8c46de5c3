import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { OpenStore } from '../data/open.ts';
import type { TlsStore } from '../net/tls-store.ts';

/** How things stand, looked at when somebody asks for the metrics: queue, certificates, accounts, disk. */

export interface StateParts {
  readonly metrics: Metrics;
  readonly store: Pick<OpenStore, 'read' | 'reopened'>;
  readonly tls: Pick<TlsStore, 'certificates'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The data directory. */
  readonly data: string;
}

/** Every state there is, so that an empty one shows as 0 and not as missing. */
const QUEUE_STATES = ['queued', 'leased', 'held'] as const;

export function stateMetrics(parts: StateParts): void {
  const { metrics, store } = parts;
  metrics.gauge(
    'postern_store_reopened',
    'How often the store had to be opened again',
    [],
    function collect() {
      this.set(store.reopened());
    },
  );
  queueMetrics(parts);
  routeMetrics(parts);
  certificateMetrics(parts);
  accountMetrics(parts);
  mailMetrics(parts);
  diskMetrics(parts);
}

/** A store that fails must not hide all the other metrics: its own are left out for the time. */
async function attempt(logger: Logger, collect: () => Promise<void>): Promise<void> {
  try {
    await collect();
  } catch (error) {
    logger.warn({ error: errorText(error) }, 'metrics: the state of the store could not be read');
  }
}

function routeMetrics({ metrics, store, clock, logger }: StateParts): void {
  metrics.gauge(
    'postern_route_refused',
    'Destinations that refuse a way to send at present, by way',
    ['transport'],
    async function collect() {
      this.reset();
      await attempt(logger, async () => {
        for (const { way, until } of await store.read.run('routing.allRefusals', null))
          if (until > clock.now()) this.inc({ transport: way });
      });
    },
  );
  metrics.gauge('postern_suppressions', 'Addresses on the suppression list', [], async function collect() {
    await attempt(logger, async () =>
      this.set(await store.read.run('suppression.count', { now: clock.now() })),
    );
  });
}

function queueMetrics({ metrics, store, clock, logger }: StateParts): void {
  const gauge = (
    name: string,
    help: string,
    value: (row: { count: number; oldest?: number | undefined }) => number,
  ): void => {
    metrics.gauge(name, help, ['state'], async function collect() {
      this.reset();
      await attempt(logger, async () => {
        const counts = await store.read.run('queue.counts', null);
        for (const state of QUEUE_STATES) {
          const row = counts.find((one) => one.state === state);
          this.set({ state }, value(row ?? { count: 0 }));
        }
      });
    });
  };
  gauge('postern_queue_recipients', 'Recipients in the queue that are not settled yet', ({ count }) => count);
  gauge(
    'postern_queue_oldest_seconds',
    'Age of the oldest message with a recipient in this state; 0 when there is none',
    ({ oldest }) => (oldest === undefined ? 0 : Math.max(0, (clock.now() - oldest) / 1000)),
  );
}

function certificateMetrics({ metrics, tls, clock }: StateParts): void {
  metrics.gauge(
    'postern_certificate_expiry_seconds',
    'Seconds until the certificate ends; negative when it has',
    ['name'],
    function collect() {
      this.reset();
      for (const { names, notAfter } of tls.certificates())
        this.set({ name: names[0] ?? '' }, Math.floor((notAfter - clock.now()) / 1000));
    },
  );
}

function accountMetrics({ metrics, store, logger }: StateParts): void {
  metrics.gauge('postern_accounts', 'Accounts', [], async function collect() {
    this.reset();
    await attempt(logger, async () => {
      const domains = await store.read.run('directory.domains', null);
      this.set(domains.reduce((sum, { accounts }) => sum + accounts, 0));
    });
  });
}

/** Accounts that are told apart, the largest: a gauge for each of many thousands helps nobody. */
const LARGEST = 200;

function mailMetrics({ metrics, store, logger }: StateParts): void {
  const of = (name: string, help: string, label: 'domain' | 'account'): void => {
    metrics.gauge(name, help, [label], async function collect() {
      this.reset();
      await attempt(logger, async () => {
        const accounts = await store.read.run('directory.accounts', {});
        const shown =
          label === 'domain' ? accounts : accounts.toSorted((a, b) => b.used - a.used).slice(0, LARGEST);
        for (const { address, used } of shown) {
          const value = label === 'domain' ? address.slice(address.lastIndexOf('@') + 1) : address;
          this.inc({ [label]: value }, used);
        }
      });
    });
  };
  of('postern_mail_bytes', 'Octets of mail, as quotas count it', 'domain');
  of('postern_account_mail_bytes', 'The same of the 200 largest accounts', 'account');
}

function diskMetrics({ metrics, data, logger }: StateParts): void {
  metrics.gauge(
    'postern_store_database_bytes',
    'Octets of the database with its log; bodies in files come on top',
    [],
    async function collect() {
      const database = join(data, 'mail.db');
      this.set((await fileBytes(database)) + (await fileBytes(`${database}-wal`)));
    },
  );
  metrics.gauge(
    'postern_store_free_bytes',
    'Octets free on the disk of the data directory',
    [],
    async function collect() {
      await attempt(logger, async () => {
        const { bavail, bsize } = await statfs(data);
        this.set(bavail * bsize);
      });
    },
  );
}

/** 0 when there is no such file. */
async function fileBytes(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
