import type { Section } from '../../../mail/message/section.ts';
import { Decoder } from './decoder.ts';

/** What FETCH can be asked for (RFC 9051 section 6.4.5). `label` is what the response calls it. */
export type FetchAtt =
  | { readonly kind: 'uid' | 'flags' | 'internaldate' | 'size' | 'envelope' | 'bodystructure' | 'body' }
  | { readonly kind: 'modseq' | 'emailid' | 'threadid' | 'savedate' }
  | {
      readonly kind: 'section' | 'binary';
      readonly section: Section;
      readonly partial: Partial | undefined;
      readonly peek: boolean;
      readonly label: string;
    }
  /** `lazy`: only if it is known already (RFC 8970 section 3.2). */
  | { readonly kind: 'preview'; readonly lazy: boolean }
  | { readonly kind: 'binary-size'; readonly part: readonly number[]; readonly label: string };

/** "<offset.count>" */
export interface Partial {
  readonly offset: number;
  readonly count: number;
}

const SIMPLE: Readonly<Record<string, FetchAtt>> = {
  UID: { kind: 'uid' },
  FLAGS: { kind: 'flags' },
  INTERNALDATE: { kind: 'internaldate' },
  ENVELOPE: { kind: 'envelope' },
  BODYSTRUCTURE: { kind: 'bodystructure' },
  MODSEQ: { kind: 'modseq' },
  EMAILID: { kind: 'emailid' },
  THREADID: { kind: 'threadid' },
  SAVEDATE: { kind: 'savedate' },
  'RFC822.SIZE': { kind: 'size' },
  // RFC 3501 section 6.4.5; RFC 9051 dropped these three.
  RFC822: sectionAtt('RFC822', undefined, false),
  'RFC822.HEADER': sectionAtt('RFC822.HEADER', 'HEADER', true),
  'RFC822.TEXT': sectionAtt('RFC822.TEXT', 'TEXT', false),
  // RFC 1730 section 6.4.5, obsolete since 1996; Outlook still asks for the first one.
  'RFC822.PEEK': sectionAtt('RFC822', undefined, true),
  'RFC822.TEXT.PEEK': sectionAtt('RFC822.TEXT', 'TEXT', true),
};

function sectionAtt(label: string, text: Section['text'], peek: boolean): FetchAtt {
  return { kind: 'section', section: { part: [], text }, partial: undefined, peek, label };
}

const FAST: readonly FetchAtt[] = [{ kind: 'flags' }, { kind: 'internaldate' }, { kind: 'size' }];
const MACROS: Readonly<Record<string, readonly FetchAtt[]>> = {
  FAST,
  ALL: [...FAST, { kind: 'envelope' }],
  FULL: [...FAST, { kind: 'envelope' }, { kind: 'body' }],
};

/** The data items of FETCH: a macro, one, or a list. */
export function fetchAtts(d: Decoder): readonly FetchAtt[] {
  if (d.atList) return d.list(() => fetchAtt(d, d.keyword('a data item')));
  const name = d.keyword('data items');
  return (Object.hasOwn(MACROS, name) ? MACROS[name] : undefined) ?? [fetchAtt(d, name)];
}

function fetchAtt(d: Decoder, name: string): FetchAtt {
  const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  if (simple !== undefined) return simple;
  if (name === 'PREVIEW') return { kind: 'preview', lazy: previewModifiers(d) };
  // "[" is an atom character: the name may have run on into the section, up to "]" or a space.
  const bracket = name.indexOf('[');
  const word = bracket === -1 ? name : name.slice(0, bracket);
  if (word === 'BODY' && bracket === -1) return { kind: 'body' };
  if (bracket === -1) return d.fail('a data item that is known before this');
  const begun = name.slice(bracket + 1);
  switch (word) {
    case 'BODY':
    case 'BODY.PEEK': {
      const section = sectionSpec(d, begun);
      return withPartial(d, 'section', section, word === 'BODY.PEEK', `BODY[${sectionText(section)}]`);
    }
    case 'BINARY':
    case 'BINARY.PEEK': {
      const section = { part: partNumbers(d, begun) };
      return withPartial(d, 'binary', section, word === 'BINARY.PEEK', `BINARY[${section.part.join('.')}]`);
    }
    case 'BINARY.SIZE': {
      const part = partNumbers(d, begun);
      return { kind: 'binary-size', part, label: `BINARY.SIZE[${part.join('.')}]` };
    }
    default:
      return d.fail('a data item that is known before this');
  }
}

/** " (LAZY)"; other parentheses may be modifiers of the FETCH itself. */
function previewModifiers(d: Decoder): boolean {
  return d.skip(' (LAZY)');
}

/** A section as text, as URLs have it: what would stand between the brackets of BODY[]. Throws SyntaxFault. */
export function sectionOf(text: string): Section {
  const d = new Decoder([{ line: Buffer.from(`${text}]`, 'latin1'), literal: undefined }], {
    maxDepth: 2,
    utf8: true,
  });
  const found = /^[\w.]*/.exec(text)?.[0] ?? '';
  d.skip(found.toUpperCase());
  const section = sectionSpec(d, found.toUpperCase());
  d.end();
  return section;
}

function withPartial(
  d: Decoder,
  kind: 'section' | 'binary',
  section: Section,
  peek: boolean,
  label: string,
): FetchAtt {
  if (!d.skip('<')) return { kind, section, partial: undefined, peek, label };
  const offset = d.number64('an offset');
  d.need('.');
  const count = d.number64('a number of octets');
  // RFC 9051 section 9: partial = "<" number64 "." nz-number64 ">".
  if (count === 0) d.fail('a number of octets above 0 before this');
  d.need('>');
  return { kind, section, partial: { offset, count }, peek, label: `${label}<${offset}>` };
}

/** Part numbers followed; longer paths name nothing (structures are 50 deep at most). */
const MAX_PATH = 100;

/** "1.2.3" at the start of a section; the rest, without a leading dot. */
function splitPart(d: Decoder, text: string): { part: number[]; rest: string; dotted: boolean } {
  const part: number[] = [];
  let pos = 0;
  while (pos < text.length) {
    let end = pos;
    while (end < text.length && text.charCodeAt(end) >= 0x30 && text.charCodeAt(end) <= 0x39) end++;
    if (end === pos) break;
    const number = Number(text.slice(pos, end));
    if (number < 1 || number > 0xffff_ffff) d.fail('part numbers from 1 to 4294967295 before this');
    if (part.length < MAX_PATH + 1) part.push(number);
    if (text.charAt(end) !== '.') return { part, rest: text.slice(end), dotted: false };
    pos = end + 1;
  }
  return { part, rest: text.slice(pos), dotted: part.length > 0 };
}

function partNumbers(d: Decoder, begun: string): readonly number[] {
  d.need(']');
  const { part, rest, dotted } = splitPart(d, begun);
  if (rest !== '' || dotted) d.fail('part numbers before this');
  return part;
}

const TEXTS: ReadonlySet<string> = new Set(['HEADER', 'HEADER.FIELDS', 'HEADER.FIELDS.NOT', 'TEXT', 'MIME']);

function isText(name: string): name is NonNullable<Section['text']> {
  return TEXTS.has(name);
}

/** section: what stands between "[" and "]"; `begun` has been read already. */
function sectionSpec(d: Decoder, begun: string): Section {
  const { part, rest, dotted } = splitPart(d, begun);
  if (rest === '' && !dotted) {
    d.need(']');
    return { part };
  }
  if (!isText(rest) || (part.length > 0 && !dotted)) return d.fail('a section before this');
  if (rest === 'MIME' && part.length === 0) d.fail('a part number before MIME');
  if (!rest.startsWith('HEADER.')) {
    d.need(']');
    return { part, text: rest };
  }
  d.sp();
  const fields = d.list(() => d.astring('a header field name').toString('latin1'));
  d.need(']');
  return { part, text: rest, fields };
}

/** How a response names the section: as it was asked for, in capitals. */
function sectionText(section: Section): string {
  const { part, text, fields } = section;
  const path = [...part.map(String), ...(text === undefined ? [] : [text])].join('.');
  if (fields === undefined) return path;
  return `${path} (${fields.map(fieldName).join(' ')})`;
}

function fieldName(name: string): string {
  return /^[!#$&'+\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+$/.test(name)
    ? name
    : `"${name.replace(/["\\]/g, '\\$&').replace(/[\r\n\0]/g, '?')}"`;
}
