import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { OpenStore } from '../data/open.ts';
import type { Reader, Writer } from '../data/store.ts';
import type { Dns } from '../mail/dns.ts';

/** How much is asked of the parts within, how often they fail, how long they take. */

/** Seconds of work inside the machine. */
const INSIDE = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
/** Accounts whose logins are counted by name; others together. */
const NAMED = 200;
const OTHERS = '(other)';

/** The same store, with its commits and reads measured. */
export function measuredStore(store: OpenStore, metrics: Metrics, clock: Clock): OpenStore {
  const seconds = metrics.duration(
    'postern_store_seconds',
    'How long the store takes: writes with their commit, reads',
    ['kind'],
    INSIDE,
  );
  const failures = metrics.counter('postern_store_failures_total', 'Reads and writes that the store failed', [
    'kind',
  ]);
  const waiting = metrics.gauge('postern_store_waiting', 'Reads and writes that are under way', ['kind']);
  const measured = async <T>(kind: 'read' | 'write', work: Promise<T>): Promise<T> => {
    const startedAt = clock.monotonic();
    waiting.inc({ kind });
    try {
      return await work;
    } catch (error) {
      // A refusal is an answer.
      if (!(error instanceof Error && error.name === 'Refusal')) failures.inc({ kind });
      throw error;
    } finally {
      waiting.dec({ kind });
      seconds.observe({ kind }, (clock.monotonic() - startedAt) / 1000);
    }
  };
  const write: Writer = { run: (name, args, given) => measured('write', store.write.run(name, args, given)) };
  const read: Reader = { run: (name, args) => measured('read', store.read.run(name, args)) };
  const { changes, blobs, bodies } = store;
  return {
    write,
    read,
    changes,
    blobs,
    bodies,
    reopened: () => store.reopened(),
    close: () => store.close(),
  };
}

/** Registered once; makes the same DNS with its questions measured. */
export function dnsMetrics(metrics: Metrics, clock: Clock): (dns: Dns) => Dns {
  const seconds = metrics.duration(
    'postern_dns_seconds',
    'How long DNS takes to answer, what is remembered too',
    ['outcome'],
  );
  return (dns) => ({
    async query(name, type, signal) {
      const startedAt = clock.monotonic();
      const answer = await dns.query(name, type, signal);
      seconds.observe({ outcome: answer.status }, (clock.monotonic() - startedAt) / 1000);
      return answer;
    },
  });
}

/** Logins by account; only of those that have logged in since the start, so that nobody can make up names. */
export function countedLogins(recorder: Pick<Recorder, 'event'>, metrics: Metrics): Pick<Recorder, 'event'> {
  const logins = metrics.counter('postern_logins_by_account_total', 'Logins by account and outcome', [
    'account',
    'outcome',
  ]);
  const named = new Set<string>();
  return {
    event(event) {
      recorder.event(event);
      const { login } = event.data;
      if (typeof login !== 'string') return;
      const account = login.toLowerCase();
      const outcome = event.kind === 'login.succeeded' ? 'succeeded' : 'failed';
      if (outcome === 'succeeded' && named.size < NAMED) named.add(account);
      logins.inc({ account: named.has(account) ? account : OTHERS, outcome });
    },
  };
}
