import type { Columns } from '../../data/mailstore/cache/packed.ts';
import { keptHeader, keptSelection } from '../../data/mailstore/content-reader.ts';
import type { UidRange } from '../../data/mailstore/types.ts';
import { isTopFields, isTopHeader } from './fetch-response.ts';
import type { MailboxView } from './mailbox-view.ts';
import { OctetWriter } from './octet-writer.ts';
import { announceKeywords } from './refresh.ts';
import { type Session, viewOf } from './session.ts';
import { dateTime, flagList } from './wire/encoder.ts';
import type { FetchAtt } from './wire/fetch-att.ts';

/**
 * FETCH of what stands in memory: flags and numbers, and envelopes, headers and fields that were read before. Rows come in columns and
 * go out as octets, without an object or a promise for each: a client asks so for all of a mailbox, each time it starts.
 */

/** Messages told of between two turns of the others. */
export const QUICK_ROWS = 1000;
/** The same where envelopes are asked for, of which so many fill what is sent at once. */
const TEXT_ROWS = 200;
/** Octets that are gathered before the client should read. */
const QUICK_BYTES = 128 * 1024;

interface Row {
  readonly session: Session;
  readonly view: MailboxView;
  readonly rows: Columns;
  at: number;
  keywords: readonly string[];
}

/** Writes an item of a row; false when that is not at hand. */
type Item = (out: OctetWriter, row: Row) => boolean;

const NO_KEYWORDS: readonly string[] = [];

/** FLAGS of all combinations of system flags, without and with \Recent. */
const FLAGS: readonly (readonly Buffer[])[] = [false, true].map((recent) =>
  Array.from({ length: 32 }, (_, bits) =>
    Buffer.from(`FLAGS ${flagList(bits, NO_KEYWORDS, recent)}`, 'latin1'),
  ),
);
const [WITHOUT_RECENT = [], WITH_RECENT = []] = FLAGS;

/** "NAME " and a number. */
function numeral(name: string, of: (rows: Columns, at: number) => number | undefined, end = ''): Item {
  const before = Buffer.from(name, 'latin1');
  const after = Buffer.from(end, 'latin1');
  return (out, { rows, at }) => {
    out.octets(before);
    out.number(of(rows, at) ?? 0);
    if (after.length > 0) out.octets(after);
    return true;
  };
}

const flags: Item = (out, { rows, at, view, keywords }) => {
  const bits = (rows.flags[at] ?? 0) & 31;
  const recent = view.isRecent(rows.uids[at] ?? 0);
  const fixed = keywords.length > 0 ? undefined : (recent ? WITH_RECENT : WITHOUT_RECENT)[bits];
  if (fixed === undefined) out.text(`FLAGS ${flagList(bits, keywords, recent)}`);
  else out.octets(fixed);
  return true;
};

function date(name: string, of: (rows: Columns, at: number) => number | undefined): Item {
  return (out, { rows, at }) => {
    out.text(`${name} ${dateTime(of(rows, at) ?? 0)}`);
    return true;
  };
}

const PLAIN: Readonly<Partial<Record<FetchAtt['kind'], Item>>> = {
  uid: numeral('UID ', (rows, at) => rows.uids[at]),
  flags,
  internaldate: date('INTERNALDATE', (rows, at) => rows.receivedAt[at]),
  size: numeral('RFC822.SIZE ', (rows, at) => rows.sizes[at]),
  modseq: numeral('MODSEQ (', (rows, at) => rows.modseqs[at], ')'),
  savedate: date('SAVEDATE', (rows, at) => rows.savedAt[at]),
  emailid: numeral('EMAILID (M', (rows, at) => rows.emailIds[at], ')'),
};

/** ENVELOPE and BODYSTRUCTURE, which were read before. */
function text(name: string, part: 'envelope' | 'bodystructure'): Item {
  const before = Buffer.from(`${name} `, 'latin1');
  return (out, { rows, at }) => {
    const octets = rows.texts?.[at]?.[part];
    if (octets === undefined) return false;
    out.octets(before);
    out.octets(octets);
    return true;
  };
}

const TEXTS: Readonly<Partial<Record<FetchAtt['kind'], Item>>> = {
  envelope: text('ENVELOPE', 'envelope'),
  bodystructure: text('BODYSTRUCTURE', 'bodystructure'),
};

function itemOf(att: FetchAtt): Item | undefined {
  const plain = PLAIN[att.kind] ?? TEXTS[att.kind];
  if (plain !== undefined) return plain;
  if (att.kind !== 'section' || att.partial !== undefined || !isTopHeader(att)) return undefined;
  const before = Buffer.from(`${att.label} {`, 'latin1');
  const { label } = att;
  const picked = isTopFields(att);
  return (out, { session, rows, at }) => {
    const { blobs } = session.options.store;
    const emailId = rows.emailIds[at] ?? 0;
    const kept = picked ? keptSelection(blobs, emailId, label) : keptHeader(blobs, emailId);
    if (kept === undefined) return false;
    out.octets(before);
    out.number(kept.length);
    out.octets(LITERAL);
    if (typeof kept === 'string') out.text(kept);
    else out.octets(kept);
    return true;
  };
}

const LITERAL = Buffer.from('}\r\n');
const STAR = Buffer.from('* ');
const FETCH = Buffer.from(' FETCH (');
const END = Buffer.from(')\r\n');
const SPACE = Buffer.from(' ');

export interface QuickItems {
  readonly items: readonly Item[];
  /** Some of them need texts of the emails. */
  readonly texts: boolean;
}

/** How to write these items from memory; undefined when that cannot be for all of them. */
export function quickItems(session: Session, atts: readonly FetchAtt[]): QuickItems | undefined {
  if (session.enabled.has('UIDONLY')) return undefined;
  const items = atts.map(itemOf);
  if (!items.every((item) => item !== undefined)) return undefined;
  return { items, texts: atts.some(({ kind }) => TEXTS[kind] !== undefined) };
}

/** All is done in one turn, and then copied. */
const writer = new OctetWriter();

/**
 * Tell of the messages of a range, as far as all is at hand. `rest`: what is left of the range; `stuck`: its first message
 * has to be read.
 */
export async function tellQuickly(
  session: Session,
  { items, texts }: QuickItems,
  { from, to }: UidRange,
): Promise<{ told: number; rest: UidRange | undefined; stuck: boolean }> {
  const view = viewOf(session);
  const { mailboxId } = view;
  const limit = texts ? TEXT_ROWS : QUICK_ROWS;
  const request = { mailboxId, from, to, limit, texts };
  const rows = await session.options.store.read.run('mailstore.columns', request);
  const count = rows.uids.length;
  const { told, stuck } = write(session, items, rows);
  const next = told < count ? (rows.uids[told] ?? 0) : (rows.uids[count - 1] ?? to) + 1;
  const over = next > to || count === 0 || (told === count && count < limit);
  return { told, rest: over ? undefined : { from: next, to }, stuck };
}

/** How many rows were told of, and whether the next one has to be read. */
function write(session: Session, items: readonly Item[], rows: Columns): { told: number; stuck: boolean } {
  const view = viewOf(session);
  const { out } = session;
  const row: Row = { session, view, rows, at: 0, keywords: NO_KEYWORDS };
  const count = rows.uids.length;
  let seq = view.firstSeqFrom(rows.uids[0] ?? 0);
  let worded = 0;
  let stuck = false;
  writer.begin(out);
  while (!stuck && row.at < count && out.size < QUICK_BYTES) {
    const uid = rows.uids[row.at] ?? 0;
    while (seq <= view.count && view.uidAt(seq) < uid) seq++;
    const keywords = rows.keywords[worded];
    row.keywords = keywords?.[0] === row.at ? keywords[1] : NO_KEYWORDS;
    if (row.keywords.length > 0) {
      worded++;
      announceKeywords(session, row.keywords);
    }
    stuck = view.uidAt(seq) === uid && !writeRow(items, row, seq);
    if (!stuck) row.at++;
  }
  writer.end();
  return { told: row.at, stuck };
}

function writeRow(items: readonly Item[], row: Row, seq: number): boolean {
  writer.mark();
  writer.octets(STAR);
  writer.number(seq);
  writer.octets(FETCH);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) writer.octets(SPACE);
    if (items[i]?.(writer, row) === true && !writer.overflown) continue;
    writer.rollBack();
    return false;
  }
  writer.octets(END);
  if (!writer.overflown) return true;
  writer.rollBack();
  return false;
}
