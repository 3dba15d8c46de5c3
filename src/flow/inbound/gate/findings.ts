import type { Reason } from '../../spam/types.ts';

/** What checks have found: facts for the score, and what could not be found out. */
export interface Findings {
  readonly reasons: readonly Reason[];
  /** Questions without an answer, in plain words for the journal: "zen.spamhaus.org: timeout". No facts follow of them. */
  readonly unchecked: readonly string[];
}

export const nothingFound: Findings = { reasons: [], unchecked: [] };

export function together(...all: readonly Findings[]): Findings {
  return {
    reasons: all.flatMap(({ reasons }) => reasons),
    unchecked: all.flatMap(({ unchecked }) => unchecked),
  };
}

export function found(reason: Reason): Findings {
  return { reasons: [reason], unchecked: [] };
}

export function unanswered(what: string): Findings {
  return { reasons: [], unchecked: [what] };
}
