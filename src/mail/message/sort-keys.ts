/** What a message is sorted and threaded by (RFC 5256, RFC 5957): made once, when it arrives. */
import { hash } from 'node:crypto';
import { unicodeCasemap } from '../casemap.ts';
import { type AddressEntry, parseAddressList } from './addresses.ts';
import type { Header } from './headers.ts';
import { messageIds, newestMessageIds } from './ids.ts';
import { subjectParts } from './subject.ts';
import { decodeWords } from './words.ts';

/** Characters of a text that count; longer ones are equal when these are. Before the mapping, and after it. */
const MAX_TEXT = 250;
const MAX_KEY = 400;
/** Octets of an address field that are read: the first address decides. */
const MAX_ADDRESS_OCTETS = 2000;
/** Ancestors of a message that are kept, the nearest ones. */
const MAX_ANCESTORS = 50;
/** Octets by which a Message-ID is known: of SHA-256, so that nobody makes two alike by chance. */
export const ID_OCTETS = 8;

export interface SortKeys {
  /** Keys of i;unicode-casemap (RFC 5051), in the order of their code points. */
  readonly subject: string;
  /** addr-mailbox of the first address (RFC 5256 section 3). */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  /** Display name of the first address, else the address (RFC 5957). */
  readonly fromDisplay: string;
  readonly toDisplay: string;
  /** The subject has a mark of a reply or a forward (RFC 5256 section 2.1). */
  readonly reply: boolean;
  /** ID_OCTETS for each: the message's own id, zero when it has none, then its ancestors, the oldest first. */
  readonly references: Uint8Array;
}

/** A key of a text that people wrote. It is kept as text in databases, of which one takes neither NUL nor half a pair. */
function keyOf(text: string): string {
  return unicodeCasemap(text.slice(0, MAX_TEXT)).slice(0, MAX_KEY).replaceAll('\0', '').toWellFormed();
}

function localPart(entry: AddressEntry | undefined): string {
  if (entry === undefined || entry.kind === 'group-end') return '';
  // As ENVELOPE tells it, the name of a group stands where mailboxes have their local part.
  return keyOf(entry.kind === 'group' ? entry.name : (entry.local ?? ''));
}

function displayName(entry: AddressEntry | undefined): string {
  if (entry === undefined || entry.kind === 'group-end') return '';
  const name = decodeWords(entry.name ?? '').trim();
  if (name !== '' || entry.kind === 'group') return keyOf(name);
  return keyOf(entry.domain === undefined ? (entry.local ?? '') : `${entry.local ?? ''}@${entry.domain}`);
}

/** The octets that stand for a Message-ID without its angle brackets. */
function idOctets(id: string): Buffer {
  return hash('sha256', id, 'buffer').subarray(0, ID_OCTETS);
}

/** RFC 5256 section 3, REFERENCES: those of References; without any, the first of In-Reply-To. */
function ancestors(header: Header): readonly string[] {
  const references = newestMessageIds(header.last('references') ?? '');
  if (references.length > 0) return references.slice(-MAX_ANCESTORS);
  return messageIds(header.last('in-reply-to') ?? '').slice(0, 1);
}

/** The keys of a message. Of repeated fields the last one counts, as in its ENVELOPE. Bounded work, never throws. */
export function sortKeys(header: Header): SortKeys {
  const first = (name: string): AddressEntry | undefined =>
    parseAddressList(header.last(name) ?? '', 1, MAX_ADDRESS_OCTETS)[0];
  const { base, reply } = subjectParts(decodeWords(header.last('subject') ?? ''));
  const [from, to] = [first('from'), first('to')];
  const own = messageIds(header.last('message-id') ?? '')[0];
  return {
    subject: keyOf(base.trim()),
    from: localPart(from),
    to: localPart(to),
    cc: localPart(first('cc')),
    fromDisplay: displayName(from),
    toDisplay: displayName(to),
    reply,
    references: Buffer.concat([
      own === undefined ? Buffer.alloc(ID_OCTETS) : idOctets(own),
      ...ancestors(header).map(idOctets),
    ]),
  };
}
