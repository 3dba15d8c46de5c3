import type { UidRange } from '../../data/mailstore/types.ts';
import type { Outcome } from './commands/command.ts';
import type { MailboxView } from './mailbox-view.ts';
import { refuse } from './replies.ts';
import { type Session, untagged } from './session.ts';
import type { SearchKey } from './wire/search-key.ts';

/** What a command may work on: its messages, or the last of them when there are too many (RFC 9738 section 3.1). */
export interface Allowed {
  readonly ranges: readonly UidRange[];
  /** MESSAGELIMIT with the lowest UID that is worked on; undefined when all of them are. */
  readonly code: string | undefined;
}

/** The last messages of ascending UID ranges, as many as one command may work on. */
export function allowed(session: Session, view: MailboxView, ranges: readonly UidRange[]): Allowed {
  const { imapMessages } = session.options.limits;
  let room = imapMessages;
  if (view.countIn(ranges) <= room) return { ranges, code: undefined };
  const last: UidRange[] = [];
  for (const range of ranges.toReversed()) {
    const count = view.countIn([range]);
    const from = count <= room ? range.from : view.uidAt(view.firstSeqFrom(range.from) + count - room);
    last.unshift({ from, to: range.to });
    room -= Math.min(count, room);
    if (room === 0) break;
  }
  return { ranges: last, code: `MESSAGELIMIT ${imapMessages} ${last[0]?.from ?? 0}` };
}

/** The last of ascending UIDs, as many as one command may work on. */
export function allowedUids(session: Session, view: MailboxView, uids: readonly number[]): Allowed {
  const { imapMessages } = session.options.limits;
  const last = uids.slice(-imapMessages);
  const code = uids.length > imapMessages ? `MESSAGELIMIT ${imapMessages} ${last[0] ?? 0}` : undefined;
  return { ranges: view.rangesOf(last), code };
}

/** For commands that do all or nothing. Refusal MESSAGELIMIT when there are too many messages. */
export function needAllowed(session: Session, count: number): void {
  const { imapMessages } = session.options.limits;
  if (count > imapMessages)
    throw refuse('limit', `MESSAGELIMIT ${imapMessages}`, `At most ${imapMessages} messages at once`);
}

/** The answer of a command that may have left messages out: too many of them, or gone meanwhile. */
export function partlyDone(
  session: Session,
  limit: string | undefined,
  missing: boolean,
  text: string,
): Outcome {
  const gone = 'Some of the messages no longer exist';
  if (limit === undefined) return missing ? { status: 'NO', code: 'EXPUNGEISSUED', text: gone } : undefined;
  if (!missing) return { code: limit, text };
  // RFC 9738 section 3.1: where there is need for both.
  untagged(session, `NO [${limit}] ${text}`);
  return { code: 'EXPUNGEISSUED', text: gone };
}

/** The messages that a search has to look at, as far as it says so by sets; all of them when it does not. */
export function searchedRanges(
  view: MailboxView,
  key: SearchKey,
  saved: readonly number[],
): readonly UidRange[] {
  const sets: (readonly UidRange[])[] = [];
  const collect = (each: SearchKey): void => {
    if (each.kind === 'and') each.keys.forEach(collect);
    else if (each.kind === 'seq' || each.kind === 'uid')
      sets.push(view.ranges(each.set, each.kind === 'uid', saved, true));
  };
  collect(key);
  const whole: readonly UidRange[] = [{ from: 1, to: view.lastUid }];
  return sets.reduce((a, b) => common(a, b), whole);
}

/** What two lists of ascending, disjoint ranges have in common. */
function common(a: readonly UidRange[], b: readonly UidRange[]): UidRange[] {
  const found: UidRange[] = [];
  let at = 0;
  for (const { from, to } of a) {
    while ((b[at]?.to ?? Number.POSITIVE_INFINITY) < from) at++;
    for (let i = at; i < b.length; i++) {
      const range = b[i];
      if (range === undefined || range.from > to) break;
      found.push({ from: Math.max(from, range.from), to: Math.min(to, range.to) });
    }
  }
  return found;
}
