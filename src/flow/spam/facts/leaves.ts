/** The leaves of a MIME tree in the order in which a reader meets them. */
import { isMessage, isMultipart, type Part } from '../../../mail/message/structure.ts';
import { factLimits } from './limits.ts';

export interface Leaf {
  /** IMAP section number. */
  readonly path: string;
  readonly part: Part;
  /** Inside a message/rfc822. */
  readonly nested: boolean;
  /** Subtype of the multipart it stands in; empty where there is none. */
  readonly parent: string;
}

/** The first `max` leaves. Multiparts without parts are leaves too. */
export function leavesOf(root: Part, max: number = factLimits.parts): Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (part: Part, path: string, nested: boolean, parent: string): void => {
    if (leaves.length >= max) return;
    if (part.children.length === 0) {
      leaves.push({ path: path === '' ? '1' : path, part, nested, parent });
    } else if (isMultipart(part)) {
      for (const [i, child] of part.children.entries()) {
        if (leaves.length >= max) return;
        walk(child, path === '' ? `${i + 1}` : `${path}.${i + 1}`, nested, part.subtype);
      }
    } else {
      const own = path === '' ? '1' : path;
      const inner = part.children[0];
      if (inner !== undefined)
        walk(inner, isMessage(part) && isMultipart(inner) ? own : `${own}.1`, true, '');
    }
  };
  walk(root, '', false, '');
  return leaves;
}

/** True for a leaf that a mailer shows as text: no attachment, and of a type that is text to read. */
export function isReadableText(part: Part): boolean {
  if (part.type !== 'text' || part.disposition?.kind === 'attachment') return false;
  return part.subtype !== 'calendar' && part.subtype !== 'x-vcard' && part.subtype !== 'vcard';
}
