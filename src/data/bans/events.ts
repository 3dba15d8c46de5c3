import { type JournalEvent, terms } from '../journal/types.ts';
import type { Ban } from './types.ts';

/** What a ban is found by in the journal. */
export function subjectTerm({ kind, subject }: Pick<Ban, 'kind' | 'subject'>): string {
  return kind === 'account' ? terms.address(subject) : terms.network(subject);
}

export function banEvent(
  ban: Ban,
  more: { readonly trace: string; readonly by: string; readonly terms: readonly string[] },
): JournalEvent {
  const { kind, subject, cause, reason, offences, since, until } = ban;
  return {
    trace: more.trace,
    at: since,
    kind: 'ban.set',
    data: { banKind: kind, subject, cause, reason, offences, until, by: more.by },
    terms: [...new Set([subjectTerm(ban), ...more.terms])],
  };
}
