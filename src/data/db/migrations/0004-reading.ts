import type { TypeNames } from '../sql.ts';
import { content } from './0004-content.ts';
import { jmap } from './0004-jmap.ts';
import { sharing } from './0004-sharing.ts';
import { sieve } from './0004-sieve.ts';

/** Scripts, shared mailboxes, and what reading mail by IMAP and JMAP looks up. */
export function reading(t: TypeNames): string[] {
  return [...sieve(t), ...sharing(t), ...content(t), ...jmap(t)];
}
