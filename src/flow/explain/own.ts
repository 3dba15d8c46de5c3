import type { JournalData } from '../../data/journal/types.ts';
import { factsOf, type TraceRow } from './facts.ts';
import { type Said, say } from './say.ts';
import { tell } from './steps.ts';

/**
 * The part of a message's history that is its reader's: whom else it was for (Bcc first of all), into which of their
 * mailboxes it went and what their scripts did is not theirs to know.
 */

export interface OwnEvent {
  readonly at: number;
  readonly kind: string;
  readonly headline: Said;
  readonly details: readonly Said[];
}

/** Events about the whole message, that name nobody. */
const COMMON: ReadonlySet<string> = new Set(['message.accepted', 'message.judged', 'intake.received']);
/** Events that say whose they are. */
const PERSONAL: ReadonlySet<string> = new Set([
  'message.deposited',
  'message.snoozed',
  'message.woken',
  'message.unsubscribed',
  'script.acted',
  'script.failed',
]);

/** Whether the account sent it itself: then all of it is theirs. */
export function sentBy(rows: readonly TraceRow[], address: string): boolean {
  return rows.some((row) => row.kind === 'message.accepted' && factsOf(row).text('login') === address);
}

/** How it came into a mailbox of the account. */
export function ownDeposit(rows: readonly TraceRow[], address: string): TraceRow | undefined {
  return rows.findLast((row) => row.kind === 'message.deposited' && factsOf(row).text('account') === address);
}

/** Who signed in here to send it; '' when it came from elsewhere. */
export function senderHere(rows: readonly TraceRow[]): string {
  const row = rows.find(({ kind }) => kind === 'message.accepted');
  return row === undefined ? '' : factsOf(row).text('login');
}

/** Events that the account may see, with what is others' taken out of them. */
export function ownRows(rows: readonly TraceRow[], address: string): TraceRow[] {
  const isMine = (row: TraceRow): boolean =>
    PERSONAL.has(row.kind) && factsOf(row).text('account') === address;
  // Of what they sent all is theirs, but what became of it in the mailboxes of others here.
  if (sentBy(rows, address))
    return rows.filter((row) => !PERSONAL.has(row.kind) || row.kind === 'message.deposited' || isMine(row));
  const mine = rows.filter(isMine);
  const queueIds = new Set(mine.flatMap((row) => [factsOf(row).text('queueId')]).filter((id) => id !== ''));
  const to = [
    ...new Set(
      mine
        .filter(({ kind }) => kind === 'message.deposited')
        .flatMap((row) => factsOf(row).list('recipients')),
    ),
  ];
  return rows.flatMap((row) => {
    if (mine.includes(row)) return [row];
    if (COMMON.has(row.kind)) return [{ ...row, data: ownData(row, to, address) }];
    return queueIds.has(factsOf(row).text('queueId')) ? [row] : [];
  });
}

function ownData(row: TraceRow, to: readonly string[], address: string): JournalData {
  const { data } = row;
  if (row.kind === 'message.accepted') return { ...data, to: to.length === 0 ? [address] : [...to] };
  if (row.kind !== 'message.judged') return data;
  const facts = factsOf(row);
  const lines = facts.list('accounts');
  // For several accounts the verdicts may differ, and what speaks for them may be others' affairs.
  if (lines.length === 0) return data;
  const line = lines.find((each) => to.some((own) => each.startsWith(`For ${own}: `)));
  const [, action = '', percent = ''] =
    /: (inbox|junk|refuse), (\d{1,3}(?:\.\d{1,4})?) %$/.exec(line ?? '') ?? [];
  const { accounts: _accounts, reasons: _reasons, decidedBy: _decidedBy, nearest: _nearest, ...rest } = data;
  return { ...rest, ...(action !== '' && { action, probability: Number(percent) / 100 }) };
}

/** One commit writes that it was taken, judged and put away, within a millisecond or two: told in that order. */
function inOrder(rows: readonly TraceRow[]): TraceRow[] {
  const accepted = rows.find(({ kind }) => kind === 'message.accepted');
  const key = ({ kind, at }: TraceRow): number =>
    kind === 'message.judged' && accepted !== undefined ? Math.min(at, accepted.at) : at;
  const rank = ({ kind }: TraceRow): number =>
    kind === 'message.accepted' ? 0 : kind === 'message.judged' ? 1 : 2;
  return rows.toSorted((a, b) => key(a) - key(b) || rank(a) - rank(b));
}

/** The history in plain words for an account, oldest first. Commands for administrators are left out. */
export function timelineOf(
  rows: readonly TraceRow[],
  address: string,
  timeZone: string | undefined,
): OwnEvent[] {
  let notified = false;
  return inOrder(rows).map((row) => {
    const facts = factsOf(row);
    const { at, kind } = row;
    const discreet = discreetly(row, address);
    if (discreet !== undefined) return { at, kind, headline: discreet, details: [] };
    const { headline, details } = tell(facts, { timeZone, notices: new Set(), notified });
    notified ||= kind === 'bounce.sent';
    const plainDetails = details.filter(({ text }) => text !== '' && !text.includes('postern '));
    return { at, kind, headline, details: plainDetails };
  });
}

/** From where a person here signed in, and into which of their mailboxes something went, is nobody else's business. */
function discreetly(row: TraceRow, address: string): Said | undefined {
  const facts = factsOf(row);
  const [login, account] = [facts.text('login'), facts.text('account')];
  if (row.kind === 'message.accepted' && login !== '' && login !== address)
    return say('acceptedFromOther', { login });
  if (row.kind === 'message.deposited' && account !== '' && account !== address)
    return say('deliveredToOther', { to: facts.list('recipients').join(', ') || account });
  return undefined;
}
