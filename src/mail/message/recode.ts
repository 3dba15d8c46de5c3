/**
 * A message that we originate, made fit for a next hop without 8BITMIME or BINARYMIME (RFC 6152 3, RFC 3030 3):
 * every leaf part with octets over 127, NUL, bare CR or LF or lines over 998 octets becomes quoted-printable or base64.
 */
import { encodeBase64, encodeQuotedPrintable } from './build.ts';
import { parseFields } from './headers.ts';
import { MessageScanner, scanMessage } from './scanner.ts';
import { isMessage, isMultipart, type Part } from './structure.ts';

/** Octets of a message that is recoded in memory. Ours are small; others' are not recoded. */
export const RECODE_MAX_BYTES = 64 * 1024 * 1024;
/** RFC 5322 2.1.1, without CRLF. */
const LINE_OCTETS = 998;

export type Recoded =
  | { readonly kind: 'unchanged'; readonly message: Buffer }
  | { readonly kind: 'recoded'; readonly message: Buffer; readonly parts: number }
  /** Headers with raw UTF-8 need SMTPUTF8; a signed part may not be touched; too large; too many or too deep parts. */
  | { readonly kind: 'impossible'; readonly reason: 'header-8bit' | 'signed' | 'too-large' | 'opaque' };

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly replacement: Buffer;
}

/** True for a body that 7-bit transport would damage. */
function needsEncoding(body: Buffer): boolean {
  const scanner = new MessageScanner();
  scanner.push(Buffer.from('\r\n')); // no header
  scanner.push(body);
  const { eightBitBody, hasNul, hasBareCr, hasBareLf, longestLine } = scanner.end();
  return eightBitBody || hasNul || hasBareCr || hasBareLf || longestLine > LINE_OCTETS + 2;
}

/** Text that stays text: line ends are CRLF only and there is no NUL, so quoted-printable keeps it readable. */
function isTextBody(part: Part, body: Buffer): boolean {
  if (part.type !== 'text' || body.includes(0)) return false;
  for (let pos = body.indexOf(13); pos !== -1; pos = body.indexOf(13, pos + 1))
    if (body[pos + 1] !== 10) return false;
  for (let pos = body.indexOf(10); pos !== -1; pos = body.indexOf(10, pos + 1))
    if (body[pos - 1] !== 13) return false;
  return true;
}

/** Replaces the Content-Transfer-Encoding of the header at `part`, or adds one, and MIME-Version to the top header. */
function encodingEdits(message: Buffer, part: Part, encoding: string, isTop: boolean): Edit[] {
  const header = message.subarray(part.headerStart, part.bodyStart);
  const fields = parseFields(header, part.headerStart);
  const old = fields.filter((field) => field.name === 'content-transfer-encoding');
  const edits: Edit[] = old.map(({ start, end }) => ({ start, end, replacement: Buffer.alloc(0) }));
  const hasVersion = !isTop || fields.some((field) => field.name === 'mime-version');
  const added = `${hasVersion ? '' : 'MIME-Version: 1.0\r\n'}Content-Transfer-Encoding: ${encoding}\r\n`;
  const at = fields.at(-1)?.end ?? part.headerStart;
  edits.push({ start: at, end: at, replacement: Buffer.from(added) });
  return edits;
}

interface Walk {
  readonly message: Buffer;
  readonly edits: Edit[];
  parts: number;
  failure: 'signed' | 'opaque' | undefined;
}

/** Collects the edits of a part and its children; true when anything in it was encoded or relabelled. */
function walk(state: Walk, part: Part, isTop: boolean): boolean {
  if (part.opaque) {
    if (needsEncoding(state.message.subarray(part.bodyStart, part.bodyEnd))) state.failure = 'opaque';
    return false;
  }
  if (!isMultipart(part) && !isMessage(part)) return recodeLeaf(state, part, isTop);
  const changed = part.children.map((child) => walk(state, child, isMessage(part))).some(Boolean);
  if (changed && part.subtype === 'signed' && isMultipart(part)) state.failure = 'signed'; // RFC 1847 2.1
  if (part.encoding !== '8bit' && part.encoding !== 'binary') return changed;
  // RFC 2045 6.4: a container says what the worst of its parts is.
  state.edits.push(...encodingEdits(state.message, part, '7bit', isTop));
  return true;
}

function recodeLeaf(state: Walk, part: Part, isTop: boolean): boolean {
  const body = state.message.subarray(part.bodyStart, part.bodyEnd);
  const isPlain = part.encoding === '7bit' || part.encoding === '8bit' || part.encoding === 'binary';
  if (!needsEncoding(body)) {
    if (part.encoding === '7bit' || !isPlain) return false;
    state.edits.push(...encodingEdits(state.message, part, '7bit', isTop));
    return true;
  }
  if (!isPlain) {
    state.failure = 'opaque'; // base64 with raw octets in it: not ours to repair
    return false;
  }
  const asText = isTextBody(part, body);
  const encoded = asText ? encodeQuotedPrintable(body) : encodeBase64(body);
  state.edits.push(...encodingEdits(state.message, part, asText ? 'quoted-printable' : 'base64', isTop));
  state.edits.push({ start: part.bodyStart, end: part.bodyEnd, replacement: encoded });
  state.parts++;
  return true;
}

function applyEdits(message: Buffer, edits: readonly Edit[]): Buffer {
  const pieces: Buffer[] = [];
  let pos = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    pieces.push(message.subarray(pos, edit.start), edit.replacement);
    pos = edit.end;
  }
  pieces.push(message.subarray(pos));
  return Buffer.concat(pieces);
}

/**
 * The message in 7-bit form. Whole messages in memory, at most `RECODE_MAX_BYTES`. DKIM-sign after this, not before.
 */
export function recodeTo7bit(message: Buffer): Recoded {
  if (message.length > RECODE_MAX_BYTES) return { kind: 'impossible', reason: 'too-large' };
  const structure = scanMessage(message);
  if (structure.eightBitHeader || structure.eightBitPartHeader)
    return { kind: 'impossible', reason: 'header-8bit' };
  const state: Walk = { message, edits: [], parts: 0, failure: undefined };
  walk(state, structure.root, true);
  if (state.failure !== undefined) return { kind: 'impossible', reason: state.failure };
  if (state.edits.length === 0) return { kind: 'unchanged', message };
  const recoded = applyEdits(message, state.edits);
  // What is left stands outside every part, in a preamble or an epilogue.
  const left = scanMessage(recoded);
  if (left.eightBitBody || left.hasNul) return { kind: 'impossible', reason: 'opaque' };
  return { kind: 'recoded', message: recoded, parts: state.parts };
}
