import { isRev2, type Session, untagged } from './session.ts';
import { mailbox as mailboxText } from './wire/encoder.ts';

/** A mailbox's LIST response with the name that a client gave it, which is not the one it has. */
function oldName(given: string, name: string): string {
  // A separator at the end only says that children will follow (RFC 9051 section 6.3.4).
  return given === name || given === `${name}/` ? '' : ` ("OLDNAME" (${mailboxText(given, true)}))`;
}

/** LIST of a mailbox that has just been selected (RFC 9051 section 6.3.2). */
export function tellSelected(session: Session, given: string, name: string): void {
  untagged(session, `LIST () "/" ${mailboxText(name, true)}${oldName(given, name)}`);
}

/** RFC 9051 section 6.3.9.7: a name that is kept in another form than it was given in is told. */
export function tellNormalized(session: Session, given: string, name: string, attributes = ''): void {
  const old = oldName(given, name);
  if (isRev2(session) && old !== '')
    untagged(session, `LIST (${attributes}) "/" ${mailboxText(name, true)}${old}`);
}
