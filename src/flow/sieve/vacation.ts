import { createHash } from 'node:crypto';
import { encodeBase64, encodeQuotedPrintable, foldField, makeBoundary } from '../../mail/message/build.ts';
import { htmlLines } from '../../mail/sieve/html-text.ts';
import type { VacationSettings } from './settings.ts';

/** What an answer of somebody who is away says. */

/** What is said where nothing is set (RFC 8621 section 8). */
const NO_TEXT = 'I am away and will answer when I am back.';
/** Octets of a line, its end not counted (RFC 5321 4.5.3.1.6). */
const LINE_OCTETS = 998;

type Said = Pick<VacationSettings, 'text' | 'html'>;

/** Whether it is a time to the second, and no day. */
export function isTime(moment: string): boolean {
  return moment.includes('T');
}

/** The answer as plain text. */
export function vacationText({ text, html }: Said): string {
  if (text !== undefined) return text;
  const read = html === undefined ? '' : htmlLines(html);
  return read === '' ? NO_TEXT : read;
}

/**
 * The answer as the MIME entity that `vacation :mime` takes (RFC 5230 4.3), lines ending in CRLF. Undefined where the text
 * can stand as it is. The same settings make the same octets.
 */
export function vacationEntity(said: Said): string | undefined {
  const text = lines(vacationText(said));
  if (said.html === undefined) return isLong(text) ? part('plain', text) : undefined;
  const html = lines(said.html);
  // Made of what it parts: nobody can write a text that has it.
  const boundary = makeBoundary(
    createHash('sha256')
      .update(JSON.stringify([text, html]))
      .digest()
      .subarray(0, 20),
  );
  const type = foldField('Content-Type', `multipart/alternative; boundary="${boundary}"`);
  // RFC 2046 5.1.4: what says most comes last.
  const parts = [part('plain', text), part('html', html)].map((each) => `--${boundary}\r\n${each}\r\n`);
  return `${type}\r\n${parts.join('')}--${boundary}--`;
}

function lines(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\0', '')
    .replace(/\r\n|\r|\n/g, '\r\n');
}

function isLong(text: string): boolean {
  return text.split('\r\n').some((line) => Buffer.byteLength(line) > LINE_OCTETS);
}

/** Readable in the script where its lines may travel as they are; else in whichever encoding is shorter. */
function part(subtype: 'plain' | 'html', text: string): string {
  const octets = Buffer.from(text);
  let [encoding, body] = [octets.length === text.length ? '7bit' : '8bit', text];
  if (isLong(text)) {
    const printable = encodeQuotedPrintable(octets).toString('latin1');
    const base64 = encodeBase64(octets).toString('latin1');
    [encoding, body] =
      printable.length <= base64.length ? ['quoted-printable', printable] : ['base64', base64];
  }
  const type = foldField('Content-Type', `text/${subtype}; charset=utf-8`);
  return `${type}${foldField('Content-Transfer-Encoding', encoding)}\r\n${body}`;
}
