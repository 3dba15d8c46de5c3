import { Refusal } from '../../base/errors.ts';

export const SEPARATOR = '/';
export const INBOX = 'INBOX';
/** Octets of a mailbox's full name in UTF-8. */
export const MAX_NAME_BYTES = 1000;
/** Levels of a mailbox's name. */
export const MAX_NAME_DEPTH = 20;
/** Mailboxes of an account. */
export const MAX_MAILBOXES = 5000;

/**
 * A mailbox's full name as it is stored: NFC (RFC 9051 5.1 asks for Net-Unicode), the first level INBOX in any case as
 * 'INBOX' (RFC 9051 5.1). One separator at the end only says that children will follow (6.3.4) and is dropped.
 * @throws Refusal 'bad-input' or 'limit'
 */
export function mailboxName(given: string): string {
  const bare = given.endsWith(SEPARATOR) ? given.slice(0, -1) : given;
  if (bare.length > MAX_NAME_BYTES) throw tooLong();
  if (!bare.isWellFormed()) throw new Refusal('bad-input', 'A mailbox name must be valid Unicode.', CANNOT);
  const levels = bare.normalize('NFC').split(SEPARATOR);
  if (levels[0]?.toUpperCase() === INBOX) levels[0] = INBOX;
  if (levels.some((level) => level === '')) {
    throw new Refusal('bad-input', 'A mailbox name must not have an empty level.', CANNOT);
  }
  const name = levels.join(SEPARATOR);
  if (hasControls(name)) {
    throw new Refusal('bad-input', 'A mailbox name must not have control characters.', CANNOT);
  }
  checkNameSize(name);
  return name;
}

const CANNOT = { imapCode: 'CANNOT' };

/** @throws Refusal 'limit' */
export function checkNameSize(name: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw tooLong();
  if (name.split(SEPARATOR).length > MAX_NAME_DEPTH) {
    throw new Refusal('limit', `A mailbox name may have at most ${MAX_NAME_DEPTH} levels.`, {
      imapCode: 'LIMIT',
    });
  }
}

function tooLong(): Refusal {
  return new Refusal('limit', `A mailbox name may have at most ${MAX_NAME_BYTES} octets.`, {
    imapCode: 'LIMIT',
  });
}

/** C0, DEL, C1, and the line and paragraph separators (RFC 5198 section 2). */
function hasControls(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029) return true;
  }
  return false;
}

/** The names above a name, outermost first: 'a/b/c' gives 'a', 'a/b'. */
export function ancestors(name: string): string[] {
  const levels = name.split(SEPARATOR);
  return levels.slice(1).map((_, i) => levels.slice(0, i + 1).join(SEPARATOR));
}
