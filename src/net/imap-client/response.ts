import { IMAP_CLIENT_LIMITS } from './limits.ts';
import { ImapFailure } from './failure.ts';

/** A value of a response: NIL, a list, an atom or number, or the octets of a string. */
export type Value = undefined | Atom | Buffer | readonly Value[];

/** What stands without quotes; a string that looks like one is a Buffer instead. */
export interface Atom {
  readonly atom: string;
}

/** A response as it came: text with its literals cut out, one fewer than the texts. */
export interface RawResponse {
  readonly texts: readonly string[];
  readonly literals: readonly (Buffer | undefined)[];
}

export function isAtom(value: Value): value is Atom {
  return typeof value === 'object' && !Buffer.isBuffer(value) && 'atom' in value;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Text of an atom or a string, as latin1; '' for what is neither. */
export function textOf(value: Value): string {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return isAtom(value) ? value.atom : '';
}

/** The values of a response, lists nested (RFC 9051 section 9, `response-data`); linear, bounded in depth. */
export function parseValues({ texts, literals }: RawResponse): readonly Value[] {
  const open: Value[][] = [[]];
  const add = (value: Value): void => void open.at(-1)?.push(value);
  for (const [index, text] of texts.entries()) {
    let at = 0;
    while (at < text.length) {
      const char = text.charAt(at);
      if (char === ' ') at++;
      else if (char === '(') {
        if (open.length >= IMAP_CLIENT_LIMITS.depth) throw wrong('lists are nested too deeply');
        open.push([]);
        at++;
      } else if (char === ')') {
        const list = open.pop();
        if (list === undefined || open.length === 0) throw wrong('a parenthesis too many');
        add(list);
        at++;
      } else if (char === '"') {
        const quoted = readQuoted(text, at);
        add(quoted.value);
        at = quoted.end;
      } else {
        const end = atomEnd(text, at);
        const atom = text.slice(at, end);
        add(atom.toUpperCase() === 'NIL' ? undefined : { atom });
        at = end;
      }
    }
    if (index < literals.length) add(literals[index] ?? Buffer.alloc(0));
  }
  const [all] = open;
  if (open.length !== 1 || all === undefined) throw wrong('a list has no end');
  return all;
}

function readQuoted(text: string, start: number): { value: Buffer; end: number } {
  let out = '';
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') return { value: Buffer.from(out, 'latin1'), end: at + 1 };
    if (char === '\\') at++;
    out += text.charAt(at);
  }
  throw wrong('a quoted string has no end');
}

/** Up to a space or parenthesis; within brackets both belong to it: BODY[HEADER.FIELDS (DATE)]. */
function atomEnd(text: string, start: number): number {
  let brackets = 0;
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x5b) brackets++;
    else if (char === 0x5d) brackets = Math.max(0, brackets - 1);
    else if (brackets === 0 && (char === 0x20 || char === 0x28 || char === 0x29))
      return Math.max(at, start + 1);
  }
  return text.length;
}

function wrong(what: string): ImapFailure {
  return new ImapFailure('protocol', `the server broke the protocol: ${what}`);
}

/** A status response (RFC 9051 section 7.1): OK, NO, BAD, BYE or PREAUTH with its code. */
export interface Status {
  readonly status: string;
  /** Without brackets: "UIDVALIDITY 3857529045"; '' when there is none. */
  readonly code: string;
  readonly text: string;
}

/** Of "OK [CODE] text"; undefined when the line is no status response. */
export function parseStatus(line: string): Status | undefined {
  const found = /^(OK|NO|BAD|BYE|PREAUTH)(?: (?:\[([^\]]*)\] ?)?([^]*))?$/i.exec(line);
  if (found === null) return undefined;
  const [, status = '', code = '', text = ''] = found;
  return { status: status.toUpperCase(), code, text };
}
