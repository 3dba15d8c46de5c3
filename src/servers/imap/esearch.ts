import type { Output } from '../../net/line/output.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import { OctetWriter } from './octet-writer.ts';
import { flush, flushIfFull, type Session, spend, usesUtf8 } from './session.ts';
import { SyntaxFault } from './wire/decoder.ts';
import { mailbox as mailboxText, string } from './wire/encoder.ts';
import { pageOf } from './wire/partial.ts';
import type { ReturnOptions } from './wire/return-options.ts';

/** What a search has found, on its way to the client. */
export interface Found {
  readonly view: MailboxView;
  /** In the order in which they are told: ascending, or sorted. */
  readonly uids: ArrayLike<number>;
  readonly modseq: number | undefined;
}

const STEPS_PER_NUMBER = 30;
/** Numbers written between two looks at whether others should have a turn. */
const NUMBERS_AT_ONCE = 500;
const SPACE = Buffer.from(' ');
const writer = new OctetWriter();

/** " 1 2 3": some numbers from a place on. */
function writeNumbers(
  out: Output,
  view: MailboxView,
  uids: ArrayLike<number>,
  from: number,
  byUid: boolean,
): void {
  const end = Math.min(uids.length, from + NUMBERS_AT_ONCE);
  let seq = 0;
  writer.begin(out);
  for (let at = from; at < end; at++) {
    const uid = uids[at] ?? 0;
    if (!byUid) seq = view.seqAfter(seq, uid);
    if (!byUid && seq === 0) continue;
    writer.octets(SPACE);
    writer.number(byUid ? uid : seq);
  }
  writer.end();
}

/** After numbers: a promise to await when others should have a turn, or the client should read. */
export function pause(session: Session, numbers = 1): Promise<void> | undefined {
  const turn = spend(session, STEPS_PER_NUMBER * numbers);
  return session.out.full ? flush(session) : turn;
}

/** Message numbers or UIDs as a set, in the order given; runs of ascending numbers as ranges. */
export async function writeSet(
  session: Session,
  { view, uids }: Pick<Found, 'view' | 'uids'>,
  byUid: boolean,
  start = 0,
  end = uids.length,
): Promise<void> {
  const { out } = session;
  let from = 0;
  let to = 0;
  let comma = '';
  const put = (): void => {
    if (from === 0) return;
    out.text(`${comma}${from === to ? from : `${from}:${to}`}`);
    comma = ',';
  };
  for (let at = start; at < end; at++) {
    const uid = uids[at] ?? 0;
    const number = byUid ? uid : view.seqOf(uid);
    if (number === 0) continue;
    if (from > 0 && number === to + 1) {
      to = number;
      continue;
    }
    put();
    from = number;
    to = number;
    const wait = pause(session);
    if (wait !== undefined) await wait;
  }
  put();
}

/** Highest modseq of some messages, 0 when all of them have gone. */
async function modseqOf(session: Session, view: MailboxView, uids: readonly number[]): Promise<number> {
  const rows = await session.options.store.read.run('mailstore.fetch', {
    mailboxId: view.mailboxId,
    ranges: view.rangesOf(uids.toSorted((a, b) => a - b)),
    want: [],
    limit: SESSION_LIMITS.rowsPerPage,
  });
  return rows.reduce((highest, row) => Math.max(highest, row.modseq), 0);
}

/** RFC 7162 section 3.1.5: where only the first or the last are told, the modseq of these. */
async function modseqToTell(
  session: Session,
  { view, uids, modseq }: Found,
  options: ReturnOptions,
): Promise<number | undefined> {
  if (modseq === undefined || uids.length === 0) return undefined;
  if (options.all || options.count || options.partial !== undefined) return modseq;
  const ends = [options.min ? uids[0] : undefined, options.max ? uids[uids.length - 1] : undefined];
  return modseqOf(session, view, [...new Set(ends.filter((uid) => uid !== undefined))]);
}

/** "* ESEARCH (TAG "1") UID"; `withMailbox` where several may be searched (RFC 7377 section 2.1). */
export function esearchHead(
  session: Session,
  view: MailboxView,
  tag: string,
  byUid: boolean,
  withMailbox: boolean,
): string {
  const mailbox = withMailbox
    ? ` MAILBOX ${mailboxText(view.name, usesUtf8(session))} UIDVALIDITY ${view.uidvalidity}`
    : '';
  return `* ESEARCH (TAG ${string(tag)}${mailbox})${byUid ? ' UID' : ''}`;
}

/** The ESEARCH response (RFC 4731, RFC 5267 section 3.1, RFC 9394); `withMailbox` for ESEARCH (RFC 7377 section 2.1). */
export async function tellEsearch(
  session: Session,
  found: Found,
  byUid: boolean,
  options: ReturnOptions,
  withMailbox = false,
): Promise<void> {
  const { view, uids } = found;
  const { out } = session;
  const number = (uid: number): number => (byUid ? uid : view.seqOf(uid));
  const modseq = await modseqToTell(session, found, options);
  out.text(esearchHead(session, view, session.tag, byUid, withMailbox));
  const [first, last] = [uids[0], uids[uids.length - 1]];
  if (options.min && first !== undefined) out.text(` MIN ${number(first)}`);
  if (options.max && last !== undefined) out.text(` MAX ${number(last)}`);
  if (options.all && uids.length > 0) {
    out.text(' ALL ');
    await writeSet(session, found, byUid);
  }
  if (options.count) out.text(` COUNT ${uids.length}`);
  if (modseq !== undefined) out.text(` MODSEQ ${modseq}`);
  if (options.partial !== undefined) {
    const { start, end } = pageOf(options.partial, uids.length);
    out.text(` PARTIAL (${options.partial.text} `);
    if (start >= end) out.text('NIL');
    else await writeSet(session, found, byUid, start, end);
    out.text(')');
  }
  out.line('');
  await flushIfFull(session);
}

/** The SEARCH and SORT responses of RFC 3501 and RFC 5256: "* SEARCH 1 2 3". */
export async function tellNumbers(
  session: Session,
  word: string,
  found: Found,
  byUid: boolean,
): Promise<void> {
  const { view, uids, modseq } = found;
  const { out } = session;
  out.text(`* ${word}`);
  for (let at = 0; at < uids.length; at += NUMBERS_AT_ONCE) {
    writeNumbers(out, view, uids, at, byUid);
    const wait = pause(session, NUMBERS_AT_ONCE);
    if (wait !== undefined) await wait;
  }
  out.line(modseq === undefined || uids.length === 0 ? '' : ` (MODSEQ ${modseq})`);
}

/** RFC 9051 section 6.4.4.1: a search that was to be saved and fails leaves nothing behind; a bad command leaves all. */
export async function emptiedByFailure<T>(
  session: Session,
  options: ReturnOptions | undefined,
  search: () => Promise<T>,
): Promise<T> {
  try {
    return await search();
  } catch (error) {
    if (options?.save === true && !(error instanceof SyntaxFault)) session.saved = [];
    throw error;
  }
}

/** RFC 5182 section 2.4, RFC 9394 section 3.2: what "$" means afterwards; ascending UIDs. */
export function savedOf(uids: ArrayLike<number>, options: ReturnOptions): readonly number[] {
  const { min, max, all, count, partial } = options;
  const saved = new Set<number>();
  const some = !all && !count && (min || max || partial !== undefined);
  if (!some) return Array.from(uids).toSorted((a, b) => a - b);
  const [first, last] = [uids[0], uids[uids.length - 1]];
  if (min && first !== undefined) saved.add(first);
  if (max && last !== undefined) saved.add(last);
  if (partial !== undefined) {
    const { start, end } = pageOf(partial, uids.length);
    for (let at = start; at < end; at++) saved.add(uids[at] ?? 0);
  }
  return [...saved].toSorted((a, b) => a - b);
}
