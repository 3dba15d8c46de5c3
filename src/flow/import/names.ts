import type { SpecialUse } from '../../data/mailstore/types.ts';
import { MAX_NAME_BYTES, MAX_NAME_DEPTH } from '../../data/mailstore/names.ts';
import type { Place } from './types.ts';

/** Where folders of other systems come to lie here. */

/** Names that mean a special use where nothing else says so: those that mail programs and providers use. */
const USES: Readonly<Record<string, SpecialUse>> = {
  sent: '\\Sent',
  'sent items': '\\Sent',
  'sent messages': '\\Sent',
  'sent mail': '\\Sent',
  'sent-mail': '\\Sent',
  drafts: '\\Drafts',
  draft: '\\Drafts',
  trash: '\\Trash',
  'deleted items': '\\Trash',
  'deleted messages': '\\Trash',
  bin: '\\Trash',
  junk: '\\Junk',
  'junk e-mail': '\\Junk',
  'junk email': '\\Junk',
  'junk mail': '\\Junk',
  spam: '\\Junk',
  archive: '\\Archive',
  archives: '\\Archive',
  'all mail': '\\Archive',
};

/** Levels in front of folders that are no folders of people. */
const PREFIXES = new Set(['inbox', '[gmail]', '[google mail]', 'mail']);

/** What a folder is used for by its name: at the top, or below the inbox as with Courier and Cyrus. */
export function useOfName(levels: readonly string[]): SpecialUse | undefined {
  const bare =
    levels.length === 2 && PREFIXES.has((levels[0] ?? '').toLowerCase()) ? levels.slice(1) : levels;
  return bare.length === 1 ? USES[(bare[0] ?? '').toLowerCase()] : undefined;
}

export interface Chosen extends Place {
  /** Full name of the mailbox here. */
  readonly name: string;
}

function ours(use: SpecialUse | undefined): SpecialUse | undefined {
  if (use === '\\All') return '\\Archive';
  return use === '\\Flagged' ? undefined : use;
}

/**
 * Where each folder goes: what has a special use into our mailbox of that use, the first that claims it; all else by its
 * name. INBOX.Folder of Courier and Cyrus becomes Folder.
 */
export function chooseMailboxes<F extends Place>(folders: readonly F[]): ReadonlyMap<F, Chosen> {
  const claimed = new Set<SpecialUse>();
  const chosen = new Map<F, Chosen>();
  const claim = (folder: F, use: SpecialUse | undefined): void => {
    if (use === undefined || claimed.has(use) || chosen.has(folder)) return;
    claimed.add(use);
    chosen.set(folder, { levels: folder.levels, specialUse: use, name: mailboxNameOf(folder.levels) });
  };
  for (const folder of folders) claim(folder, ours(folder.specialUse));
  // The shorter names first: "Sent" before "Old/Sent".
  for (const folder of folders.toSorted((a, b) => a.levels.length - b.levels.length))
    claim(folder, useOfName(folder.levels));
  for (const folder of folders) {
    if (chosen.has(folder)) continue;
    chosen.set(folder, { levels: folder.levels, name: mailboxNameOf(folder.levels) });
  }
  return chosen;
}

/** A name that our store takes: no empty level, no control characters, not too deep, not too long. */
export function mailboxNameOf(levels: readonly string[]): string {
  const inbox = (levels[0] ?? '').toLowerCase() === 'inbox';
  const below = inbox && levels.length > 1 ? levels.slice(1) : levels;
  if (inbox && levels.length <= 1) return 'INBOX';
  const clean = below
    .map(
      (level) =>
        level
          .normalize('NFC')
          .replace(/[\p{Cc}\u2028\u2029/]/gu, '_')
          .toWellFormed()
          .trim() || '_',
    )
    .map((level, at) => (at === 0 && level.toLowerCase() === 'inbox' ? `${level}_` : level));
  const deep = MAX_NAME_DEPTH - 1;
  const folded =
    clean.length <= deep ? clean : [...clean.slice(0, deep - 1), clean.slice(deep - 1).join('.')];
  let name = folded.join('/');
  while (Buffer.byteLength(name) > MAX_NAME_BYTES) name = name.slice(0, -1);
  return name === '' ? '_' : name.replace(/\/+$/, '');
}
