import type { Metrics } from '../base/metrics.ts';
import type { AccountSessionHooks } from './account-session.ts';

/** Register the metrics of POP3 and ManageSieve sessions once; the result makes the hooks of a listener. */
export function accountMetrics(metrics: Metrics): (protocol: string) => AccountSessionHooks {
  const open = metrics.gauge('postern_account_sessions', 'POP3 and ManageSieve sessions open now', [
    'protocol',
  ]);
  const started = metrics.counter('postern_account_sessions_total', 'POP3 and ManageSieve sessions', [
    'protocol',
  ]);
  const commands = metrics.counter(
    'postern_account_commands_total',
    'POP3 and ManageSieve commands by outcome',
    ['protocol', 'command', 'status'],
  );
  const seconds = metrics.duration('postern_account_command_seconds', 'From a command to its answer', [
    'protocol',
    'command',
  ]);
  const logins = metrics.counter('postern_account_logins_total', 'POP3 and ManageSieve logins', [
    'protocol',
    'mechanism',
    'outcome',
  ]);
  const tls = metrics.counter('postern_account_starttls_total', 'STARTTLS handshakes done', ['protocol']);
  return (protocol) => ({
    sessionStarted() {
      started.inc({ protocol });
      open.inc({ protocol });
    },
    sessionEnded: () => open.dec({ protocol }),
    tlsStarted: () => tls.inc({ protocol }),
    command(_session, name, status, durationMs) {
      const command = name === '' ? 'unknown' : name;
      commands.inc({ protocol, command, status });
      if (name !== '') seconds.observe({ protocol, command }, durationMs / 1000);
    },
    login: (_session, mechanism, failure) =>
      logins.inc({ protocol, mechanism, outcome: failure === undefined ? 'succeeded' : 'failed' }),
  });
}
