import type { Span } from '../../base/tracing.ts';
import type { LeasedWork } from '../../data/queue/types.ts';
import type { FlowDeps } from '../deps.ts';
import type { Outcome } from './transport.ts';

/** Delivery attempts as spans. */

/** One attempt, as a part of what brought the message here where that is still known. */
export function attemptSpan(
  { tracer }: FlowDeps,
  { message, destination, recipients }: LeasedWork,
): Span | undefined {
  const span = tracer?.resume(message.trace, 'delivery attempt', 'client');
  span?.set({
    'postern.trace': message.trace,
    'postern.queue_id': message.queueId,
    'postern.destination': destination,
    'postern.recipients': recipients.length,
    'postern.attempt': 1 + Math.max(0, ...recipients.map(({ attempts }) => attempts)),
    ...(tracer?.addresses === true && {
      'postern.sender': message.reversePath,
      'postern.recipient': recipients.map(({ address }) => address).join(', '),
    }),
  });
  return span;
}

/** The words of a reply may repeat an address: only its codes are told. */
export function tellOutcome(span: Span | undefined, outcome: Outcome): void {
  if (span === undefined) return;
  span.set({
    'postern.outcome': outcome.outcome,
    'postern.transport': outcome.via?.transport ?? 'none',
    'smtp.reply': /^\d{3}(?: \d\.\d{1,3}\.\d{1,3})?/.exec(outcome.reply)?.[0] ?? '',
    ...(outcome.via !== undefined && { 'postern.route': outcome.via.route }),
    ...(outcome.host !== undefined && { 'server.address': outcome.host.split(' ')[0] ?? '' }),
    ...(outcome.outcome === 'delivered' && { 'postern.tls': outcome.tls }),
  });
  if (outcome.outcome !== 'delivered') span.fail(outcome.outcome);
}
