import type { Metrics } from '../../base/metrics.ts';
import type { JournalEvent } from '../../data/journal/types.ts';
import { eventOf, type Keeping } from './keeping.ts';
import { endsSoon } from './schedule.ts';

/** Of certificates that end, and of those that cannot be got. */

/** Milliseconds between two warnings of one certificate. */
const ALARM_EVERY_MS = 86_400_000;

/** Of every certificate in use, own files too: journal and log once a day; the status and metrics show it all the time. */
export async function warn(keeping: Keeping): Promise<void> {
  const { tls, clock, logger, settings, alarms, store } = keeping;
  const now = clock.now();
  const events: JournalEvent[] = [];
  for (const one of tls.certificates()) {
    const { names, notAfter: until, certFile } = one;
    const key = `${names.join(' ')} ${until}`;
    const told = alarms.get(key) ?? Number.NEGATIVE_INFINITY;
    if (!endsSoon(one, settings.alarm_days, now) || told + ALARM_EVERY_MS > now) continue;
    alarms.set(key, now);
    const facts = { names, until, file: certFile ?? '', ended: until <= now };
    events.push(eventOf(keeping, 'certificate.expiring', names, facts));
    logger.error({ names, until: new Date(until).toISOString() }, 'tls: a certificate in use ends soon');
  }
  if (events.length > 0) await store.write.run('certificates.events', { events });
  keeping.problems = keeping.all.flatMap(({ name, failures, failure }) =>
    failures > 0 && settings.enabled ? [`${name}: no certificate could be got: ${failure ?? ''}`] : [],
  );
}

export function certificateGauges(metrics: Metrics, keeping: Keeping): void {
  metrics.gauge(
    'postern_acme_failing',
    'Certificates whose last request by ACME failed',
    [],
    function collect() {
      this.set(keeping.all.filter(({ failures }) => failures > 0).length);
    },
  );
  metrics.gauge(
    'postern_certificates_expiring',
    'Certificates in use that end so soon that somebody has to look',
    [],
    function collect() {
      const { tls, settings, clock } = keeping;
      const now = clock.now();
      this.set(tls.certificates().filter((one) => endsSoon(one, settings.alarm_days, now)).length);
    },
  );
}
