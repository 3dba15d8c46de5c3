/** Ids as clients see them: a letter for what it is, as IMAP's OBJECTID has them, and a number. */
const LETTERS = {
  account: 'A',
  email: 'M',
  thread: 'T',
  mailbox: 'F',
  identity: 'I',
  submission: 'S',
  push: 'P',
  script: 'C',
} as const;
export type IdKind = keyof typeof LETTERS;

export function formatId(kind: IdKind, id: number): string {
  return `${LETTERS[kind]}${id}`;
}

/** Undefined for what is no id of that kind: nothing has it. */
export function parseId(kind: IdKind, text: unknown): number | undefined {
  if (typeof text !== 'string' || !text.startsWith(LETTERS[kind])) return undefined;
  const digits = text.slice(1);
  if (!/^(?:0|[1-9]\d{0,15})$/.test(digits)) return undefined;
  const id = Number(digits);
  return Number.isSafeInteger(id) ? id : undefined;
}

/** RFC 8620 section 1.2. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && /^[A-Za-z0-9_-]{1,255}$/.test(text);
}
