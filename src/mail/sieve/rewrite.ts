/** The octets that replace and enclose (RFC 5703 6, 7) make of a message. Whole messages in memory. */
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { encodeQuotedPrintable, encodeWords, foldField, makeBoundary } from '../message/build.ts';
import { parseFields } from '../message/headers.ts';
import { headerLength } from './edits.ts';
import type { Splice } from './run.ts';

const CRLF = Buffer.from('\r\n');
const LINE_OCTETS = 998;
/** Octets of a message that its boundary is made from. */
const SAMPLE = 64 * 1024;

interface Field {
  readonly name: string;
  readonly octets: Buffer;
}

function fieldsOf(message: Buffer): Field[] {
  return parseFields(message.subarray(0, headerLength(message))).map(({ name, start, end }) => ({
    name,
    octets: message.subarray(start, end),
  }));
}

function field(name: string, value: string): Buffer {
  return Buffer.from(foldField(name, encodeWords(value)));
}

/** An entity of text: header, blank line, body. */
export function textEntity(text: string): Buffer {
  const octets = Buffer.from(text.toWellFormed());
  const isLong = text.split('\n').some((line) => line.length > LINE_OCTETS);
  const plain = /^[\t\r\n\x20-\x7e]*$/.test(text) && !isLong;
  const encoding = plain ? '7bit' : 'quoted-printable';
  const head = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), plain ? octets : encodeQuotedPrintable(octets)]);
}

/** An entity that the script wrote itself (:mime), its lines ending in CRLF. */
export function givenEntity(text: string): Buffer {
  return Buffer.from(text.toWellFormed().replace(/\r?\n/g, '\r\n'));
}

/** The message with pieces of it replaced; their places count from the end of the message. */
export function withSplices(message: Buffer, splices: readonly Splice[]): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, octets } of splices.toSorted((a, b) => b.start - a.start)) {
    const from = message.length - start;
    const to = message.length - end;
    if (from < at || to > message.length) continue;
    pieces.push(message.subarray(at, from), octets);
    at = to;
  }
  pieces.push(message.subarray(at));
  return Buffer.concat(pieces);
}

export interface NewHeader {
  readonly subject: string | undefined;
  readonly from: string | undefined;
}

/** RFC 5703 6: the message with another content; what is replaced of its header stays under another name. */
export function replaceContent(message: Buffer, entity: Buffer, { subject, from }: NewHeader): Buffer {
  const head: Buffer[] = [];
  const changed = new Map<string, string>();
  if (subject !== undefined) changed.set('subject', subject);
  if (from !== undefined) changed.set('from', from);
  for (const { name, octets } of fieldsOf(message)) {
    if (name.startsWith('content-') || name === 'mime-version') continue;
    if (!changed.has(name)) head.push(octets);
    else head.push(Buffer.from('Original-'), octets);
  }
  for (const [name, value] of changed) head.push(addressSafe(name, value));
  return Buffer.concat([...head, Buffer.from('MIME-Version: 1.0\r\n'), entity]);
}

function addressSafe(name: string, value: string): Buffer {
  const written = name === 'from' ? 'From' : 'Subject';
  if (name !== 'from') return field(written, value);
  // Only the display name of an address may be encoded (RFC 2047 5).
  const open = value.lastIndexOf('<');
  if (open <= 0) return Buffer.from(foldField(written, value));
  const phrase = value.slice(0, open).trim();
  const shown = /^[\x20-\x7e]*$/.test(phrase) ? phrase : encodeWords(phrase.replace(/^"|"$/g, ''));
  return Buffer.from(foldField(written, `${shown} ${value.slice(open)}`));
}

/** Fields that a message keeps when it is enclosed: they say where it came from and to whom it went. */
const KEPT = ['return-path', 'received', 'from', 'to', 'cc', 'reply-to', 'date', 'message-id'];

/** RFC 5703 7: a new message of the text and the old message. `headers` are names to copy, or "Name: value". */
export function encloseMessage(
  message: Buffer,
  text: string,
  subject: string | undefined,
  headers: readonly string[],
): Buffer {
  const names = new Set([
    ...KEPT,
    ...headers.filter((one) => !one.includes(':')).map((one) => one.trim().toLowerCase()),
  ]);
  if (subject === undefined) names.add('subject');
  const head = fieldsOf(message)
    .filter(({ name }) => names.has(name) && !name.startsWith('content-') && name !== 'mime-version')
    .map(({ octets }) => octets);
  if (subject !== undefined) head.push(field('Subject', subject));
  for (const one of headers) {
    const colon = one.indexOf(':');
    const name = one.slice(0, colon).trim();
    if (colon > 0 && /^[\x21-\x39\x3b-\x7e]{1,100}$/.test(name))
      head.push(field(name, one.slice(colon + 1).trim()));
  }
  // No randomness here: what the message begins with and what stands before it tell one boundary from another.
  const digest = createHash('sha256').update(text).update(message.subarray(0, SAMPLE)).digest();
  const boundary = makeBoundary(digest.subarray(0, 20));
  const type = `MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="${boundary}"\r\n\r\n`;
  const eight = !isAscii(message);
  const inner = `Content-Type: message/rfc822\r\n${eight ? 'Content-Transfer-Encoding: 8bit\r\n' : ''}\r\n`;
  return Buffer.concat([
    ...head,
    Buffer.from(type),
    Buffer.from(`--${boundary}\r\n`),
    textEntity(text),
    Buffer.from(`\r\n--${boundary}\r\n${inner}`),
    message,
    CRLF,
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}
