import { Refusal } from '../../../base/errors.ts';
import { refresh } from '../refresh.ts';
import { runSearch, type SearchResult } from '../search/run.ts';
import { flushIfFull, isRev2, type Session, untagged, viewOf } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { string } from '../wire/encoder.ts';
import { type ReturnOption, searchProgram, type SearchKey } from '../wire/search-key.ts';
import { type Command, type Outcome, SELECTED } from './command.ts';

/** SEARCH (RFC 9051 section 6.4.4, RFC 7162 section 3.1.5, RFC 5182). */
export const search: Command = {
  name: 'SEARCH',
  states: SELECTED,
  holdsExpunges: true,
  run: (session, d) => run(session, d, false),
};

/** UID SEARCH (RFC 9051 section 6.4.9). */
export const uidSearch: Command = {
  name: 'UID SEARCH',
  states: SELECTED,
  run: (session, d) => run(session, d, true),
};

async function run(session: Session, d: Decoder, byUid: boolean): Promise<Outcome> {
  d.sp();
  const program = searchProgram(d);
  const saves = program.returns?.includes('SAVE') === true;
  if (usesModseq(program.key)) session.enabled.add('CONDSTORE');
  let result: SearchResult;
  try {
    result = await runSearch(session, program);
  } catch (error) {
    // RFC 5182 section 2.1: a search that fails leaves an empty result behind.
    if (saves && error instanceof Refusal) session.saved = [];
    throw error;
  }
  const { returns } = program;
  if (returns === undefined && !isRev2(session)) await tellSearch(session, result, byUid);
  else
    await tellEsearch(
      session,
      result,
      byUid,
      returns === undefined || returns.length === 0 ? ['ALL'] : returns,
    );
  if (saves) session.saved = savedOf(result.uids, returns ?? []);
  await refresh(session);
  return undefined;
}

function usesModseq(key: SearchKey): boolean {
  if (key.kind === 'and') return key.keys.some(usesModseq);
  return key.kind === 'modseq';
}

/** RFC 5182 section 2.4: with MIN or MAX and neither ALL nor COUNT only those are saved. */
function savedOf(uids: readonly number[], returns: readonly ReturnOption[]): readonly number[] {
  const ends = returns.includes('MIN') || returns.includes('MAX');
  if (!ends || returns.includes('ALL') || returns.includes('COUNT')) return uids;
  const saved = new Set<number>();
  const [first] = uids;
  const last = uids.at(-1);
  if (returns.includes('MIN') && first !== undefined) saved.add(first);
  if (returns.includes('MAX') && last !== undefined) saved.add(last);
  return [...saved];
}

/** Numbers of one write. */
const PER_WRITE = 4000;

async function tellSearch(session: Session, { uids, modseq }: SearchResult, byUid: boolean): Promise<void> {
  const view = viewOf(session);
  const { out } = session;
  out.text('* SEARCH');
  for (let at = 0; at < uids.length; at += PER_WRITE) {
    const page = uids.slice(at, at + PER_WRITE).map((uid) => (byUid ? uid : view.seqOf(uid)));
    out.text(` ${page.join(' ')}`);
    await flushIfFull(session);
  }
  out.line(modseq === undefined ? '' : ` (MODSEQ ${modseq})`);
}

async function tellEsearch(
  session: Session,
  { uids, modseq }: SearchResult,
  byUid: boolean,
  returns: readonly ReturnOption[],
): Promise<void> {
  // RFC 5182 section 2.1: SAVE alone asks for no answer.
  if (returns.every((name) => name === 'SAVE')) return;
  const view = viewOf(session);
  const number = (uid: number): number => (byUid ? uid : view.seqOf(uid));
  const parts = [`ESEARCH (TAG ${string(session.tag)})`];
  if (byUid) parts.push('UID');
  const [first] = uids;
  const last = uids.at(-1);
  if (returns.includes('MIN') && first !== undefined) parts.push(`MIN ${number(first)}`);
  if (returns.includes('MAX') && last !== undefined) parts.push(`MAX ${number(last)}`);
  if (returns.includes('ALL') && uids.length > 0) parts.push(`ALL ${view.formatSet(uids, byUid)}`);
  if (returns.includes('COUNT')) parts.push(`COUNT ${uids.length}`);
  if (modseq !== undefined) parts.push(`MODSEQ ${modseq}`);
  untagged(session, parts.join(' '));
  await flushIfFull(session);
}
