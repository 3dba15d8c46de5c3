import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import { flush, flushIfFull, type Session, spend, usesUtf8 } from './session.ts';
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

/** After each number: a promise to await when others should have a turn, or the client should read. */
export function pause(session: Session): Promise<void> | undefined {
  const turn = spend(session, STEPS_PER_NUMBER);
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
  out.text(`* ESEARCH (TAG ${string(session.tag)}`);
  if (withMailbox)
    out.text(` MAILBOX ${mailboxText(view.name, usesUtf8(session))} UIDVALIDITY ${view.uidvalidity}`);
  out.text(byUid ? ') UID' : ')');
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
  for (let at = 0; at < uids.length; at++) {
    const uid = uids[at] ?? 0;
    const number = byUid ? uid : view.seqOf(uid);
    if (number > 0) out.text(` ${number}`);
    const wait = pause(session);
    if (wait !== undefined) await wait;
  }
  out.line(modseq === undefined || uids.length === 0 ? '' : ` (MODSEQ ${modseq})`);
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
