/** A tag of a tag-list (RFC 6376 section 3.2). */
export interface Tag {
  /** Without the white space around it; inside it stays. */
  readonly value: string;
  /** Where the value stands with the white space around it: behind the '=', and up to the ';' or the end. */
  readonly start: number;
  readonly end: number;
}

export type TagList = ReadonlyMap<string, Tag>;

/** Tags of one list; real signatures have about a dozen. */
const MAX_TAGS = 100;

function isFws(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

/** tag-name = ALPHA *( ALPHA / DIGIT / "_" ); names are case-sensitive. */
const TAG_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * Read a tag-list from text with one character per octet. Returns what is wrong when it cannot be one; a tag that stands twice
 * spoils the list (section 3.2). `strict` refuses empty tags too. Linear.
 */
export function parseTags(text: string, strict = false): TagList | { readonly error: string } {
  const tags = new Map<string, Tag>();
  for (let at = 0; at <= text.length; ) {
    const semicolon = text.indexOf(';', at);
    if (semicolon === at) {
      if (strict) return { error: 'an empty tag' };
      at++; // an empty tag, which the grammar lacks and published keys have ("v=DKIM1;; p=")
      continue;
    }
    const end = semicolon < 0 ? text.length : semicolon;
    const [from, to] = trim(text, at, end);
    if (from < to) {
      const equals = text.indexOf('=', from);
      if (equals < 0 || equals >= to) return { error: 'a tag without "="' };
      const [nameFrom, nameTo] = trim(text, from, equals);
      const name = text.slice(nameFrom, nameTo);
      if (name.length > 64 || !TAG_NAME.test(name)) return { error: 'a tag with an impossible name' };
      if (tags.has(name)) return { error: `the tag ${name}= twice` };
      if (tags.size >= MAX_TAGS) return { error: `more than ${MAX_TAGS} tags` };
      const [valueFrom, valueTo] = trim(text, equals + 1, to);
      tags.set(name, { value: text.slice(valueFrom, valueTo), start: equals + 1, end });
    } else if (strict && semicolon >= 0) {
      return { error: 'an empty tag' };
    }
    if (semicolon < 0) break;
    at = semicolon + 1;
  }
  return tags;
}

/** An LF alone with no white space behind it ends the field for other verifiers, so it spoils a signature. */
export function hasBareLf(text: string): boolean {
  return /(?<!\r)\n(?![ \t])/.test(text);
}

export function isTagError(tags: TagList | { readonly error: string }): tags is { readonly error: string } {
  return !(tags instanceof Map);
}

function trim(text: string, start: number, end: number): [number, number] {
  let from = start;
  let to = end;
  while (from < to && isFws(text.charCodeAt(from))) from++;
  while (to > from && isFws(text.charCodeAt(to - 1))) to--;
  return [from, to];
}

/** Parts between colons, white space around them gone: `h=`, `q=`, `s=`, `t=`. */
export function colonList(value: string): string[] {
  return value.split(':').map((part) => part.trim());
}

/** Octets of a base64string (section 2.10: white space anywhere), or undefined when it is none. */
export function decodeBase64(value: string): Buffer | undefined {
  const packed = value.replace(/[ \t\r\n]/g, '');
  const padding = packed.endsWith('==') ? 2 : packed.endsWith('=') ? 1 : 0;
  const digits = packed.slice(0, packed.length - padding);
  if (digits.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(digits)) return undefined;
  return Buffer.from(digits, 'base64');
}
