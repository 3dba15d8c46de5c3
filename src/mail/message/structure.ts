/**
 * What is known of a message after one pass over its bytes: a tree of parts with offsets from the message's first
 * octet, and facts about its lines and octets. Header text stands in latin1 strings, one character an octet: nothing
 * is decoded before somebody displays it.
 */

/** A parameter as an IMAP client sees it: RFC 2231 continuations joined, extended values (`name*`) still encoded. */
export type Param = readonly [name: string, value: string];

/** A field of a header section. Offsets count from the message's first octet; `end` is past the field's last CRLF. */
export interface HeaderField {
  /** Field name in lower case; empty for a line that is no field. */
  readonly name: string;
  readonly start: number;
  /** First octet after the colon. */
  readonly valueStart: number;
  readonly end: number;
}

/** Raw unfolded values of the fields that ENVELOPE shows, for a message inside a message. Addresses: repeated fields joined. */
export type EnvelopeFields = { readonly [K in EnvelopeName]?: string };
export const envelopeNames = [
  'date',
  'subject',
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'in-reply-to',
  'message-id',
] as const;
export type EnvelopeName = (typeof envelopeNames)[number];

export interface Disposition {
  /** Lower case: "inline", "attachment". */
  readonly kind: string;
  /** As the sender spelled it, when that differs. */
  readonly asSent: string | undefined;
  readonly params: readonly Param[];
}

/** One MIME entity (RFC 2045). `headerStart <= bodyStart <= bodyEnd`; the line end before a delimiter is not of the body. */
export interface Part {
  headerStart: number;
  /** First octet after the blank line that ends the header. */
  bodyStart: number;
  bodyEnd: number;
  /** Line feeds in the body. */
  lines: number;
  /** Media type and subtype in lower case. */
  type: string;
  subtype: string;
  /** "Type/Subtype" as the sender spelled it, when that differs. */
  typeAsSent: string | undefined;
  params: readonly Param[];
  /** Content-Transfer-Encoding in lower case, "7bit" when absent. */
  encoding: string;
  encodingAsSent: string | undefined;
  disposition: Disposition | undefined;
  id: string | undefined;
  description: string | undefined;
  language: readonly string[] | undefined;
  location: string | undefined;
  md5: string | undefined;
  /** Present on the top part of a message inside a message. */
  envelope: EnvelopeFields | undefined;
  /** Beyond a limit: a multipart or message that was not looked into, or all the rest of a message with too many parts. */
  opaque: boolean;
  /** Parts of a multipart; for message/rfc822 and message/global the one message in it. */
  children: Part[];
}

/** What a `MessageScanner` found. */
export interface MessageStructure {
  /** Octets of the message. */
  size: number;
  root: Part;
  /** Fields of the top header, at most `limits.fields` of them; empty after `parseStructure` unless they were serialised. */
  fields: HeaderField[];
  /** Received fields in the top header, also those beyond `limits.fields`. */
  receivedFields: number;
  /** The top header was longer than `limits.headerBytes`: what came after that was not read. */
  headerTruncated: boolean;
  /** Octets over 127 in the top header, in a part's or a nested message's header, in anything else. */
  eightBitHeader: boolean;
  eightBitPartHeader: boolean;
  eightBitBody: boolean;
  hasNul: boolean;
  hasBareCr: boolean;
  hasBareLf: boolean;
  /** Octets of the longest line, its line end included. */
  longestLine: number;
}

/** True for a part whose children are the parts of a multipart (RFC 2046 5.1). */
export function isMultipart(part: Part): boolean {
  return part.type === 'multipart' && !part.opaque;
}

/** True for a part that holds one message (RFC 2046 5.2.1, RFC 6532 3.7) which has been looked into. */
export function isMessage(part: Part): boolean {
  return isMessageType(part.type, part.subtype) && !part.opaque;
}

export function isMessageType(type: string, subtype: string): boolean {
  return type === 'message' && (subtype === 'rfc822' || subtype === 'global');
}

/** A part with the defaults of RFC 2045 5.2, or of RFC 2046 5.1.5 inside a digest. */
export function emptyPart(headerStart: number, inDigest: boolean): Part {
  return {
    headerStart,
    bodyStart: headerStart,
    bodyEnd: headerStart,
    lines: 0,
    type: inDigest ? 'message' : 'text',
    subtype: inDigest ? 'rfc822' : 'plain',
    typeAsSent: undefined,
    params: [],
    encoding: '7bit',
    encodingAsSent: undefined,
    disposition: undefined,
    id: undefined,
    description: undefined,
    language: undefined,
    location: undefined,
    md5: undefined,
    envelope: undefined,
    opaque: false,
    children: [],
  };
}

/** All parts, depth first. */
export function* eachPart(part: Part): Generator<Part> {
  yield part;
  for (const child of part.children) yield* eachPart(child);
}
