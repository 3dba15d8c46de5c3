import type { Metrics } from '../../base/metrics.ts';

/** What the relay counts, under the names that users of aws-smtp-relay asked for (its issue 15). */
export interface RelayCounts {
  /** A message was sent, to all or some of its recipients. */
  sent(): void;
  /** A message was not sent to all or some of its recipients. */
  failed(): void;
  loginFailed(): void;
  deniedIp(): void;
  deniedSender(): void;
}

/** `service`: the label, "ses" or "pinpoint" as the relay was told. */
export function relayMetrics(metrics: Metrics, service: string): RelayCounts {
  const success = metrics.counter('aws_smtp_relay_send_success_total', 'Messages sent', ['service']);
  const error = metrics.counter('aws_smtp_relay_send_error_total', 'Messages that could not be sent', [
    'service',
  ]);
  const login = metrics.counter('aws_smtp_relay_client_auth_failed_total', 'Failed logins');
  const ip = metrics.counter('aws_smtp_relay_client_denied_ip_total', 'Clients refused for their address');
  const sender = metrics.counter(
    'aws_smtp_relay_client_denied_sender_total',
    'Messages refused for their sender',
  );
  // So that they are there before anything happens.
  success.inc({ service }, 0);
  error.inc({ service }, 0);
  return {
    sent: () => success.inc({ service }),
    failed: () => error.inc({ service }),
    loginFailed: () => login.inc(),
    deniedIp: () => ip.inc(),
    deniedSender: () => sender.inc(),
  };
}
