import type { EmailEntry, Id, Patch } from '../types.ts';

/** Patches of keywords and mailboxes of an email: "keywords/x" and "mailboxIds/x", each true or null. */

export type Patches = ReadonlyMap<Id, Patch>;
type Sets = Pick<EmailEntry, 'keywords' | 'mailboxIds'>;

const setOf = (email: Sets, name: string | undefined): Readonly<Record<string, true>> =>
  name === 'keywords' ? email.keywords : email.mailboxIds;

/** An email with a patch applied. */
export function applyPatch<T extends Sets>(email: T, patch: Patch): T {
  const keywords: Record<string, true> = { ...email.keywords };
  const mailboxIds: Record<Id, true> = { ...email.mailboxIds };
  for (const [path, value] of Object.entries(patch)) {
    const [name, key = ''] = path.split('/');
    const target = name === 'keywords' ? keywords : mailboxIds;
    if (value === null) delete target[key];
    else target[key] = true;
  }
  return { ...email, keywords, mailboxIds };
}

/** The patch that takes another back, as far as that one changes anything. */
export function inversePatch(email: Sets, patch: Patch): Patch {
  const inverse: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(patch)) {
    const [name, key = ''] = path.split('/');
    const had = setOf(email, name)[key] === true;
    if (value === null && had) inverse[path] = true;
    else if (value !== null && !had) inverse[path] = null;
  }
  return inverse;
}

export function patchKeyword(keyword: string, on: boolean): Patch {
  return { [`keywords/${keyword.toLowerCase()}`]: on ? true : null };
}

/**
 * What becomes of a patch that was made some time ago, now that the email may have been changed by others: `done` when all
 * of it is so already, `fits` when it can be applied, `gone` when the email was moved out of a mailbox that the patch moves
 * it out of: the newer move counts. Keywords alone always fit, for each is a wish of its own.
 */
export function fitOf(email: Sets, patch: Patch): 'done' | 'fits' | 'gone' {
  let changes = false;
  let moves = false;
  let missed = false;
  for (const [path, value] of Object.entries(patch)) {
    const [name, key = ''] = path.split('/');
    const has = setOf(email, name)[key] === true;
    if (has === (value !== null)) {
      if (name === 'mailboxIds' && value === null) missed = true;
      continue;
    }
    changes = true;
    if (name === 'mailboxIds') moves = true;
  }
  if (!changes) return 'done';
  return moves && missed ? 'gone' : 'fits';
}
