import { monitorEventLoopDelay } from 'node:perf_hooks';
import { statfs } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import type { LiveJournal } from '../data/journal/live.ts';
import type { JournalEvent } from '../data/journal/types.ts';
import type { OpenStore } from '../data/open.ts';
import { DELIVERY_DELAY } from '../data/stats/series.ts';
import { bucketOf, DELAY_BUCKETS, EMPTY, merge, type Sample } from '../data/stats/types.ts';
import type { Job } from './jobs.ts';
import type { RunningListener } from './services.ts';

/** What is counted and measured each minute, for the pages of administrators. */

const MINUTE_MS = 60_000;
/** Messages under way whose time of arrival is remembered. */
const UNDER_WAY = 20_000;
const NANOSECONDS = 1_000_000;

export interface StatsParts {
  readonly store: Pick<OpenStore, 'read' | 'write'>;
  readonly clock: Clock;
  readonly watch: Pick<LiveJournal, 'listen'>;
  readonly data: string;
  readonly listeners: () => readonly Pick<RunningListener, 'service' | 'sessions'>[];
}

export interface StatsPart {
  readonly jobs: readonly Job[];
  /** Store what was counted since the last minute; at the end of the program. */
  flush(): Promise<void>;
}

export function createStats(parts: StatsParts): StatsPart {
  const { store, clock, watch } = parts;
  const counter = createCounter();
  const stop = watch.listen((event) => counter.take(event));
  const process = processMeter(clock);
  // Minutes that could not be stored, as on a full disk: they are the ones that somebody will ask for.
  let waiting = EMPTY;
  const note = async (gauges: Sample['gauges']): Promise<void> => {
    const sample = merge(waiting, { ...counter.reset(), gauges });
    waiting = EMPTY;
    try {
      await store.write.run('stats.note', { at: clock.now(), sample });
    } catch (error) {
      waiting = merge(waiting, sample);
      throw error;
    }
  };
  return {
    jobs: [
      {
        name: 'count the minute',
        everyMs: MINUTE_MS,
        async run() {
          await note({ ...process.measure(), ...(await stateOf(parts)) });
          return false;
        },
      },
    ],
    async flush() {
      stop();
      process.stop();
      await note({}).catch(() => undefined);
    },
  };
}

interface Counter {
  take(event: JournalEvent): void;
  /** What was counted since the last call. */
  reset(): Pick<Sample, 'counts' | 'delays'>;
}

/** Counts events as they come. */
export function createCounter(): Counter {
  let counts: Record<string, number> = {};
  let delays: number[] | undefined;
  const taken = new Map<string, number>();
  const add = (name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);
  return {
    take(event) {
      for (const name of seriesOf(event)) add(name);
      if (event.kind === 'message.accepted') {
        taken.set(event.trace, event.at);
        for (const trace of taken.keys()) {
          if (taken.size <= UNDER_WAY) break;
          taken.delete(trace);
        }
      }
      const since = event.kind === 'delivery.delivered' ? taken.get(event.trace) : undefined;
      if (since === undefined) return;
      delays ??= DELAY_BUCKETS.concat(0).map(() => 0);
      const place = bucketOf(Math.max(0, event.at - since));
      delays[place] = (delays[place] ?? 0) + 1;
    },
    reset() {
      const sample = { counts, delays: delays === undefined ? {} : { [DELIVERY_DELAY]: delays } };
      counts = {};
      delays = undefined;
      return sample;
    },
  };
}

function seriesOf({ kind, data }: JournalEvent): readonly string[] {
  switch (kind) {
    case 'message.accepted':
      return [
        data['protocol'] === 'submission' || data['protocol'] === 'jmap' ? 'mail.submitted' : 'mail.received',
      ];
    case 'message.refused':
    case 'mail.refused':
    case 'recipient.refused':
      return ['mail.refused'];
    case 'message.judged':
      if (data['action'] === 'junk') return ['spam.junk', 'mail.junk'];
      return [data['action'] === 'inbox' ? 'spam.inbox' : 'spam.refused'];
    case 'delivery.delivered': {
      // What stays here, such as a notice to one of our own, has not gone elsewhere.
      if (data['transport'] === 'local') return [];
      const { to } = data;
      return Array.isArray(to) ? to.map(() => 'mail.delivered') : ['mail.delivered'];
    }
    default: {
      const name = BY_KIND[kind];
      return name === undefined ? [] : [name];
    }
  }
}

const BY_KIND: Readonly<Partial<Record<JournalEvent['kind'], string>>> = {
  'delivery.deferred': 'mail.deferred',
  'delivery.failed': 'mail.failed',
  'delivery.bounced': 'mail.bounced',
  'connection.refused': 'connections.refused',
  'session.refused': 'sessions.refused',
  'login.succeeded': 'logins.succeeded',
  'login.failed': 'logins.failed',
  'ban.set': 'bans.set',
};

/** Memory, processor time and the delay of the event loop, since the last call. */
function processMeter(clock: Clock): { measure(): Sample['gauges']; stop(): void } {
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
  let before = { cpu: process.cpuUsage(), at: clock.monotonic() };
  return {
    measure() {
      const now = { cpu: process.cpuUsage(), at: clock.monotonic() };
      const used = now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system;
      const spent = now.at - before.at;
      before = now;
      const delay = loop.percentile(99) / NANOSECONDS - 20;
      loop.reset();
      return {
        'system.memory': [process.memoryUsage.rss(), 1],
        ...(spent > 0 && { 'system.cpu': [Math.round((used / 1000 / spent) * 1000) / 10, 1] }),
        'system.loop': [Math.round(Math.max(0, Number.isFinite(delay) ? delay : 0) * 10) / 10, 1],
      };
    },
    stop: () => void loop.disable(),
  };
}

/** Which series the sessions of a service belong to. */
const SERVICES: Readonly<Record<string, string>> = {
  smtp: 'sessions.smtp',
  submission: 'sessions.submission',
  submissions: 'sessions.submission',
  imap: 'sessions.imap',
  imaps: 'sessions.imap',
  pop3: 'sessions.pop3',
  pop3s: 'sessions.pop3',
  managesieve: 'sessions.managesieve',
  lmtp: 'sessions.lmtp',
};

async function stateOf({ store, data, listeners }: StatsParts): Promise<Sample['gauges']> {
  const gauges: Record<string, readonly [number, number]> = {};
  for (const { service, sessions } of listeners()) {
    const name = SERVICES[service];
    if (name !== undefined) gauges[name] = [(gauges[name]?.[0] ?? 0) + sessions(), 1];
  }
  const counts = await store.read.run('queue.counts', null);
  const of = (...states: string[]): number =>
    counts.filter(({ state }) => states.includes(state)).reduce((sum, { count }) => sum + count, 0);
  gauges['queue.queued'] = [of('queued', 'leased'), 1];
  gauges['queue.held'] = [of('held'), 1];
  const disk = await statfs(data).catch(() => undefined);
  if (disk !== undefined) gauges['system.disk_free'] = [disk.bavail * disk.bsize, 1];
  return gauges;
}
