/** Non-ASCII spaces (RFC 3454 table C.1.2), each becoming a space; U+200B is in table B.1 too, this one goes first. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;

/** Characters that are dropped (RFC 3454 table B.1): soft hyphen, joiners, variation selectors, zero width ones. */
const DROPPED = /[\u00ad\u1806\u2060\ufeff]|\u034f|\u180b|\u180c|\u180d|\u200c|\u200d|[\ufe00-\ufe0f]/g;

/**
 * Prohibited output (RFC 4013 2.3): controls (C.2), private use (C.3), noncharacters (C.4), surrogates (C.5),
 * inappropriate for plain text (C.6) and canonical representation (C.7), display-changing (C.8), tags (C.9).
 */
const PROHIBITED = new RegExp(
  [
    '[\\p{Cc}\\u06dd\\u070f\\u180e\\u200c-\\u200f\\u2028-\\u202e\\u2060-\\u2063\\u206a-\\u206f\\ufeff\\ufff9-\\ufffd',
    '\\u{1d173}-\\u{1d17a}\\p{Co}\\p{Noncharacter_Code_Point}\\p{Cs}\\u2ff0-\\u2ffb\\u0340\\u0341\\u{e0001}\\u{e0020}-\\u{e007f}]',
  ].join(''),
  'u',
);

/**
 * Prepare a user name or password (SASLprep, RFC 4013): mapping, NFKC, prohibited characters. Undefined when the
 * text has a prohibited character or nothing is left of it.
 *
 * Two steps of the standard are left out: the check of right-to-left text (2.4) and the refusal of code points that
 * Unicode 3.2 had not assigned (2.5); NFKC is that of the running ICU. Both only make us accept more, and everyone
 * who types the same password still gets the same keys.
 */
export function saslprep(text: string): string | undefined {
  if (/^[ -~]+$/.test(text)) return text;
  const prepared = text.replace(SPACES, ' ').replace(DROPPED, '').normalize('NFKC');
  return prepared === '' || PROHIBITED.test(prepared) ? undefined : prepared;
}
