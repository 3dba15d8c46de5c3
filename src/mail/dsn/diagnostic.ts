import type { SmtpReply } from '../../base/errors.ts';
import { oneLine } from './encode.ts';

/** Lines of one reply that are shown. */
const LINES = 50;

/** Whether a diagnostic is what a remote host said, rather than a sentence of ours. */
export function isReply(diagnostic: SmtpReply | string): boolean {
  return typeof diagnostic !== 'string' || /^[245][0-9]{2}(?:[ -]|$)/.test(diagnostic);
}

/** A diagnostic line by line, codes in front; no line contains a control character. */
export function replyLines(diagnostic: SmtpReply | string): string[] {
  if (typeof diagnostic === 'string') return [oneLine(diagnostic)];
  const { code, enhanced, lines } = diagnostic;
  const [first = '', ...rest] = lines.slice(0, LINES).map((line) => oneLine(line));
  const codes = enhanced === undefined ? String(code) : `${code} ${oneLine(enhanced)}`;
  return [`${codes} ${first}`.trimEnd(), ...rest];
}
