import {
  type BodyLists,
  bodyLists,
  hasAttachment,
  type NumberedPart,
  numberParts,
} from '../../../mail/jmap/body-parts.ts';
import { previewOf, previewTexts } from '../../../mail/preview.ts';
import { flagArg, intArg, propertiesArg } from '../args.ts';
import { MethodError } from '../errors.ts';
import { type Json, type JsonObject, octetsOf } from '../json.ts';
import { JMAP_LIMITS } from '../limits.ts';
import { BODY_PROPERTIES, bodyPart, bodyValue, isBodyProperty, type PartWish } from './body.ts';
import {
  allHeaders,
  headerProperty,
  type HeaderProperty,
  headerValue,
  type HeaderView,
  headerView,
} from './headers.ts';
import type { MessageSource } from './source.ts';

/** Properties of an Email that stand in its octets (RFC 8621 sections 4.1.2 to 4.1.4). */

/** Convenience properties and what they stand for. */
export const SHORT_PROPERTIES: ReadonlyMap<string, HeaderProperty> = new Map([
  ['messageId', { field: 'message-id', form: 'MessageIds', all: false }],
  ['inReplyTo', { field: 'in-reply-to', form: 'MessageIds', all: false }],
  ['references', { field: 'references', form: 'MessageIds', all: false }],
  ['sender', { field: 'sender', form: 'Addresses', all: false }],
  ['from', { field: 'from', form: 'Addresses', all: false }],
  ['to', { field: 'to', form: 'Addresses', all: false }],
  ['cc', { field: 'cc', form: 'Addresses', all: false }],
  ['bcc', { field: 'bcc', form: 'Addresses', all: false }],
  ['replyTo', { field: 'reply-to', form: 'Addresses', all: false }],
  ['subject', { field: 'subject', form: 'Text', all: false }],
  ['sentAt', { field: 'date', form: 'Date', all: false }],
]);

export const STORED_PROPERTIES: readonly string[] = [
  'id',
  'blobId',
  'threadId',
  'mailboxIds',
  'keywords',
  'size',
  'receivedAt',
];

const CONTENT: readonly string[] = [
  'hasAttachment',
  'preview',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
];

/** What is told when nothing is named (RFC 8621 section 4.2). */
export const DEFAULT_PROPERTIES: readonly string[] = [
  ...STORED_PROPERTIES,
  ...SHORT_PROPERTIES.keys(),
  ...CONTENT,
];
/** The same for Email/parse (section 4.9). */
export const PARSE_PROPERTIES: readonly string[] = [...SHORT_PROPERTIES.keys(), ...CONTENT];

export function isEmailProperty(name: string): boolean {
  return (
    DEFAULT_PROPERTIES.includes(name) ||
    name === 'headers' ||
    name === 'bodyStructure' ||
    headerProperty(name) !== undefined
  );
}

/** What Email/get and Email/parse are asked for. */
export interface EmailWish {
  readonly properties: readonly string[];
  readonly bodyProperties: readonly string[];
  readonly values: {
    readonly text: boolean;
    readonly html: boolean;
    readonly all: boolean;
    readonly max: number;
  };
  /** Octets of bodies and header fields that this answer may still have. */
  left: number;
}

export function emailWish(args: JsonObject, usual: readonly string[]): EmailWish {
  return {
    properties: [...new Set(propertiesArg(args, isEmailProperty) ?? usual)],
    bodyProperties: propertiesArg(args, isBodyProperty, 'bodyProperties') ?? BODY_PROPERTIES,
    values: {
      text: flagArg(args, 'fetchTextBodyValues'),
      html: flagArg(args, 'fetchHTMLBodyValues'),
      all: flagArg(args, 'fetchAllBodyValues'),
      max: intArg(args, 'maxBodyValueBytes', 0) ?? 0,
    },
    left: JMAP_LIMITS.answerBodyBytes,
  };
}

/** Take octets of what an answer may have. @throws MethodError 'requestTooLarge' */
function spend(wish: EmailWish, octets: number): void {
  wish.left -= octets;
  if (wish.left < 0)
    throw new MethodError('requestTooLarge', 'That is too much at once: ask for less of it.');
}

/** Whether any of what is asked for stands in the octets of a message. */
export function needsOctets({ properties }: EmailWish): boolean {
  return properties.some((name) => !STORED_PROPERTIES.includes(name));
}

/** The properties of a message that were asked for; `preview`: one that is known. */
export async function messageProperties(
  source: MessageSource,
  wish: EmailWish,
  preview: string | undefined,
): Promise<Record<string, Json | undefined>> {
  const made: Record<string, Json | undefined> = {};
  let header: HeaderView | undefined;
  let root: NumberedPart | undefined;
  let lists: BodyLists | undefined;
  const tree = (): NumberedPart => (root ??= numberParts(source.structure.root));
  const bodies = (): BodyLists => (lists ??= bodyLists(tree()));
  for (const name of wish.properties) {
    const property = SHORT_PROPERTIES.get(name) ?? headerProperty(name);
    if (property !== undefined || name === 'headers') {
      header ??= headerView(await source.header());
      made[name] = property === undefined ? allHeaders(header) : headerValue(header, property);
      spend(wish, octetsOf(made[name], wish.left));
    } else if (name === 'bodyStructure') {
      made[name] = await bodyPart(source, tree(), partWish(wish), true);
    } else if (name === 'textBody' || name === 'htmlBody' || name === 'attachments') {
      made[name] = await eachPart(source, bodies()[name], wish, tree());
    } else if (name === 'hasAttachment') made[name] = hasAttachment(bodies());
    else if (name === 'bodyValues') made[name] = await bodyValues(source, tree(), bodies(), wish);
    else if (name === 'preview') made[name] = preview ?? (await makePreview(source));
  }
  return made;
}

function partWish(wish: EmailWish): PartWish {
  return { properties: wish.bodyProperties, spend: (octets) => spend(wish, octets), most: wish.left };
}

async function eachPart(
  source: MessageSource,
  parts: readonly NumberedPart[],
  wish: EmailWish,
  root: NumberedPart,
): Promise<JsonObject[]> {
  const made: JsonObject[] = [];
  for (const part of parts) made.push(await bodyPart(source, part, partWish(wish), part === root));
  return made;
}

async function bodyValues(
  source: MessageSource,
  root: NumberedPart,
  { textBody, htmlBody }: BodyLists,
  wish: EmailWish,
): Promise<JsonObject> {
  const { text, html, all, max } = wish.values;
  const wanted = new Map<string, NumberedPart>();
  const add = (parts: readonly NumberedPart[]): void => {
    for (const each of parts) {
      if (each.partId !== undefined && each.part.type === 'text') wanted.set(each.partId, each);
    }
  };
  if (text || all) add(textBody);
  if (html || all) add(htmlBody);
  if (all) add(leaves(root));
  const values: Record<string, Json> = {};
  for (const [partId, { part }] of wanted) {
    const { json, read } = await bodyValue(source, part, max);
    spend(wish, read);
    values[partId] = json;
  }
  return values;
}

function leaves(root: NumberedPart): NumberedPart[] {
  return root.children.length === 0 ? [root] : root.children.flatMap(leaves);
}

/** The first words of a message. */
export async function makePreview(source: MessageSource): Promise<string> {
  for (const text of previewTexts(source.structure)) {
    const preview = previewOf(text, await source.body(text.part, text.end - text.start));
    if (preview !== '') return preview;
  }
  return '';
}
