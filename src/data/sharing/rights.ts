/** Rights to a mailbox (RFC 4314 section 2.1) as bits, in the order in which their letters are written. */
export const Right = {
  /** l: the mailbox is seen by LIST. */
  Lookup: 1,
  /** r: select it, read its messages and its counters. */
  Read: 2,
  /** s: change \Seen. */
  Seen: 4,
  /** w: change other flags and keywords. */
  Write: 8,
  /** i: put messages in. */
  Insert: 16,
  /** p: send mail to its own address; kept and shown, asked by nothing here. */
  Post: 32,
  /** k: create mailboxes below it. */
  Create: 64,
  /** x: delete and rename it. */
  Delete: 128,
  /** t: change \Deleted. */
  DeleteMessages: 256,
  /** e: expunge. */
  Expunge: 512,
  /** a: give rights to others. */
  Administer: 1024,
} as const;

const LETTERS = 'lrswipkxtea';

export const ALL_RIGHTS = 2 ** LETTERS.length - 1;

/** What an owner cannot lose. */
export const OWNER_ALWAYS: number = Right.Lookup | Right.Administer;

/** Rights of which any lets its holder know that the mailbox exists (RFC 4314 section 3.5). */
export const TELLING: number =
  Right.Lookup | Right.Read | Right.Insert | Right.Create | Right.Delete | Right.Administer;

/** The rights that c and d of RFC 2086 stand for (RFC 4314 section 2.1.1). */
const OBSOLETE_CREATE = Right.Create;
const OBSOLETE_DELETE: number = Right.DeleteMessages | Right.Expunge | Right.Delete;

/** Rights by their letters, c and d of RFC 2086 among them; undefined when one of them is unknown. */
export function parseRights(text: string): number | undefined {
  let rights = 0;
  for (const letter of text) {
    const at = LETTERS.indexOf(letter);
    if (at >= 0) rights |= 2 ** at;
    else if (letter === 'c') rights |= OBSOLETE_CREATE;
    else if (letter === 'd') rights |= OBSOLETE_DELETE;
    else return undefined;
  }
  return rights;
}

/** "lrswipkxtea" */
export function formatRights(rights: number): string {
  let text = '';
  for (let at = 0; at < LETTERS.length; at++) if ((rights & (2 ** at)) !== 0) text += LETTERS[at] ?? '';
  return text;
}

/** The same with c and d for clients of RFC 2086: each where any right it stands for is there. */
export function formatRightsWithObsolete(rights: number): string {
  const c = (rights & OBSOLETE_CREATE) !== 0 ? 'c' : '';
  const d = (rights & OBSOLETE_DELETE) !== 0 ? 'd' : '';
  return formatRights(rights) + c + d;
}

export function hasRights(rights: number, needed: number): boolean {
  return (rights & needed) === needed;
}

/** What the entries that mean somebody give: all that is granted without all that is taken away. */
export function sumOfRights(
  entries: Iterable<{ readonly rights: number; readonly negative: boolean }>,
): number {
  let granted = 0;
  let denied = 0;
  for (const { rights, negative } of entries) {
    if (negative) denied |= rights;
    else granted |= rights;
  }
  return granted & ~denied;
}
