/**
 * Who a message says it is from, by the strictest reading: every domain that some reader could take for the author's.
 *
 * - A From value that keeps to the grammar has the domains of its mailboxes, members of groups among them. Addresses in display
 *   names and comments are not the author's; they are told as `shown`, for rules about deceit.
 * - A value that breaks the grammar has the domains of every reading: ours, one that decodes encoded words first, and everything
 *   that stands behind an "@". When that is one domain after all, nothing is lost.
 * - Several From fields, names or values with controls, odd line ends, no From at all, domains that cannot be read: then it cannot
 *   be told who the author is (`doubt`), whatever else is known.
 */
import { normalizeDomain } from '../address/domain.ts';
import { parseAddressList } from '../message/addresses.ts';
import { decodeWords } from '../message/words.ts';
import { fromFields } from './from-fields.ts';
import { strictMailboxes } from './strict.ts';

/** Domains judged for one message; more are not one author. */
export const MAX_AUTHOR_DOMAINS = 5;

export interface AuthorReading {
  /** Distinct, A-labels in lower case, at most five. Each has to be judged. */
  readonly domains: readonly string[];
  /** The first mailbox, as Unicode text "local@domain"; undefined when there is none. For display and rules. */
  readonly address: string | undefined;
  /** What stands beside the address, decoded. */
  readonly displayName: string;
  /** Domains that display names and comments mention and no mailbox has. */
  readonly shown: readonly string[];
  /** Why it cannot be told who the author is; undefined when it can. One clause for a person. */
  readonly doubt: string | undefined;
  /** From fields, as the loosest reader counts them. */
  readonly fields: number;
}

/** What one field says. */
interface ValueReading {
  readonly domains: Set<string>;
  readonly shown: Set<string>;
  address: string | undefined;
  displayName: string;
  doubt: string | undefined;
}

const FFFD = '\ufffd';

function normal(domain: string): string | undefined {
  return domain.includes(FFFD) ? undefined : normalizeDomain(domain.replace(/\.$/, ''));
}

/** A domain can be of letters, digits, "-", "_" and all beyond ASCII. */
const DOMAIN_RUN = /^[A-Za-z0-9._\-\u0080-\uffff]{1,260}/;

/** "@"s that are looked at: more make no difference, as five domains are too many. */
const MAX_AT = 1000;

/** What stands behind each "@", whatever is around it. Words without a dot are no domains. */
function behindAts(text: string): string[] {
  const found: string[] = [];
  let at = text.indexOf('@');
  for (let count = 0; at >= 0 && count < MAX_AT; count++) {
    const run = DOMAIN_RUN.exec(text.slice(at + 1, at + 262))?.[0] ?? '';
    const domain = run.replace(/^[.\-_]{1,260}|[.\-_]{1,260}$/g, '');
    if (/[.\u3002\uff0e\uff61]/.test(domain)) found.push(domain); // the others are read as dots by some
    at = text.indexOf('@', at + 1);
  }
  return found;
}

/** Domains of the mailboxes our tolerant reader finds; undefined stands for one that has none. */
function listed(text: string): (string | undefined)[] {
  return parseAddressList(text, MAX_AT).flatMap((entry) => (entry.kind === 'mailbox' ? [entry.domain] : []));
}

/** A control other than the tab, or DEL. */
function isControl(code: number): boolean {
  return (code < 32 && code !== 9) || code === 127;
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isControl(text.charCodeAt(i))) return true;
  return false;
}

function withoutControls(text: string): string {
  return Array.from(text)
    .filter((char) => !isControl(char.charCodeAt(0)))
    .join('');
}

/** Directional and invisible characters that make an address look like another. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;

function strictReading(text: string, reading: ValueReading): boolean {
  const mailboxes = strictMailboxes(text);
  if (mailboxes === undefined) return false;
  for (const { local, domain, shown } of mailboxes) {
    const known = normal(domain);
    if (known === undefined) reading.doubt ??= 'the domain in From is not one';
    else reading.domains.add(known);
    const name = decodeWords(Buffer.from(shown, 'utf8').toString('latin1')).trim();
    if (reading.address === undefined) {
      reading.address = `${local}@${domain}`;
      reading.displayName = name;
    }
    for (const each of behindAts(name)) reading.shown.add(normal(each) ?? each.toLowerCase());
  }
  // A reader that decodes first may find other mailboxes.
  if (text.includes('=?')) {
    const decoded = decodeWords(Buffer.from(text, 'utf8').toString('latin1'));
    for (const domain of listed(decoded)) {
      const known = domain === undefined ? undefined : normal(domain);
      if (known !== undefined) reading.domains.add(known);
    }
  }
  return true;
}

function looseReading(text: string, reading: ValueReading): void {
  const decoded = decodeWords(Buffer.from(text, 'utf8').toString('latin1'));
  const [first] = parseAddressList(text, 1);
  if (first?.kind === 'mailbox' && first.domain !== undefined) {
    reading.address = `${first.local ?? ''}@${first.domain}`;
    reading.displayName = first.name ?? '';
  }
  for (const domain of [...listed(text), ...listed(decoded), ...behindAts(text), ...behindAts(decoded)]) {
    if (domain === undefined) continue;
    const known = normal(domain.trim());
    if (known !== undefined) reading.domains.add(known);
    // ASCII that is no domain is found again without what spoils it; a name in letters that are none must not be lost.
    else if (/[^\x20-\x7e]/.test(domain)) reading.doubt ??= 'From holds something like a domain that is none';
  }
}

function readValue(value: string): ValueReading {
  const text = Buffer.from(value, 'latin1').toString('utf8').trim();
  const reading: ValueReading = {
    domains: new Set(),
    shown: new Set(),
    address: undefined,
    displayName: '',
    doubt: undefined,
  };
  if (hasControls(text)) reading.doubt = 'From holds control characters';
  if (reading.doubt !== undefined || !strictReading(text, reading)) {
    looseReading(text, reading);
    // With controls gone, or cut at the first, it may read as yet another.
    if (reading.doubt !== undefined) looseReading(withoutControls(text), reading);
  }
  if (INVISIBLE.test(reading.address ?? ''))
    reading.doubt ??= 'From holds invisible characters in its address';
  return reading;
}

/** Read the author of a message from its header section. Never throws; linear in its octets. */
export function readAuthor(header: Buffer): AuthorReading {
  const fields = fromFields(header);
  const readings = fields.map(({ value }) => readValue(value));
  const domains = new Set(readings.flatMap((reading) => [...reading.domains]));
  const shown = new Set(readings.flatMap((reading) => [...reading.shown]));
  const [first] = readings;
  let doubt = fields.find(({ odd }) => odd !== undefined)?.odd ?? readings.find((r) => r.doubt)?.doubt;
  if (fields.length === 0) doubt = 'there is no From field';
  else if (fields.length > 1)
    doubt = `there are ${fields.length === 10 ? 'ten or more' : fields.length} From fields`;
  else if (domains.size === 0) doubt ??= 'From names no domain';
  if (domains.size > MAX_AUTHOR_DOMAINS) doubt = `From names more than ${MAX_AUTHOR_DOMAINS} domains`;
  return {
    domains: [...domains].slice(0, MAX_AUTHOR_DOMAINS),
    address: first?.address,
    displayName: first?.displayName ?? '',
    shown: [...shown].filter((each) => !domains.has(each)).slice(0, MAX_AUTHOR_DOMAINS),
    doubt,
    fields: fields.length,
  };
}
