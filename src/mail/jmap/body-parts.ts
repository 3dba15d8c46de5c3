/** Which parts of a message are its text and which its attachments, as JMAP tells clients (RFC 8621 section 4.1.4). */
import { parameter } from '../message/params.ts';
import { isMultipart, type Part } from '../message/structure.ts';

/** A part with its number: "1", "2.1"; undefined for multiparts. Messages within the message are leaves. */
export interface NumberedPart {
  readonly part: Part;
  readonly partId: string | undefined;
  readonly children: readonly NumberedPart[];
}

/** Number the parts of a message. */
export function numberParts(root: Part): NumberedPart {
  return isMultipart(root) ? numberBelow(root, '') : { part: root, partId: '1', children: [] };
}

function numberBelow(part: Part, path: string): NumberedPart {
  const children = part.children.map((child, i) => {
    const at = path === '' ? `${i + 1}` : `${path}.${i + 1}`;
    return isMultipart(child) ? numberBelow(child, at) : { part: child, partId: at, children: [] };
  });
  return { part, partId: undefined, children };
}

/** The leaf of that number. */
export function partById(root: NumberedPart, partId: string): NumberedPart | undefined {
  if (root.partId === partId) return root;
  for (const child of root.children) {
    const found = partById(child, partId);
    if (found !== undefined) return found;
  }
  return undefined;
}

export interface BodyLists {
  readonly textBody: readonly NumberedPart[];
  readonly htmlBody: readonly NumberedPart[];
  readonly attachments: readonly NumberedPart[];
}

export function fileName(part: Part): string | undefined {
  return parameter(part.disposition?.params ?? [], 'filename') ?? parameter(part.params, 'name');
}

/** Image, audio and video are shown among the text where they stand in it. */
function isInlineMedia({ type }: Part): boolean {
  return type === 'image' || type === 'audio' || type === 'video';
}

function isText({ type, subtype }: Part): boolean {
  return type === 'text' && (subtype === 'plain' || subtype === 'html');
}

interface Lists {
  text: NumberedPart[] | undefined;
  html: NumberedPart[] | undefined;
  readonly attachments: NumberedPart[];
}

/** What a reader is shown as text, as HTML, and what is offered beside it. */
export function bodyLists(root: NumberedPart): BodyLists {
  const text: NumberedPart[] = [];
  const html: NumberedPart[] = [];
  const attachments: NumberedPart[] = [];
  walk([root], 'mixed', false, { text, html, attachments });
  return { textBody: text, htmlBody: html, attachments };
}

function walk(parts: readonly NumberedPart[], kind: string, inAlternative: boolean, lists: Lists): void {
  const before = { text: lists.text?.length ?? -1, html: lists.html?.length ?? -1 };
  parts.forEach((each, i) => {
    const { part } = each;
    if (isMultipart(part)) {
      walk(each.children, part.subtype, inAlternative || part.subtype === 'alternative', {
        ...lists,
      });
    } else if (!isInline(each, i, kind)) lists.attachments.push(each);
    else place(each, kind, inAlternative, lists);
  });
  if (kind === 'alternative' && lists.text !== undefined && lists.html !== undefined)
    shareBetween(lists, before);
}

/** Whether a part is shown in its place: it is no attachment, and text or media that may stand there. */
function isInline({ part }: NumberedPart, i: number, kind: string): boolean {
  if (part.disposition?.kind === 'attachment') return false;
  if (!isText(part) && !isInlineMedia(part)) return false;
  // Of a multipart/related the first part is the page; others, and later texts with a name, are files.
  return i === 0 || (kind !== 'related' && (isInlineMedia(part) || fileName(part) === undefined));
}

function place(each: NumberedPart, kind: string, inAlternative: boolean, lists: Lists): void {
  const { part } = each;
  if (kind === 'alternative') {
    if (isText(part)) (part.subtype === 'html' ? lists.html : lists.text)?.push(each);
    else lists.attachments.push(each);
    return;
  }
  // Within an alternative, a branch that has shown one form of text no longer has a place for the other.
  if (inAlternative) {
    if (isText(part) && part.subtype === 'plain') lists.html = undefined;
    if (isText(part) && part.subtype === 'html') lists.text = undefined;
  }
  lists.text?.push(each);
  lists.html?.push(each);
  if ((lists.text === undefined || lists.html === undefined) && isInlineMedia(part))
    lists.attachments.push(each);
}

/** Where an alternative gave only one of the two forms, that one stands for the other as well. */
function shareBetween(lists: Lists, before: { readonly text: number; readonly html: number }): void {
  const { text, html } = lists;
  if (text === undefined || html === undefined) return;
  if (text.length === before.text && html.length !== before.html) text.push(...html.slice(before.html));
  else if (html.length === before.html && text.length !== before.text) html.push(...text.slice(before.text));
}

/** Whether there is something to download: an attachment that is not shown in the text. */
export function hasAttachment(lists: BodyLists): boolean {
  return lists.attachments.some(({ part }) => part.disposition?.kind !== 'inline');
}
