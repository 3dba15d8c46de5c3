import { Refusal } from '../../base/errors.ts';
import type { MessageRow } from '../../data/mailstore/types.ts';
import { createDecoder, isKnownEncoding } from '../../mail/message/decode.ts';
import { renderBody } from '../../mail/message/imap-text.ts';
import { selectFields } from '../../mail/message/section.ts';
import {
  type ContentReader,
  contentReader,
  type Piece,
  sizeOf,
  slicePieces,
} from '../../data/mailstore/content-reader.ts';
import { SESSION_LIMITS } from './limits.ts';
import { missing, simpleItem } from './fetch-items.ts';
import { fetchHead } from './numbers.ts';
import { announceKeywords } from './refresh.ts';
import { flush, type Session, spend, usesUtf8, viewOf } from './session.ts';
import { string, utf8Octets } from './wire/encoder.ts';
import type { FetchAtt, Partial } from './wire/fetch-att.ts';

/** Octets of a section that are read before they are announced; of larger ones the first piece is. */
const SMALL = 64 * 1024;
/** Octets of a part that are decoded at once. */
const DECODED_AT_ONCE = 4 * 1024;
/** Steps (see turns.ts) for an item, for an octet that is sent or looked through, and for one that is decoded. */
const STEPS_PER_ITEM = 2000;
const STEPS_PER_OCTET = 1;
const STEPS_PER_ENCODED = 4;
const STEPS_PER_UUENCODED = 100;

/** Octets of picked fields that are kept for the next time, and of what names them. */
const SELECTION_BYTES = 2048;

type SectionAtt = Extract<FetchAtt, { kind: 'section' | 'binary' }>;

/**
 * The contents of a page of rows. Where header fields are asked for, as every client does to show a mailbox, the
 * headers are read all at once: one after the other they would each wait for the store.
 */
export async function openContents(
  session: Session,
  rows: readonly MessageRow[],
  atts: readonly FetchAtt[],
): Promise<readonly (ContentReader | undefined)[]> {
  const contents = rows.map((row) => row.content && contentReader(session.options.store.blobs, row.content));
  if (!atts.some(isTopFields)) return contents;
  // What cannot be read fails again where its message is told.
  await Promise.allSettled(contents.map((content) => content?.header(SESSION_LIMITS.headerBytes)));
  return contents;
}

/** BODY[HEADER] or BODY[HEADER.FIELDS (...)] of the message itself. */
export function isTopHeader(att: FetchAtt): boolean {
  if (att.kind !== 'section' || att.section.part.length > 0) return false;
  return att.section.text === 'HEADER' || att.section.fields !== undefined;
}

/** BODY[HEADER.FIELDS (...)] of the message itself. */
export function isTopFields(att: FetchAtt): boolean {
  return att.kind === 'section' && att.section.part.length === 0 && att.section.fields !== undefined;
}

/**
 * Write the FETCH response (RFC 9051 section 7.5.2) for a row. When something of it cannot be read nothing is written
 * and the error is thrown; `session.inLiteral` says when it was too late for that.
 */
export async function tellMessage(
  session: Session,
  row: MessageRow,
  atts: readonly FetchAtt[],
  content: ContentReader | undefined,
  preview?: string,
): Promise<void> {
  const view = viewOf(session);
  const seq = view.seqOf(row.uid);
  if (seq === 0) return;
  const { out } = session;
  announceKeywords(session, row.keywords);
  const mark = out.mark();
  try {
    await response(session, seq, row, atts, content, preview);
  } catch (error) {
    if (!out.rollBack(mark)) session.inLiteral = true;
    throw error;
  }
}

async function response(
  session: Session,
  seq: number,
  row: MessageRow,
  atts: readonly FetchAtt[],
  content: ContentReader | undefined,
  preview: string | undefined,
): Promise<void> {
  const { out } = session;
  for (const att of atts) checkEncoding(att, content);
  out.text(`* ${fetchHead(session, seq, row.uid)} (`);
  let first = true;
  for (const att of atts) {
    if (!first) out.text(' ');
    first = false;
    const text =
      att.kind === 'preview'
        ? previewItem(session, preview)
        : (simpleItem(session, row, att) ?? keptItem(att, content));
    if (text !== undefined) out.text(text);
    else {
      const before = out.size;
      await contentItem(session, row, att, content);
      await spend(session, STEPS_PER_ITEM + STEPS_PER_OCTET * Math.max(0, out.size - before));
      // A client may ask for a thousand sections of a message: they must not all stand in memory.
      if (out.size >= SESSION_LIMITS.responseBytes) await flush(session);
    }
  }
  out.text(')\r\n');
}

/** Header fields that were picked from this message before. */
function keptItem(att: FetchAtt, content: ContentReader | undefined): string | undefined {
  if (att.kind !== 'section' || att.partial !== undefined || !isTopFields(att)) return undefined;
  const kept = content?.keptSelection(att.label);
  return kept === undefined ? undefined : `${att.label} {${kept.length}}\r\n${kept}`;
}

/** RFC 8970 section 3.2: NIL is only for what is not known yet. */
function previewItem(session: Session, preview: string | undefined): string {
  if (preview === undefined) return 'PREVIEW NIL';
  return `PREVIEW ${string(utf8Octets(preview), usesUtf8(session))}`;
}

async function contentItem(
  session: Session,
  row: MessageRow,
  att: FetchAtt,
  content: ContentReader | undefined,
): Promise<void> {
  const { out } = session;
  if (att.kind === 'envelope') {
    out.text('ENVELOPE ');
    out.bytes(row.envelope ?? missing('envelope'));
  } else if (att.kind === 'bodystructure') {
    out.text('BODYSTRUCTURE ');
    out.bytes(row.bodystructure ?? missing('bodystructure'));
  } else if (att.kind === 'body') {
    out.text('BODY ');
    out.bytes(renderBody((content ?? missing('content')).structure, false));
  } else if (att.kind === 'section') await sectionItem(session, att, content ?? missing('content'));
  else if (att.kind === 'binary') await binaryItem(session, att, content ?? missing('content'));
  else if (att.kind === 'binary-size') {
    out.text(`${att.label} ${await binarySize(session, content ?? missing('content'), att.part)}`);
  }
}

/** BODY[section], or what a URL names. */
export async function sectionItem(session: Session, att: SectionAtt, content: ContentReader): Promise<void> {
  const kept = isTopHeader(att) ? content.keptHeader : undefined;
  if (kept !== undefined) return headerItem(session, att, content, kept);
  const found = content.section(att.section);
  // RFC 9051 section 7.5.2: nstring; a part that is not there is NIL.
  if (found === undefined) {
    session.out.text(`${att.label} NIL`);
    return;
  }
  if (isTopHeader(att) && (found.filter !== undefined || sizeOf(found.pieces) <= SMALL))
    return headerItem(session, att, content, await content.header(SESSION_LIMITS.headerBytes));
  if (found.filter === undefined)
    return literal(session, att.label, content, part(found.pieces, att.partial));
  const header = await content.bytes(slicePieces(found.pieces, 0, SESSION_LIMITS.headerBytes));
  return fieldsItem(session, att, header, found.filter);
}

/** BODY[HEADER] and BODY[HEADER.FIELDS (...)] of the message itself, whose header is at hand. */
function headerItem(
  session: Session,
  att: SectionAtt,
  content: ContentReader,
  header: Buffer,
): Promise<void> | undefined {
  const { text, fields } = att.section;
  if (fields !== undefined)
    return fieldsItem(session, att, header, { names: fields, not: text === 'HEADER.FIELDS.NOT' }, content);
  whole(session, att.label, '', cut(header, att.partial));
  return undefined;
}

async function fieldsItem(
  session: Session,
  att: SectionAtt,
  header: Buffer,
  { names, not }: { readonly names: readonly string[]; readonly not: boolean },
  keeper?: ContentReader,
): Promise<void> {
  const fields = selectFields(header, names, not);
  if (att.partial === undefined && fields.length <= SELECTION_BYTES && att.label.length <= SELECTION_BYTES)
    keeper?.keepSelection(att.label, fields.toString('latin1'));
  whole(session, att.label, '', cut(fields, att.partial));
  await spend(session, STEPS_PER_OCTET * header.length);
}

function part(pieces: readonly Piece[], partial: Partial | undefined): readonly Piece[] {
  return partial === undefined ? pieces : slicePieces(pieces, partial.offset, partial.count);
}

function cut(octets: Buffer, partial: Partial | undefined): Buffer {
  return partial === undefined ? octets : octets.subarray(partial.offset, partial.offset + partial.count);
}

function whole(session: Session, label: string, tilde: string, octets: Buffer): void {
  session.out.text(`${label} ${tilde}{${octets.length}}\r\n`);
  session.out.bytes(octets);
}

/** A literal of any size, at most 64 KiB of it in memory. */
async function literal(
  session: Session,
  label: string,
  content: ContentReader,
  pieces: readonly Piece[],
): Promise<void> {
  const size = sizeOf(pieces);
  if (size <= SMALL) {
    whole(session, label, '', await content.bytes(pieces));
    return;
  }
  await stream(session, `${label} {${size}}\r\n`, size, content.read(pieces));
}

/** Announce `size` octets and send them. The announcement waits for the first of them, so that none is made in vain. */
async function stream(
  session: Session,
  head: string,
  size: number,
  source: AsyncIterable<Buffer>,
): Promise<void> {
  let sent = 0;
  for await (const piece of source) {
    if (sent === 0) {
      session.out.text(head);
      session.inLiteral = true;
    }
    sent += piece.length;
    session.out.bytes(piece);
    await flush(session);
  }
  if (sent !== size) throw new Error(`a message of ${size} octets has ${sent} in the store`);
  session.inLiteral = false;
}

/** A part decoded (RFC 3516 section 4.3): a literal8 where there is NUL, a string where there is none. */
export async function binaryItem(session: Session, att: SectionAtt, content: ContentReader): Promise<void> {
  const found = content.binary(att.section.part);
  if (found === undefined) {
    session.out.text(`${att.label} NIL`);
    return;
  }
  const { pieces, encoding } = found;
  if (sizeOf(pieces) <= SESSION_LIMITS.binaryInMemoryBytes) {
    const octets: Buffer[] = [];
    for await (const piece of decoded(session, content, pieces, encoding)) octets.push(Buffer.from(piece));
    const part = cut(Buffer.concat(octets), att.partial);
    whole(session, att.label, part.includes(0) ? '~' : '', part);
    return;
  }
  // Large: decode once to know the size, once to send.
  const { size: total, binary } = await decodedOctets(session, content, pieces, encoding);
  const { offset, count } = att.partial ?? { offset: 0, count: total };
  const size = Math.max(0, Math.min(count, total - offset));
  if (size === 0) whole(session, att.label, '', Buffer.alloc(0));
  else {
    const octets = window(decoded(session, content, pieces, encoding), offset, size);
    await stream(session, `${att.label} ${binary ? '~' : ''}{${size}}\r\n`, size, octets);
  }
}

async function binarySize(
  session: Session,
  content: ContentReader,
  path: readonly number[],
): Promise<number> {
  const found = content.binary(path);
  if (found === undefined) return 0;
  return (await decodedOctets(session, content, found.pieces, found.encoding)).size;
}

/** RFC 3516 section 4.3: what cannot be decoded is refused, before anything of the message is told. */
export function checkEncoding(att: FetchAtt, content: ContentReader | undefined): void {
  let path: readonly number[];
  if (att.kind === 'binary') path = att.section.part;
  else if (att.kind === 'binary-size') path = att.part;
  else return;
  const found = content?.binary(path);
  if (found === undefined || isKnownEncoding(found.encoding)) return;
  throw new Refusal('bad-input', 'The part has a transfer encoding that is not known here', {
    imapCode: 'UNKNOWN-CTE',
  });
}

async function* decoded(
  session: Session,
  content: ContentReader,
  pieces: readonly Piece[],
  encoding: string,
): AsyncGenerator<Buffer, void> {
  const decoder = createDecoder(encoding);
  const steps = encoding.includes('uu') ? STEPS_PER_UUENCODED : STEPS_PER_ENCODED;
  for await (const piece of content.read(pieces)) {
    for (let at = 0; at < piece.length; at += DECODED_AT_ONCE) {
      const some = piece.subarray(at, at + DECODED_AT_ONCE);
      yield decoder.push(some);
      await spend(session, steps * some.length);
    }
  }
  yield decoder.end();
}

/** How many octets a part has when it is decoded, and whether there is NUL among them. */
async function decodedOctets(
  session: Session,
  content: ContentReader,
  pieces: readonly Piece[],
  encoding: string,
): Promise<{ size: number; binary: boolean }> {
  let size = 0;
  let binary = false;
  for await (const piece of decoded(session, content, pieces, encoding)) {
    size += piece.length;
    binary ||= piece.includes(0);
    if (session.connection.closed) break;
  }
  return { size, binary };
}

/** `size` octets from `offset` on. */
async function* window(
  source: AsyncIterable<Buffer>,
  offset: number,
  size: number,
): AsyncGenerator<Buffer, void> {
  let skip = offset;
  let left = size;
  for await (const piece of source) {
    const from = Math.min(skip, piece.length);
    skip -= from;
    const taken = piece.subarray(from, from + left);
    left -= taken.length;
    if (taken.length > 0) yield taken;
    if (left === 0) return;
  }
}
