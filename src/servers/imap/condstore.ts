import { type Session, untaggedOk } from './session.ts';

/**
 * A CONDSTORE enabling command (RFC 7162 section 3.1). The first one, where a mailbox is selected, is told the highest
 * mod-sequence: the client has had no reason to keep the one of SELECT.
 */
export function enableCondstore(session: Session): void {
  if (session.enabled.has('CONDSTORE')) return;
  session.enabled.add('CONDSTORE');
  const { view } = session;
  if (view !== undefined) tellHighestModseq(session, view.safeModseq);
}

/** HIGHESTMODSEQ (RFC 7162 section 3.1.2.1); a mailbox without a change has 1. */
export function tellHighestModseq(session: Session, modseq: number): void {
  untaggedOk(session, `HIGHESTMODSEQ ${Math.max(1, modseq)}`, 'Highest mod-sequence');
}
