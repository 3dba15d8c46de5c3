import { Flag, type MessageRow, type UidRange } from '../../../data/mailstore/types.ts';
import type { ContentReader } from '../../../data/mailstore/content-reader.ts';
import { openContents, tellMessage } from '../fetch-response.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { refresh } from '../refresh.ts';
import { flushIfFull, loginOf, type Session, SessionEnd, viewOf, yieldTurn } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { type FetchAtt, fetchAtts } from '../wire/fetch-att.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** FETCH (RFC 9051 section 6.4.5, RFC 7162 section 3.1.4). */
export const fetch: Command = {
  name: 'FETCH',
  states: SELECTED,
  holdsExpunges: true,
  run: (session, d) => run(session, d, false),
};

/** UID FETCH (RFC 9051 section 6.4.9). */
export const uidFetch: Command = {
  name: 'UID FETCH',
  states: SELECTED,
  run: (session, d) => run(session, d, true),
};

interface Request {
  readonly ranges: readonly UidRange[];
  readonly atts: readonly FetchAtt[];
  readonly changedSince: number | undefined;
}

type Want = 'envelope' | 'bodystructure' | 'content' | 'thread';

function parse(session: Session, d: Decoder, byUid: boolean): Request {
  d.sp();
  const set = d.sequenceSet();
  d.sp();
  const asked = [...fetchAtts(d)];
  let changedSince: number | undefined;
  if (d.skip(' ')) {
    d.list(() => {
      if (d.keyword('CHANGEDSINCE') !== 'CHANGEDSINCE') d.fail('CHANGEDSINCE before this');
      d.sp();
      changedSince = d.number64('a mod-sequence');
    });
  }
  d.end();
  const has = (kind: FetchAtt['kind']): boolean => asked.some((att) => att.kind === kind);
  // RFC 9051 section 6.4.9: UID FETCH always tells the UID.
  if (byUid && !has('uid')) asked.unshift({ kind: 'uid' });
  if (changedSince !== undefined && !has('modseq')) asked.push({ kind: 'modseq' });
  // RFC 7162 section 3.1: CONDSTORE enabling commands.
  if (changedSince !== undefined || has('modseq')) session.enabled.add('CONDSTORE');
  return { ranges: viewOf(session).ranges(set, byUid, session.saved), atts: asked, changedSince };
}

function wants(atts: readonly FetchAtt[]): Want[] {
  const want = new Set<Want>();
  for (const { kind } of atts) {
    if (kind === 'envelope' || kind === 'bodystructure') want.add(kind);
    else if (kind === 'threadid') want.add('thread');
    else if (kind === 'section' || kind === 'binary' || kind === 'binary-size' || kind === 'body')
      want.add('content');
  }
  return [...want];
}

function setsSeen(atts: readonly FetchAtt[]): boolean {
  return atts.some((att) => (att.kind === 'section' || att.kind === 'binary') && !att.peek);
}

async function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  const { ranges, atts, changedSince } = parse(session, d, byUid);
  const view = viewOf(session);
  const want = wants(atts);
  const marking = setsSeen(atts) && !view.readOnly;
  const size = want.length > 0 ? SESSION_LIMITS.contentRowsPerPage : SESSION_LIMITS.rowsPerPage;
  let told = 0;
  let failure: unknown;
  for (const range of view.chunks(ranges, size)) {
    const rows = await session.options.store.read.run('mailstore.fetch', {
      mailboxId: view.mailboxId,
      ranges: [range],
      want,
      limit: size,
      ...(changedSince !== undefined && { changedSince }),
    });
    const seen = marking ? await markSeen(session, rows) : undefined;
    const contents = await openContents(session, rows, atts);
    for (const [at, row] of rows.entries()) {
      const items = seen?.has(row.uid) ? withFlags(session, atts) : atts;
      const problem = await tryMessage(session, seen?.get(row.uid) ?? row, items, contents[at]);
      failure ??= problem;
      await flushIfFull(session);
    }
    told += rows.length;
    await yieldTurn();
  }
  await refresh(session);
  if (failure !== undefined) throw failure;
  if (!byUid && changedSince === undefined && told < view.countIn(ranges))
    return { status: 'NO', code: 'EXPUNGEISSUED', text: 'Some of the messages no longer exist' };
  return undefined;
}

/** A message that cannot be shown does not keep the others from it; the command then ends with its error. */
async function tryMessage(
  session: Session,
  row: MessageRow,
  atts: readonly FetchAtt[],
  content: ContentReader | undefined,
): Promise<unknown> {
  try {
    await tellMessage(session, row, atts, content);
    return undefined;
  } catch (error) {
    if (error instanceof SessionEnd || session.inLiteral) throw error;
    return error;
  }
}

/** RFC 9051 section 6.4.5: reading a body sets \Seen, and the client is told. The rows that this changed. */
async function markSeen(session: Session, rows: readonly MessageRow[]): Promise<Map<number, MessageRow>> {
  const changed = new Map<number, MessageRow>();
  const unseen = rows.filter((row) => (row.flags & Flag.Seen) === 0);
  if (unseen.length === 0) return changed;
  const view = viewOf(session);
  const result = await session.options.store.write.run('mailstore.storeFlags', {
    accountId: loginOf(session).accountId,
    mailboxId: view.mailboxId,
    ranges: view.rangesOf(unseen.map((row) => row.uid)),
    mode: 'add',
    set: { flags: Flag.Seen, keywords: [] },
  });
  view.madeChange(result.modseq);
  const after = new Map(result.rows.map((row) => [row.uid, row]));
  for (const row of unseen) {
    const now = after.get(row.uid);
    if (now !== undefined) changed.set(row.uid, { ...row, ...now });
  }
  return changed;
}

function withFlags(session: Session, atts: readonly FetchAtt[]): readonly FetchAtt[] {
  const more: FetchAtt[] = [];
  if (!atts.some((att) => att.kind === 'flags')) more.push({ kind: 'flags' });
  if (session.enabled.has('CONDSTORE') && !atts.some((att) => att.kind === 'modseq'))
    more.push({ kind: 'modseq' });
  return [...atts, ...more];
}
