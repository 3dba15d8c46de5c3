/** The date of a message against the time it came. */
import type { MessageFacts } from '../facts/types.ts';
import type { RuleEvidence } from './types.ts';

const DAY_MS = 24 * 3600 * 1000;

/** Days from the date the message bears to its reception; undefined where one of them is not known. */
export function receivedAge(facts: MessageFacts, evidence: RuleEvidence): number | undefined {
  const now = evidence.now ?? facts.received[0]?.date;
  if (now === undefined || facts.date === undefined) return undefined;
  return (now - facts.date.ms) / DAY_MS;
}
