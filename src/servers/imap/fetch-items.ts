import type { MessageRow } from '../../data/mailstore/types.ts';
import { fetchHead } from './numbers.ts';
import { announceKeywords } from './refresh.ts';
import { flush, type Session, viewOf } from './session.ts';
import { dateTime, flagList } from './wire/encoder.ts';
import type { FetchAtt } from './wire/fetch-att.ts';

/** Items of which a row has everything: nothing is waited for. */
const PLAIN: ReadonlySet<FetchAtt['kind']> = new Set([
  'uid',
  'flags',
  'internaldate',
  'size',
  'modseq',
  'savedate',
  'emailid',
  'threadid',
  'envelope',
  'bodystructure',
]);

export function isPlain(atts: readonly FetchAtt[]): boolean {
  return atts.every(({ kind }) => PLAIN.has(kind));
}

/** The responses for rows when all that is asked for is plain. */
export async function tellPlain(
  session: Session,
  rows: readonly MessageRow[],
  atts: readonly FetchAtt[],
): Promise<void> {
  const view = viewOf(session);
  const { out } = session;
  for (const row of rows) {
    const seq = view.seqOf(row.uid);
    if (seq === 0) continue;
    if (row.keywords.length > 0) announceKeywords(session, row.keywords);
    let text = `* ${fetchHead(session, seq, row.uid)} (`;
    let between = '';
    for (const att of atts) {
      text += between + plainItem(session, row, att);
      between = ' ';
    }
    out.text(`${text})\r\n`);
    if (out.full) await flush(session);
  }
}

function plainItem(session: Session, row: MessageRow, att: FetchAtt): string {
  const { kind } = att;
  if (kind === 'envelope') return `ENVELOPE ${octetsText(row.envelope ?? missing('envelope'))}`;
  if (kind === 'bodystructure')
    return `BODYSTRUCTURE ${octetsText(row.bodystructure ?? missing('bodystructure'))}`;
  return simpleItem(session, row, att) ?? missing(kind);
}

function octetsText(octets: Uint8Array): string {
  return (
    Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
  ).toString('latin1');
}

/** Items that are short texts; undefined for the others. */
export function simpleItem(session: Session, row: MessageRow, att: FetchAtt): string | undefined {
  switch (att.kind) {
    case 'uid':
      return `UID ${row.uid}`;
    case 'flags':
      return `FLAGS ${flagList(row.flags, row.keywords, viewOf(session).isRecent(row.uid))}`;
    case 'internaldate':
      return `INTERNALDATE ${dateTime(row.receivedAt)}`;
    case 'size':
      return `RFC822.SIZE ${row.size}`;
    case 'modseq':
      return `MODSEQ (${row.modseq})`;
    case 'savedate':
      return `SAVEDATE ${dateTime(row.savedAt)}`;
    case 'emailid':
      return `EMAILID (M${row.emailId})`;
    case 'threadid':
      return row.threadId === undefined ? 'THREADID NIL' : `THREADID (T${row.threadId})`;
    default:
      return undefined;
  }
}

export function missing(what: string): never {
  throw new Error(`a row came without its ${what}`);
}
