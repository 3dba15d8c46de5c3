import { isUtf8 } from 'node:buffer';
import { decodeUtf8Addr } from '../xtext.ts';
import { decodeQuotedPrintable, oneLine } from './encode.ts';
import { messageIdOf, parseFields } from './header.ts';
import type { DsnAction } from './types.ts';

/** Octets of a message that are looked at: the report stands before the returned message, which may be large. */
const PARSED_OCTETS = 256 * 1024;

/** Multiparts inside one another, parts in all, and recipients that are followed. */
const DEPTH = 4;
const PARTS = 100;
const RECIPIENTS = 1000;

/** One recipient of a notification that somebody sent us. Everything in it is the remote's word, unverified. */
export interface ParsedRecipient {
  /** The address, without its type; '' when the report has only the original one. */
  readonly finalRecipient: string;
  readonly originalRecipient: string | undefined;
  readonly action: DsnAction;
  /** "5.1.1"; "5.0.0" and the like when the report states none. */
  readonly status: string;
  /** Diagnostic-Code without its type, one line. */
  readonly diagnostic: string | undefined;
  readonly remoteMta: string | undefined;
}

export interface ParsedDsn {
  readonly reportingMta: string | undefined;
  readonly envid: string | undefined;
  readonly recipients: readonly ParsedRecipient[];
  /** Message-ID of the returned message or header, with angle brackets. */
  readonly originalMessageId: string | undefined;
}

/**
 * Read a delivery status notification (RFC 3464, RFC 6533), tolerantly: the report may be inside other multiparts,
 * encoded, without its per-message fields, with LF line ends, cut off. Undefined when the message has no delivery
 * status part with a recipient: bounces in prose alone (qmail's, for one) are not understood. Only the first 256 KiB are
 * read, in linear time.
 */
export function parseDsn(bytes: Buffer): ParsedDsn | undefined {
  const text = bytes.subarray(0, PARSED_OCTETS).toString('latin1');
  const parts: Part[] = [];
  collectParts(text, 0, parts);
  const report = parts.find((part) => /^message\/(global-)?delivery-status$/.test(part.type));
  if (!report) return undefined;
  const groups = fieldGroups(decodeBody(report));
  const recipients = groups
    .map(parseRecipient)
    .filter((recipient) => recipient !== undefined)
    .slice(0, RECIPIENTS);
  if (recipients.length === 0) return undefined;
  const message = groups.find((group) => group.has('reporting-mta'));
  const returned = parts.find((part) => RETURNED_TYPES.has(part.type));
  const header = returned && parseFields(splitEntity(decodeBody(returned)).header);
  return {
    reportingMta: typedValue(message?.get('reporting-mta')),
    envid: cleanValue(groups[0]?.get('original-envelope-id')),
    recipients,
    originalMessageId: messageIdOf(header?.get('message-id')),
  };
}

/** A message disposition notification that somebody sent us (RFC 8098). Everything in it is the remote's word. */
export interface ParsedMdn {
  /** The address, without its type. */
  readonly finalRecipient: string | undefined;
  readonly originalRecipient: string | undefined;
  /** Message-ID of the message it is about, with angle brackets. */
  readonly originalMessageId: string | undefined;
  /** The message was shown to somebody; anything else may have become of it otherwise. */
  readonly displayed: boolean;
}

/** Read a disposition notification, as tolerantly as a delivery status notification; undefined when it is none. */
export function parseMdn(bytes: Buffer): ParsedMdn | undefined {
  const parts: Part[] = [];
  collectParts(bytes.subarray(0, PARSED_OCTETS).toString('latin1'), 0, parts);
  const report = parts.find((part) => /^message\/(global-)?disposition-notification$/.test(part.type));
  const [fields] = report === undefined ? [] : fieldGroups(decodeBody(report));
  const disposition = fields?.get('disposition');
  if (fields === undefined || disposition === undefined) return undefined;
  return {
    finalRecipient: typedValue(fields.get('final-recipient')),
    originalRecipient: typedValue(fields.get('original-recipient')),
    originalMessageId: messageIdOf(fields.get('original-message-id')),
    displayed: /;\s{0,9}displayed\b/i.test(disposition),
  };
}

const RETURNED_TYPES = new Set([
  'message/rfc822',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global',
  'message/global-headers',
]);

/** A leaf of the message. */
interface Part {
  readonly type: string;
  readonly encoding: string;
  readonly body: string;
}

function collectParts(text: string, depth: number, parts: Part[]): void {
  if (parts.length >= PARTS) return;
  const { header, body } = splitEntity(text);
  const fields = parseFields(header);
  const contentType = fields.get('content-type') ?? 'text/plain';
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const boundary = type.startsWith('multipart/') ? boundaryOf(contentType) : undefined;
  if (boundary === undefined || depth >= DEPTH) {
    parts.push({ type, encoding: (fields.get('content-transfer-encoding') ?? '').toLowerCase(), body });
    return;
  }
  for (const child of splitMultipart(body, boundary)) collectParts(child, depth + 1, parts);
}

/** Header section and body; without an empty line all of it is header. */
function splitEntity(text: string): { header: string; body: string } {
  if (/^\r?\n/.test(text)) return { header: '', body: text.slice(text.indexOf('\n') + 1) };
  const end = /\n\r?\n/.exec(text);
  if (!end) return { header: text, body: '' };
  return { header: text.slice(0, end.index + 1), body: text.slice(end.index + end[0].length) };
}

function boundaryOf(contentType: string): string | undefined {
  const match = /;\s{0,9}boundary\s{0,9}=\s{0,9}(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/** The parts between delimiter lines (RFC 2046 5.1.1); the last may lack its end. */
function splitMultipart(body: string, boundary: string): string[] {
  const delimiter = `--${boundary}`;
  const children: string[] = [];
  let start: number | undefined;
  for (let at = body.startsWith(delimiter) ? 0 : nextDelimiter(body, delimiter, 0); at >= 0; ) {
    const lineEnd = body.indexOf('\n', at);
    const rest = body.slice(at + delimiter.length, lineEnd < 0 ? undefined : lineEnd);
    const isDelimiter = /^(?:--)?[ \t\r]*$/.test(rest);
    if (isDelimiter) {
      if (start !== undefined) children.push(body.slice(start, at));
      start = rest.startsWith('--') || lineEnd < 0 ? undefined : lineEnd + 1;
      if (start === undefined || children.length >= PARTS) return children;
    }
    at = lineEnd < 0 ? -1 : nextDelimiter(body, delimiter, lineEnd);
  }
  if (start !== undefined) children.push(body.slice(start));
  return children;
}

function nextDelimiter(body: string, delimiter: string, from: number): number {
  const at = body.indexOf(`\n${delimiter}`, from);
  return at < 0 ? -1 : at + 1;
}

function decodeBody(part: Part): string {
  if (part.encoding === 'quoted-printable') return decodeQuotedPrintable(part.body);
  if (part.encoding === 'base64') return Buffer.from(part.body, 'base64').toString('latin1');
  return part.body;
}

/** Blocks of fields between empty lines. */
function fieldGroups(text: string): Map<string, string>[] {
  return text
    .split(/\n(?:\r?\n)+/, RECIPIENTS + 10)
    .map(parseFields)
    .filter((group) => group.size > 0);
}

/** The status that an action implies when the report has none. */
const UNSTATED: Readonly<Record<DsnAction, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
  expanded: '2.0.0',
};

function parseRecipient(group: Map<string, string>): ParsedRecipient | undefined {
  const final = typedValue(group.get('final-recipient'));
  const original = typedValue(group.get('original-recipient'));
  if (final === undefined && original === undefined) return undefined;
  const diagnostic = typedValue(group.get('diagnostic-code'));
  const stated = statusIn(group.get('status'));
  const action = actionOf(group.get('action'), stated);
  return {
    finalRecipient: final ?? '',
    originalRecipient: original,
    action,
    status: stated ?? statusIn(diagnostic) ?? UNSTATED[action],
    diagnostic,
    remoteMta: typedValue(group.get('remote-mta')),
  };
}

/** A missing or unknown action follows from the status, and without one it is a failure: that is why people write. */
function actionOf(value: string | undefined, status: string | undefined): DsnAction {
  const word = value
    ?.trim()
    .toLowerCase()
    .split(/[^a-z]/, 1)[0];
  switch (word) {
    case 'failed':
    case 'delayed':
    case 'delivered':
    case 'relayed':
    case 'expanded':
      return word;
    default:
      return status?.startsWith('2') ? 'delivered' : status?.startsWith('4') ? 'delayed' : 'failed';
  }
}

function statusIn(value: string | undefined): string | undefined {
  return /(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])/.exec(value ?? '')?.[1];
}

/** `type; value` without its type; addresses without angle brackets, those of type utf-8 decoded. */
function typedValue(value: string | undefined): string | undefined {
  const clean = cleanValue(value);
  if (clean === undefined) return undefined;
  const [, type = '', rest = clean] = /^([A-Za-z0-9-]{1,40})\s?;\s?(.*)$/s.exec(clean) ?? [];
  const bare = /^<.*>$/s.test(rest) ? rest.slice(1, -1) : rest;
  if (bare === '') return undefined;
  return type.toLowerCase() === 'utf-8' ? (decodeUtf8Addr(bare, { unitext: true }) ?? bare) : bare;
}

/** The octets of a field value as text: UTF-8 where they are that. */
function cleanValue(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const octets = Buffer.from(value, 'latin1');
  return oneLine(isUtf8(octets) ? octets.toString('utf8') : value) || undefined;
}
