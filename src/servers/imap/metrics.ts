import type { Metrics } from '../../base/metrics.ts';
import type { ImapHooks } from './options.ts';

/** Register the metrics of IMAP sessions once; the result is for every listener's hooks. */
export function imapMetrics(metrics: Metrics): ImapHooks {
  const open = metrics.gauge('postern_imap_sessions', 'IMAP sessions open now');
  const started = metrics.counter('postern_imap_sessions_total', 'IMAP sessions');
  const commands = metrics.counter('postern_imap_commands_total', 'IMAP commands by outcome', [
    'command',
    'status',
  ]);
  const seconds = metrics.duration('postern_imap_command_seconds', 'From a command to its answer', [
    'command',
  ]);
  const logins = metrics.counter('postern_imap_logins_total', 'IMAP logins', ['mechanism', 'outcome']);
  const tls = metrics.counter('postern_imap_starttls_total', 'STARTTLS handshakes done');
  return {
    sessionStarted() {
      started.inc();
      open.inc();
    },
    sessionEnded: () => open.dec(),
    tlsStarted: () => tls.inc(),
    command(_session, name, status, durationMs) {
      const command = name === '' ? 'unknown' : name;
      commands.inc({ command, status });
      // IDLE lasts as long as the client likes.
      if (name !== 'IDLE' && name !== '') seconds.observe({ command }, durationMs / 1000);
    },
    login: (_session, mechanism, failure) =>
      logins.inc({ mechanism, outcome: failure === undefined ? 'succeeded' : 'failed' }),
  };
}
