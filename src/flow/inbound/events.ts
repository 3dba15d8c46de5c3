import type { Refusal } from '../../base/errors.ts';
import { type JournalData, type JournalEvent, terms } from '../../data/journal/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import { hiddenOctets } from '../delivery/hidden.ts';
import type { Plan } from '../delivery/plan.ts';
import type { TakenMessage } from '../intake.ts';
import { depositEvents, envelopeTerms, queuedEvent, replyText, sessionData } from '../journal.ts';
import type { Envelope, Failures } from './envelope.ts';
import { checkTexts, judgedEvent } from './judged.ts';
import type { Findings } from './outcome.ts';

interface Accepted extends Findings {
  readonly queue: readonly Enqueue[];
  readonly loops: Failures;
}

/** What the journal says of an accepted message, to be committed with it. */
export function acceptedEvents(
  envelope: Envelope,
  message: TakenMessage,
  plan: Plan,
  { queue, loops, evidence, judgement }: Accepted,
): { events: JournalEvent[]; depositEvents: JournalEvent[] } {
  const { deps, session, reversePath, recipients, trace } = envelope;
  const at = deps.clock.now();
  const found = envelopeTerms(session, [reversePath, ...recipients.map(({ address }) => address)]);
  const { messageId } = message.content;
  if (messageId !== undefined) found.push(terms.messageId(messageId));
  const data = {
    ...acceptedData(envelope, message, hiddenIn(plan)),
    ...(judgement === undefined && evidence.state === 'checked' && { checks: checkTexts(evidence) }),
  };
  return {
    events: [
      { trace, at, kind: 'message.accepted', data, terms: found },
      ...(judgement === undefined ? [] : [judgedEvent(envelope, judgement, undefined)]),
      ...queue.map((queued) => queuedEvent(queued, at)),
      ...[...loops].map(([{ address }, refusal]) => refusedEvent(envelope, at, address, refusal)),
    ],
    depositEvents: depositEvents(plan, trace, at),
  };
}

/** A recipient that would have been refused, had not others taken the message. */
function refusedEvent({ trace }: Envelope, at: number, to: string, refusal: Refusal): JournalEvent {
  const data = { to, reply: replyText(refusal.smtp), reason: refusal.message };
  return { trace, at, kind: 'message.refused', data, terms: [terms.address(to)] };
}

/** Octets hidden in each copy. */
function hiddenIn(plan: Plan): number {
  return hiddenOctets(plan.deposits[0]?.deposit.hidden ?? []);
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
