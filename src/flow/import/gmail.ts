import { Flag } from '../../data/mailstore/types.ts';
import { decodeWords } from '../../mail/message/words.ts';
import type { Place } from './types.ts';

/** Gmail's labels: a message lies once in All Mail and has labels; here it comes to lie in the folders they name. */

/** What labels of the system mean: a folder by its use, or nothing that is a folder. */
const SYSTEM: Readonly<Record<string, Place | 'none'>> = {
  inbox: { levels: ['INBOX'] },
  sent: { levels: ['Sent'], specialUse: '\\Sent' },
  draft: { levels: ['Drafts'], specialUse: '\\Drafts' },
  drafts: { levels: ['Drafts'], specialUse: '\\Drafts' },
  spam: { levels: ['Junk'], specialUse: '\\Junk' },
  junk: { levels: ['Junk'], specialUse: '\\Junk' },
  trash: { levels: ['Trash'], specialUse: '\\Trash' },
  muted: 'none',
  important: 'none',
  starred: 'none',
  flagged: 'none',
  unread: 'none',
  opened: 'none',
  archived: 'none',
  chat: 'none',
};

const ARCHIVE: Place = { levels: ['Archive'], specialUse: '\\Archive' };

/** Folders of a message with these labels; the archive when there are none. System labels begin with a backslash. */
export function labelPlaces(labels: readonly string[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const label of labels) {
    const system = label.startsWith('\\') ? SYSTEM[label.slice(1).toLowerCase()] : undefined;
    if (system === 'none' || (label.startsWith('\\') && system === undefined)) continue;
    const place = system ?? { levels: label.split('/').filter((level) => level !== '') };
    if (place.levels.length > 0) places.set(place.levels.join('/').toLowerCase(), place);
  }
  return places.size === 0 ? [ARCHIVE] : [...places.values()];
}

/**
 * Labels and flags of a message of Google Takeout, which writes X-Gmail-Labels in the language of the person: labels of
 * the system are known by their English names only. Undefined for mail that has none.
 */
export function takeoutLabels(
  fields: ReadonlyMap<string, string>,
): { labels: readonly string[]; flags: number } | undefined {
  const field = fields.get('x-gmail-labels');
  if (field === undefined) return undefined;
  const names = decodeWords(field)
    .split(',')
    .map((name) => name.trim().replace(/^"|"$/g, ''))
    .filter((name) => name !== '');
  const has = (name: string): boolean => names.some((each) => each.toLowerCase() === name);
  return {
    labels: names.map((name) => (isSystem(name) ? `\\${name}` : name)),
    flags: (has('unread') ? 0 : Flag.Seen) | (has('starred') ? Flag.Flagged : 0),
  };
}

function isSystem(name: string): boolean {
  return Object.hasOwn(SYSTEM, name.toLowerCase()) || /^category /i.test(name);
}
