import { createDiskReserve, type DiskReserveParts } from '../../base/disk-reserve.ts';
import { type Clock, every } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { makeDirectory } from '../../base/files.ts';
import { createRecorder, type Recorder } from '../../data/journal/recorder.ts';
import { type OpenStore, openStore } from '../../data/open.ts';
import type { FlowDeps } from '../../flow/deps.ts';
import { defaultHousekeeping, reserveWish } from '../../flow/housekeeping/settings.ts';
import { createWays, defaultRouting, type Ways } from '../../flow/outbound/routing/ways.ts';
import { transportSchema } from '../../flow/outbound/routing/settings.ts';
import { createScheduler } from '../../flow/outbound/scheduler.ts';
import type { Transport } from '../../flow/outbound/transport.ts';
import { createSesApi } from '../../flow/outbound/transports/ses-api.ts';
import type { RelayCounts } from '../../flow/relay/metrics.ts';
import type { RelayOutlet } from '../../flow/relay/outlet.ts';
import { RECEIVED_MAX } from '../../flow/relay/received.ts';
import { createSpoolOutlet } from '../../flow/relay/spool-outlet.ts';
import { createSpoolTransport } from '../../flow/relay/spool-transport.ts';
import type { Aws } from '../../net/aws/types.ts';
import { diskMetrics } from '../housekeeping.ts';
import { sweepBodies } from '../jobs.ts';
import { lockDirectory, unwritable } from '../lock.ts';
import { tidySegments } from '../segment-job.ts';
import type { RelayConfig } from './config.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Milliseconds that messages which are through stay in the spool's tables. */
const SETTLED_MS = DAY;
/** Milliseconds and octets of the spool's journal: nobody but a person who looks for a fault reads it. */
const JOURNAL_MS = 7 * DAY;
const JOURNAL_BYTES = 64 * 1024 * 1024;
const BATCH = 500;
/** Milliseconds for attempts under way when the relay stops. */
const STOP_MS = 20_000;
const LEASE_OWNER = 'relay';

interface SpoolOptions {
  readonly directory: string;
  readonly config: RelayConfig;
  readonly aws: Aws;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: (line: string) => void;
  readonly counts: RelayCounts;
  readonly metrics: Metrics;
  /** For tests: the room on the disk. */
  readonly space?: DiskReserveParts['space'] | undefined;
}

/** Open the spool and go on with what is in it. Throws a `Refusal` when the directory cannot be used or is in use. */
export async function openSpool(
  options: SpoolOptions,
): Promise<{ outlet: RelayOutlet; close: () => Promise<void> }> {
  const { directory, config, clock, logger, metrics } = options;
  try {
    makeDirectory(directory);
  } catch (error) {
    throw unwritable(directory, error);
  }
  const lock = lockDirectory(directory);
  try {
    const store = await openStore({ directory, clock, logger });
    const recorder = createRecorder({ store, clock, logger, metrics });
    const deps = spoolDeps(options, store, recorder);
    const ways = waysTo(() => deps, sesTransport(options, deps));
    const scheduler = createScheduler({ deps: () => deps, owner: LEASE_OWNER, metrics, ways });
    await scheduler.start();
    watchQueue(store, metrics);
    const disk = createDiskReserve({
      directory,
      clock,
      logger,
      wish: () => reserveWish(defaultHousekeeping),
      onChange: ({ free, total, reserve, low }) => {
        const facts = { directory, free, total, reserve: Math.round(reserve) };
        if (low)
          logger.error(facts, 'spool: the disk is nearly full, new mail is put off until there is room');
        else logger.info(facts, 'spool: there is room on the disk again, new mail is taken');
      },
      ...(options.space !== undefined && { space: options.space }),
    });
    await disk.look();
    diskMetrics(metrics, disk);
    const jobs = startJobs(store, clock, logger);
    return {
      outlet: createSpoolOutlet({ deps, service: config.serviceName, rules: config.rules, disk }),
      async close() {
        disk.stop();
        jobs.stop();
        await scheduler.stop(STOP_MS);
        await recorder.flush();
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function spoolDeps(
  { config, aws, clock, logger }: SpoolOptions,
  store: OpenStore,
  recorder: Recorder,
): FlowDeps {
  return {
    store,
    clock,
    logger,
    recorder,
    dns: undefined,
    settings: {
      hostname: config.hostname,
      delimiter: '',
      maxMessageBytes: aws.ses(config.sesVersion).maxMessageBytes - RECEIVED_MAX,
      recipientsPerHour: Number.POSITIVE_INFINITY,
      messagesPerHour: Number.POSITIVE_INFINITY,
      // Programs send here, which read no "not yet".
      warnAfterMs: undefined,
      expireAfterMs: limits.queueExpireMs,
      holdOutgoing: undefined,
      srsKeys: [],
    },
  };
}

function sesTransport({ config, aws, clock, counts, log }: SpoolOptions, deps: FlowDeps): Transport {
  const settings = transportSchema.parse({
    kind: 'ses-api',
    region: config.aws.region,
    version: config.sesVersion,
    configuration_set: config.configurationSet,
    source_arn: config.sourceArn,
    from_arn: config.fromArn,
    return_path_arn: config.returnPathArn,
  });
  if (settings.kind !== 'ses-api') throw new Error('not a way by the SES API');
  const ses = createSesApi(() => deps, 'ses', settings, { aws });
  return createSpoolTransport({ ses, rules: config.rules, clock, counts, log });
}

/** One way for everything. There is nobody to take an address off a suppression list, so there is none but that of SES. */
function waysTo(deps: () => FlowDeps, only: Transport): Ways {
  const ways = createWays({ deps, build: () => undefined, only });
  const settings = { ...defaultRouting, suppression: { ...defaultRouting.suppression, enabled: false } };
  return {
    deliver: (...args) => ways.deliver(...args),
    plan: (...args) => ways.plan(...args),
    useRelay: () => undefined,
    settings: () => Promise.resolve(settings),
    transport: () => Promise.resolve(only),
    probe: (...args) => ways.probe(...args),
    slowed: () => [],
    close: () => ways.close(),
  };
}

/** How much waits: whoever stops a relay for good wants to see none. */
function watchQueue(store: OpenStore, metrics: Metrics): void {
  const help = 'Recipients in the queue that are not settled yet';
  metrics.gauge('postern_queue_recipients', help, ['state'], async function collect() {
    const counts = await store.read.run('queue.counts', null);
    for (const state of ['queued', 'leased'] as const)
      this.set({ state }, counts.find((row) => row.state === state)?.count ?? 0);
  });
}

/** What is through goes; room is given back. */
function startJobs(store: OpenStore, clock: Clock, logger: Logger): { stop(): void } {
  const parts = { store, clock, logger };
  const tidy = async (): Promise<void> => {
    for (let more = true; more; ) {
      const { messages, files } = await store.write.run('queue.purge', {
        before: clock.now() - SETTLED_MS,
        limit: BATCH,
      });
      for (const file of files) await store.bodies.remove(file);
      more = messages >= BATCH;
    }
    const kept = { before: clock.now() - JOURNAL_MS, maxBytes: JOURNAL_BYTES, limit: BATCH };
    while ((await store.write.run('journal.prune', kept)).more);
    await tidySegments(parts);
  };
  const guarded = (work: () => Promise<unknown>) => async (): Promise<void> => {
    await work().catch((error: unknown) => {
      logger.warn({ error: errorText(error) }, 'spool: could not be tidied, will try again');
    });
  };
  const timers = [
    every(clock, HOUR, guarded(tidy)),
    every(
      clock,
      DAY,
      guarded(() => sweepBodies(parts)),
    ),
  ];
  return {
    stop() {
      for (const timer of timers) timer.cancel();
    },
  };
}
