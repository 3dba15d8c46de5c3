/**
 * The file of a segment: parts one after the other, then a table of them, then a trailer. A segment is written once and
 * never changed.
 *
 * An email's text lies in sections, one for each header field that people search by name, one for all other fields and
 * one for the body. Each section has a dictionary of its own:
 *
 *   dictionary     the tokens that stand in several emails (and all single characters), the most frequent first, each
 *                  between octets 0xFF, which UTF-8 does not have
 *   offsets        where each begins in it; the top bit marks single characters
 *   postings       for each token the emails that have it: a list or a bitmap
 *   literals       the words that stand in one email only, email by email, in the same form
 *   forward        the text of each email as numbers of tokens, in order: what phrases are checked in
 *   names          header field names (JSON), and which emails have such a field
 *
 * Numbers of emails are their places in the segment's list of ids.
 */

export const SECTIONS = ['from', 'to', 'cc', 'bcc', 'subject', 'other', 'body'] as const;
export type SectionName = (typeof SECTIONS)[number];

export const PARTS = [
  'dictionary',
  'offsets',
  'postings',
  'postingOffsets',
  'literals',
  'literalOffsets',
  'forward',
  'forwardOffsets',
  'names',
  'namePostings',
  'namePostingOffsets',
] as const;
export type PartName = (typeof PARTS)[number];

/** What stands around each token. */
export const BREAK = 0xff;
/** Top bit of an offset in the dictionary: a single character, not a word. */
export const SINGLE_BIT = 0x8000_0000;

/**
 * Numbers of the forward part, seven bits an octet, the top bit set on all octets but a number's last: a row of numbers
 * can be looked for as octets. Even ones are tokens (two words in a row have one space between them) and 0, where a part
 * of the body begins; odd ones are words of the email's literals, and header fields that begin, with the number of
 * their name.
 */
export const PART = 0;

export function tokenCode(token: number): number {
  return 2 * token + 2;
}

export function literalCode(place: number): number {
  return 4 * place + 1;
}

export function fieldCode(name: number): number {
  return 4 * name + 3;
}

/** Where a part lies in the file. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** The table of a segment's file. */
export interface SegmentTable {
  readonly emails: number;
  readonly tokens: number;
  /** The email ids (float64, ascending), and the places in that list of those whose text is too large. */
  readonly ids: Place;
  readonly open: Place;
  readonly sections: Partial<Record<SectionName, Record<PartName, Place>>>;
}

export const MAGIC = 0x504e_5331;
/** Octets of the trailer: length of the table, checksum of all before the trailer, magic, each four octets. */
export const TRAILER_BYTES = 12;

/** Raised when what the index is made of changes: then it is built anew. */
export const FORMAT = 3;

/** Section of a field of an email's own header. */
export function sectionOf(field: string): SectionName {
  switch (field) {
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc':
    case 'subject':
      return field;
    default:
      return 'other';
  }
}
