/** The octets that replace and enclose (RFC 5703 6, 7) make of a message. Whole messages in memory. */
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { encodeQuotedPrintable, encodeWords, foldField, formatDate, makeBoundary } from '../message/build.ts';
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

/** A field of addresses where it is one. */
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

/** Fields that an enclosing message keeps: they say how it came here, which loops are found by, and to whom. */
const KEPT = ['return-path', 'received', 'delivered-to', 'to'];

export interface Enclosing {
  readonly subject: string | undefined;
  /** Names of fields to copy. */
  readonly headers: readonly string[];
  /** Whose script it is. */
  readonly from: string;
  readonly now: number;
}

/**
 * RFC 5703 7: a new message of the text and the old message. Its author is whoever the script works for, its date that
 * of now, unless `headers` wants those of the old message.
 */
export function encloseMessage(
  message: Buffer,
  text: string,
  { subject, headers, from, now }: Enclosing,
): Buffer {
  const names = new Set([...KEPT, ...headers.map((one) => one.trim().toLowerCase())]);
  if (subject === undefined) names.add('subject');
  else names.delete('subject');
  const copied = fieldsOf(message).filter(
    ({ name }) => names.has(name) && !name.startsWith('content-') && name !== 'mime-version',
  );
  const head = copied.map(({ octets }) => octets);
  const has = (name: string): boolean => copied.some((one) => one.name === name);
  if (!has('from')) head.push(addressSafe('from', from));
  if (!has('date')) head.push(field('Date', formatDate(now)));
  if (subject !== undefined) head.push(field('Subject', subject));
  // No randomness here: what the message begins with and what stands before it tell one boundary from another.
  const digest = createHash('sha256').update(text).update(message.subarray(0, SAMPLE)).digest();
  if (!has('message-id')) {
    const domain = /@([a-z0-9.-]+)/i.exec(from)?.[1] ?? 'localhost';
    head.push(field('Message-ID', `<${digest.toString('hex')}@${domain}>`));
  }
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
