import type { IntakePart } from '../../data/intake/types.ts';
import type { JournalEvent } from '../../data/journal/types.ts';
import type { Plan } from '../delivery/plan.ts';
import type { PlannedNotice } from '../outbound/success.ts';
import type { Reason } from '../spam/types.ts';
import type { Decision } from '../spam/verdict.ts';
import type { Evidence } from './authenticate.ts';
import type { Failures } from './envelope.ts';

/**
 * A message that another host took for us and answered 250 for: nothing can be refused any more, what its sender is not
 * told in a reply has to be done another way, and the time of reception is over.
 */
export interface TakenElsewhere {
  /** What that host found, weighed with our own findings. */
  facts(evidence: Evidence): readonly Reason[];
  readonly decisions: readonly Decision[];
  /** Where mail goes that would be refused. */
  readonly onRefuse: 'vault' | 'junk';
  /** Octets of that host's fields that ours replace for readers (its Return-Path). */
  readonly hidden: readonly (readonly [number, number])[];
  /** It has waited long enough for DNS to say who sent it. */
  readonly patienceOver: boolean;
  /** What goes into the commit of the message: who has got it, what the sender is told about the others. */
  commit(ending: Ending): Promise<ElsewhereCommit>;
}

export type Ending =
  | {
      readonly kind: 'taken';
      readonly plan: Plan;
      readonly loops: Failures;
      /** The reverse-path is proven: its owner may be told. */
      readonly genuine: boolean;
      readonly header: Buffer;
    }
  /** Unwanted beyond doubt. */
  | { readonly kind: 'set-aside'; readonly caseNumber: string | undefined };

export interface ElsewhereCommit {
  readonly intake: IntakePart;
  readonly notices: readonly PlannedNotice[];
  readonly events: readonly JournalEvent[];
}

/** Ranges of octets in order, what touches or overlaps made one. */
export function joinedRanges(
  ...lists: readonly (readonly (readonly [number, number])[])[]
): (readonly [number, number])[] {
  const joined: [number, number][] = [];
  for (const [start, end] of lists.flat().toSorted(([a], [b]) => a - b)) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}
