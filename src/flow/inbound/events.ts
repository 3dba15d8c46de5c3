import { type JournalData, type JournalEvent, terms } from '../../data/journal/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import type { Plan } from '../delivery/plan.ts';
import type { TakenMessage } from '../intake.ts';
import { depositEvents, envelopeTerms, queuedEvent, sessionData } from '../journal.ts';
import type { Envelope } from './pipeline.ts';

/** What the journal says of an accepted message, to be committed with it. */
export function acceptedEvents(
  envelope: Envelope,
  message: TakenMessage,
  plan: Plan,
  queue: readonly Enqueue[],
  hidden: number,
): { events: JournalEvent[]; depositEvents: JournalEvent[] } {
  const { deps, session, reversePath, recipients, trace } = envelope;
  const at = deps.clock.now();
  const found = envelopeTerms(session, [reversePath, ...recipients.map(({ address }) => address)]);
  const { messageId } = message.content;
  if (messageId !== undefined) found.push(terms.messageId(messageId));
  const data = acceptedData(envelope, message, hidden);
  return {
    events: [
      { trace, at, kind: 'message.accepted', data, terms: found },
      ...queue.map((queued) => queuedEvent(queued, at)),
    ],
    depositEvents: depositEvents(plan, trace, at),
  };
}

function acceptedData(envelope: Envelope, message: TakenMessage, hidden: number): JournalData {
  return {
    ...sessionData(envelope.session),
    from: envelope.reversePath,
    to: envelope.recipients.map(({ address }) => address),
    size: message.size,
    messageId: message.content.messageId ?? null,
    hidden,
  };
}

