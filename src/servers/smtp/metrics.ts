import type { Metrics } from '../../base/metrics.ts';
import type { SmtpHooks, SmtpProtocol } from './options.ts';

/** Register the metrics of SMTP sessions once; the result makes the hooks of a listener. */
export function smtpMetrics(metrics: Metrics): (protocol: SmtpProtocol) => SmtpHooks {
  const sessions = metrics.gauge('postern_smtp_sessions', 'SMTP sessions open now', ['protocol']);
  const started = metrics.counter('postern_smtp_sessions_total', 'SMTP sessions', ['protocol']);
  const replied = metrics.counter('postern_smtp_replies_total', 'SMTP replies by first digit', [
    'protocol',
    'class',
  ]);
  const messages = metrics.counter('postern_smtp_messages_total', 'Messages answered after their data', [
    'protocol',
    'outcome',
  ]);
  const command = commandMetrics(metrics);
  const octets = metrics.counter('postern_smtp_message_octets_total', 'Octets of messages received', [
    'protocol',
  ]);
  const seconds = metrics.duration('postern_smtp_message_seconds', 'From DATA to its answer', ['protocol']);
  const logins = metrics.counter('postern_smtp_logins_total', 'SMTP logins', [
    'protocol',
    'mechanism',
    'outcome',
  ]);
  const tls = metrics.counter('postern_smtp_starttls_total', 'STARTTLS handshakes done', [
    'protocol',
    'version',
  ]);

  return (protocol) => {
    const byClass = [0, 1, 2, 3, 4, 5].map((digit) => replied.labels(protocol, `${digit}xx`));
    const open = sessions.labels(protocol);
    const octetsOf = octets.labels(protocol);
    const secondsOf = seconds.labels(protocol);
    const outcomes = new Map(
      ['accepted', 'deferred', 'refused'].map((outcome) => [outcome, messages.labels(protocol, outcome)]),
    );
    return {
      sessionStarted() {
        started.inc({ protocol });
        open.inc();
      },
      sessionEnded: () => open.dec(),
      command: command(protocol),
      replied: (code) => byClass[Math.floor(code / 100)]?.inc(),
      message(code, size, durationMs) {
        outcomes.get(code < 300 ? 'accepted' : code < 500 ? 'deferred' : 'refused')?.inc();
        octetsOf.inc(size);
        secondsOf.observe(durationMs / 1000);
      },
      login: (mechanism, succeeded) =>
        logins.inc({ protocol, mechanism, outcome: succeeded ? 'succeeded' : 'failed' }),
      tlsStarted: (version) => tls.inc({ protocol, version }),
    };
  };
}

function commandMetrics(metrics: Metrics): (protocol: SmtpProtocol) => NonNullable<SmtpHooks['command']> {
  const commands = metrics.counter('postern_smtp_commands_total', 'SMTP commands', ['protocol', 'command']);
  const commandSeconds = metrics.duration(
    'postern_smtp_command_seconds',
    'From an SMTP command to its answer; DATA and BDAT with their message',
    ['protocol', 'command'],
  );
  return (protocol) => (command, durationMs) => {
    commands.inc({ protocol, command });
    commandSeconds.observe({ protocol, command }, durationMs / 1000);
  };
}
