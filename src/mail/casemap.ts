/** The comparator i;unicode-casemap (RFC 5051) as a key: texts are equal, and ordered, as their keys are by code point. */

/** Code points whose titlecase form is one code point where their uppercase form is another or is several. */
function titlecase(char: string, code: number): string | undefined {
  // U+01C4 to U+01CC, U+01F1 to U+01F3: three of a kind, the titlecase form in the middle.
  if (code >= 0x1c4 && code <= 0x1cc) return String.fromCodePoint(code - ((code - 0x1c4) % 3) + 1);
  if (code >= 0x1f1 && code <= 0x1f3) return '\u01f2';
  // Georgian letters have capitals for whole words only.
  if (code >= 0x10d0 && code <= 0x10ff) return char;
  // Greek with iota below: eight small letters, then the eight in titlecase.
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCodePoint(code | 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCodePoint(code + 9);
  return undefined;
}

function mapped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const special = titlecase(char, code);
  if (special !== undefined) return special;
  const upper = char.toUpperCase();
  // RFC 5051 section 2 uses the one-to-one mappings of UnicodeData.txt: "\u00df" stays what it is.
  return upper.length === (code > 0xffff ? 2 : 1) ? upper : char;
}

const OTHER = /[^\0-\x7f]/;

/** The key of a text, for texts known to be short: decomposing a long run of marks takes quadratic time. */
export function unicodeCasemap(text: string): string {
  if (!OTHER.test(text)) return text.toUpperCase();
  let out = '';
  for (const char of text) out += mapped(char);
  return out.normalize('NFKD');
}
