/** Authentication-Results (RFC 8601): the field that we write, and what ours say in sum. */
import { splitFields } from '../dkim/fields.ts';
import { claimsAuthservId } from './authserv-id.ts';

/** One `ptype.property=value`, e.g. "header.d" and "example.org" (RFC 8601 section 2.3). */
export type Property = readonly [name: string, value: string];

/** What one method found (RFC 8601 section 2.2, resinfo). */
export interface MethodResult {
  /** e.g. "spf". */
  readonly method: string;
  /** e.g. "pass". */
  readonly result: string;
  /** One clause for a person. */
  readonly reason?: string;
  /** Set in parentheses behind the result. */
  readonly comment?: string;
  readonly properties?: readonly Property[];
}

/** Columns a line is folded at. */
const FOLD_COLUMNS = 76;
/** Characters of a value, a reason or a comment that are written. */
const MAX_VALUE = 320;

/** MIME token (RFC 2045), "@" too where a local part may stand before a domain: written without quotes. */
const PLAIN = /^[A-Za-z0-9!#$&'*+.^_`{|}~@/-]+$/;

/** Octets of strangers end up here: nothing but printable ASCII gets through, and no line end. */
function clean(text: string): string {
  return text.slice(0, MAX_VALUE).replace(/[^\x20-\x7e]/g, '?');
}

function quote(text: string): string {
  return `"${clean(text).replace(/["\\]/g, '\\$&')}"`;
}

/** A value as it may stand in the field: quoted unless it is a token or an address made of them. */
function toValue(text: string): string {
  if (text === '') return '""';
  return PLAIN.test(text) && text.length <= MAX_VALUE && text.indexOf('@') === text.lastIndexOf('@')
    ? text
    : quote(text);
}

function piecesOf({ method, result, reason, comment, properties = [] }: MethodResult): string[] {
  return [
    `${method}=${result}`,
    ...(comment === undefined ? [] : [`(${clean(comment).replace(/[()\\]/g, '\\$&')})`]),
    ...(reason === undefined ? [] : [`reason=${quote(reason)}`]),
    ...properties.map(([name, value]) => `${name}=${toValue(value)}`),
  ];
}

/**
 * The value of the field, folded with CRLF and a tab, without the final CRLF: what `authservId` found. Each method on a line of
 * its own; "none" where there is nothing to tell (RFC 8601 section 2.2). Also the payload of ARC-Authentication-Results.
 */
export function authenticationResults(authservId: string, results: readonly MethodResult[]): string {
  const lines = [`${toValue(authservId)};`];
  if (results.length === 0) return `${lines[0]} none`;
  results.forEach((each, i) => {
    const pieces = piecesOf(each);
    pieces.forEach((piece, p) => {
      const text = p === pieces.length - 1 && i < results.length - 1 ? `${piece};` : piece;
      const last = lines.length - 1;
      const line = lines[last] ?? '';
      if (p === 0 || line.length + 1 + text.length > FOLD_COLUMNS) lines.push(`\t${text}`);
      else lines[last] = `${line} ${text}`;
    });
  });
  return lines.join('\r\n');
}

/** The whole field with its CRLF, to be put before the header. */
export function authenticationResultsField(authservId: string, results: readonly MethodResult[]): Buffer {
  return Buffer.from(`Authentication-Results: ${authenticationResults(authservId, results)}\r\n`, 'latin1');
}

/** Fields of ours that are merged. */
const MAX_MERGED = 20;

/**
 * What the fields of `header` that name `authservId` say, as one payload for ARC-Authentication-Results (RFC 8617 section
 * 4.1.1), unfolded; undefined where there is none. For a header whose foreign fields with our id are gone.
 */
export function mergeResults(header: Buffer, authservId: string): string | undefined {
  const parts: string[] = [];
  for (const field of splitFields(header)) {
    if (field.name !== 'authentication-results' || parts.length >= MAX_MERGED) continue;
    const value = field.raw.toString('latin1', field.valueStart);
    const semicolon = value.indexOf(';');
    if (semicolon < 0 || !claimsAuthservId(value, authservId)) continue;
    const text = value
      .slice(semicolon + 1)
      .replace(/[ \t\r\n]{1,1000}/g, ' ')
      .trim()
      .replace(/;$/, '');
    if (text !== '') parts.push(text);
  }
  return parts.length === 0 ? undefined : `${authservId}; ${parts.join('; ')}`;
}
