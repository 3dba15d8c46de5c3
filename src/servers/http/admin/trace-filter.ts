import { z } from 'zod';
import type { JournalRow, JournalValue } from '../../../data/journal/types.ts';

/** Which traces are wanted of those that a search meets: by who sent, who was to get it, what became of it. */

export const outcome = z
  .enum(['delivered', 'junk', 'refused', 'deferred', 'failed'])
  .describe('What became of it: deferred is what still waits; failed came back to its sender');
export type Outcome = z.output<typeof outcome>;

export interface TraceFilter {
  readonly sender?: string | undefined;
  readonly recipient?: string | undefined;
  readonly outcome?: Outcome | undefined;
}

/** Fields of events that name who sent, and for whom. */
const SENDERS = ['from', 'author', 'reversePath', 'sender'];
const RECIPIENTS = ['to', 'recipients', 'account', 'recipient', 'address'];

export function fits(events: readonly JournalRow[], wanted: TraceFilter): boolean {
  return (
    (wanted.sender === undefined || names(events, SENDERS, wanted.sender)) &&
    (wanted.recipient === undefined || names(events, RECIPIENTS, wanted.recipient)) &&
    (wanted.outcome === undefined || hasOutcome(events, wanted.outcome))
  );
}

/** An address, or any of a domain ("@example.org" or "example.org"). */
function names(events: readonly JournalRow[], fields: readonly string[], text: string): boolean {
  const wanted = text.trim().toLowerCase();
  const tail = wanted.includes('@') && !wanted.startsWith('@') ? undefined : `@${wanted.replace(/^@/, '')}`;
  const is = (value: JournalValue | undefined): boolean => {
    if (Array.isArray(value)) return (value as readonly JournalValue[]).some(is);
    if (typeof value !== 'string') return false;
    const address = value.toLowerCase();
    return tail === undefined ? address === wanted : address.endsWith(tail);
  };
  return events.some(({ data }) => fields.some((field) => is(data[field])));
}

function hasOutcome(events: readonly JournalRow[], wanted: Outcome): boolean {
  const kinds = new Set<string>(events.map(({ kind }) => kind));
  const gone = kinds.has('delivery.failed') || kinds.has('bounce.sent') || kinds.has('delivery.bounced');
  const intoJunk = (event: JournalRow): boolean =>
    event.kind === 'message.deposited' && String(event.data['mailbox']).toLowerCase() === 'junk';
  switch (wanted) {
    case 'delivered':
      return (
        kinds.has('delivery.delivered') ||
        events.some((event) => event.kind === 'message.deposited' && !intoJunk(event))
      );
    case 'junk':
      return events.some(intoJunk);
    case 'refused':
      return [...kinds].some((kind) => kind.endsWith('.refused'));
    case 'deferred':
      return kinds.has('delivery.deferred') && !gone && !kinds.has('delivery.delivered');
    case 'failed':
      return gone;
  }
}
