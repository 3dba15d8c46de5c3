import { type IpAddress, parseIp } from './ip.ts';
import { MacroError, type MacroString, parseDomainSpec, parseMacroString } from './macro.ts';

/** What a mechanism with its qualifier yields when it matches. */
export type Qualified = 'pass' | 'fail' | 'softfail' | 'neutral';

interface Common {
  readonly result: Qualified;
  /** The term as published. */
  readonly text: string;
}

/** A directive (RFC 7208 section 4.6.1). An absent `domain` is the current domain. */
export type Directive = Common &
  (
    | { readonly kind: 'all' }
    | { readonly kind: 'include' | 'exists'; readonly domain: MacroString }
    | { readonly kind: 'ptr'; readonly domain: MacroString | undefined }
    | {
        readonly kind: 'a' | 'mx';
        readonly domain: MacroString | undefined;
        readonly bits4: number;
        readonly bits6: number;
      }
    | { readonly kind: 'ip'; readonly network: IpAddress; readonly bits: number }
  );

export interface SpfRecord {
  readonly directives: readonly Directive[];
  readonly redirect: { readonly domain: MacroString; readonly text: string } | undefined;
  readonly exp: MacroString | undefined;
}

/** Octets of a record that is read: DNS could hold 64 KiB, section 3.4 asks for less than 450. */
const MAX_RECORD_OCTETS = 16 * 1024;

/** Does this TXT record claim to be an SPF record? (section 4.5) */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

class RecordError extends Error {}

const QUALIFIERS: Record<string, Qualified> = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' };

/** 0 to `most` without leading zeros. */
function prefixLength(text: string, most: number): number {
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(text) || Number(text) > most) {
    throw new RecordError('a malformed prefix length');
  }
  return Number(text);
}

/** Cut `["/" bits4] ["//" bits6]` from the end of the argument of a and mx (section 5.3). */
function dualCidr(argument: string): { rest: string; bits4: number; bits6: number } {
  let rest = argument;
  let bits4 = 32;
  let bits6 = 128;
  const six = /\/\/([0-9]{1,9})$/.exec(rest.slice(-12));
  if (six !== null) {
    bits6 = prefixLength(six[1] ?? '', 128);
    rest = rest.slice(0, -six[0].length);
  }
  const four = /\/([0-9]{1,9})$/.exec(rest.slice(-12));
  if (four !== null) {
    bits4 = prefixLength(four[1] ?? '', 32);
    rest = rest.slice(0, -four[0].length);
  }
  return { rest, bits4, bits6 };
}

/** ip4 and ip6 (section 5.6): ":" network ["/" bits]. */
function ipDirective(common: Common, family: 4 | 6, argument: string): Directive {
  const slash = argument.indexOf('/');
  const address = slash < 0 ? argument.slice(1) : argument.slice(1, slash);
  const network = argument.startsWith(':') ? parseIp(address) : undefined;
  if (network?.family !== family) throw new RecordError('a malformed network');
  const widest = family === 4 ? 32 : 128;
  const bits = slash < 0 ? widest : prefixLength(argument.slice(slash + 1), widest);
  return { ...common, kind: 'ip', network, bits };
}

/** The optional ":domain-spec" of a, mx and ptr. */
function optionalDomain(argument: string): MacroString | undefined {
  if (argument === '') return undefined;
  if (!argument.startsWith(':')) throw new RecordError('a malformed mechanism');
  return parseDomainSpec(argument.slice(1));
}

function parseDirective(term: string): Directive {
  const result = QUALIFIERS[term.charAt(0)];
  const body = result === undefined ? term : term.slice(1);
  const common: Common = { result: result ?? 'pass', text: term };
  const nameEnd = body.search(/[:/]/);
  const name = (nameEnd < 0 ? body : body.slice(0, nameEnd)).toLowerCase();
  const argument = nameEnd < 0 ? '' : body.slice(nameEnd);
  switch (name) {
    case 'all':
      if (argument !== '') throw new RecordError('"all" with an argument');
      return { ...common, kind: 'all' };
    case 'include':
    case 'exists':
      if (!argument.startsWith(':')) throw new RecordError(`"${name}" without a domain`);
      return { ...common, kind: name, domain: parseDomainSpec(argument.slice(1)) };
    case 'a':
    case 'mx': {
      const { rest, bits4, bits6 } = dualCidr(argument);
      return { ...common, kind: name, domain: optionalDomain(rest), bits4, bits6 };
    }
    case 'ptr':
      return { ...common, kind: 'ptr', domain: optionalDomain(argument) };
    case 'ip4':
      return ipDirective(common, 4, argument);
    case 'ip6':
      return ipDirective(common, 6, argument);
    default:
      throw new RecordError('an unknown mechanism');
  }
}

/** name "=" of a modifier. */
const MODIFIER = /^([a-z][a-z0-9\-_.]{0,62})=/i;

/**
 * Read an SPF record whole (section 4.6): an error anywhere spoils it all. `text` has one character per octet. Returns
 * what is wrong where it is malformed.
 */
export function parseRecord(text: string): SpfRecord | { readonly error: string } {
  if (text.length > MAX_RECORD_OCTETS) return { error: 'the record is too long' };
  const directives: Directive[] = [];
  let redirect: SpfRecord['redirect'];
  let exp: MacroString | undefined;
  for (const term of text.split(' ').slice(1)) {
    if (term === '') continue;
    try {
      const modifier = MODIFIER.exec(term);
      if (modifier === null) {
        directives.push(parseDirective(term));
        continue;
      }
      const name = modifier[1]?.toLowerCase();
      const value = term.slice(modifier[0].length);
      if ((name === 'redirect' && redirect !== undefined) || (name === 'exp' && exp !== undefined)) {
        throw new RecordError(`${name}= twice`); // section 6
      }
      if (name === 'redirect') redirect = { domain: parseDomainSpec(value), text: term };
      else if (name === 'exp') exp = parseDomainSpec(value);
      else parseMacroString(value);
    } catch (error) {
      if (!(error instanceof RecordError || error instanceof MacroError)) throw error;
      return { error: `${error.message} in "${printable(term)}"` };
    }
  }
  return { directives, redirect, exp };
}

/** A term for a log or a header. */
function printable(term: string): string {
  return term.slice(0, 100).replace(/[^\x20-\x7e]/g, '?');
}
