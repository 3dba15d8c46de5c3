import type { Actor, Person } from './actor.ts';
import { mayGo, SHARED } from './actor.ts';
import { Connection } from './connection.ts';
import type { Value } from './parse.ts';
import { flagText, type View } from './view.ts';
import { must, type World } from './world.ts';

/** While all are quiet: every session knows what a new client sees. */

interface Truth {
  readonly box: string;
  readonly rows: ReadonlyMap<number, { readonly flags: string; readonly modseq: number }>;
}

/** A mailbox as a new client sees it; STATUS must say the same. */
async function look(world: World, connection: Connection, owner: string, name: string): Promise<Truth> {
  const ok = async (text: string) => {
    const answer = await connection.send(text);
    must(answer.status === 'OK', () => `${text}: ${answer.status} [${answer.code}]`);
    return answer.untagged;
  };
  const [status] = (
    await ok(`STATUS ${name} (MESSAGES UNSEEN DELETED UIDNEXT UIDVALIDITY HIGHESTMODSEQ SIZE)`)
  ).filter((each) => each.kind === 'status');
  const { untagged } = await connection.selecting(`EXAMINE ${name}`);
  const exists = untagged.find((each) => each.kind === 'exists')?.number ?? 0;
  const codes = untagged.map((each) => (each.kind === 'state' ? each.code : ''));
  const counter = (word: string): number => Number(status?.items.get(word));
  const box = `${owner}/${counter('UIDVALIDITY')}`;
  must(
    codes.includes(`UIDNEXT ${counter('UIDNEXT')}`),
    () => `${name}: STATUS UIDNEXT ${counter('UIDNEXT')}, SELECT ${codes.join(', ')}`,
  );
  must(
    codes.includes(`HIGHESTMODSEQ ${Math.max(1, counter('HIGHESTMODSEQ'))}`),
    () => `${name}: STATUS HIGHESTMODSEQ ${counter('HIGHESTMODSEQ')}, SELECT ${codes.join(', ')}`,
  );
  const rows = new Map<number, { flags: string; modseq: number }>();
  let size = 0;
  // The view of this connection is of no interest.
  const fetched =
    exists === 0 ? [] : (await connection.selectedOnly('UID FETCH 1:* (FLAGS MODSEQ RFC822.SIZE)')).untagged;
  for (const response of fetched) {
    if (response.kind !== 'fetch') continue;
    const uid = Number(response.items.get('UID'));
    size += Number(response.items.get('RFC822.SIZE'));
    world.fact(box, uid, 'RFC822.SIZE', response.items.get('RFC822.SIZE') ?? null);
    rows.set(uid, {
      flags: flagText(response.items.get('FLAGS') ?? null),
      modseq: Number((response.items.get('MODSEQ') as readonly Value[])[0]),
    });
  }
  const having = (flag: string): number =>
    [...rows.values()].filter(({ flags }) => flags.split(' ').includes(flag)).length;
  const seen = [exists, rows.size - having('\\Seen'), having('\\Deleted'), size];
  const told = [counter('MESSAGES'), counter('UNSEEN'), counter('DELETED'), counter('SIZE')];
  must(rows.size === exists, () => `${name}: ${exists} EXISTS but ${rows.size} fetched`);
  must(seen.join() === told.join(), () => `${name}: STATUS says ${told.join()}, but it has ${seen.join()}`);
  const highest = Math.max(0, ...[...rows.values()].map(({ modseq }) => modseq));
  must(
    highest <= counter('HIGHESTMODSEQ'),
    () => `${name}: a message has MODSEQ ${highest}, above HIGHESTMODSEQ`,
  );
  world.census(box, new Set(rows.keys()));
  return { box, rows };
}

/** What a session knows is what there is. */
function compare(view: View, { rows }: Truth): void {
  const uids = view.entries.map(({ uid }) => uid);
  must(
    uids.join() === [...rows.keys()].join(),
    () => `${view.name} has ${[...rows.keys()].join()}, known is ${uids.join()}`,
  );
  for (const entry of view.entries) {
    const row = rows.get(entry.uid);
    must(
      row?.flags === entry.flags,
      () => `${view.name}: UID ${entry.uid} has (${row?.flags}), known is (${entry.flags})`,
    );
    const sure = entry.modseq > 0;
    must(
      !sure || row?.modseq === entry.modseq,
      () => `${view.name}: UID ${entry.uid} has MODSEQ ${row?.modseq}, known is ${entry.modseq}`,
    );
  }
}

/** Searches and sorting by what is known of flags, now that nobody changes them. */
async function searches(actor: Actor, view: View): Promise<void> {
  const having = (flag: string): number[] =>
    view.entries.filter(({ flags }) => flags?.split(' ').includes(flag)).map(({ uid }) => uid);
  const without = (flag: string): number[] => {
    const there = new Set(having(flag));
    return view.uids.filter((uid) => !there.has(uid));
  };
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['FLAGGED', having('\\Flagged')],
    ['UNSEEN', without('\\Seen')],
    ['DELETED', having('\\Deleted')],
    ['UNKEYWORD $work', without('$work')],
    [`KEYWORD ${actor.keyword}`, having(actor.keyword)],
  ];
  for (const [criteria, uids] of cases) {
    const answer = await actor.ok(`UID SEARCH RETURN (ALL COUNT) ${criteria}`);
    const found = answer.untagged.find((each) => each.kind === 'esearch');
    const count = Number(found?.results.get('COUNT'));
    must(count === uids.length, () => `SEARCH ${criteria}: COUNT ${count}, known are ${uids.join()}`);
  }
}

/** Everybody has stopped: compare. `failed` is told what does not hold, of whom. */
export async function checkpoint(
  world: World,
  port: number,
  people: readonly Person[],
  actors: readonly Actor[],
  failed: (error: unknown, actor: Actor | undefined) => void,
): Promise<void> {
  const truths = new Map<string, Truth>();
  try {
    for (const person of people) {
      const connection = await Connection.open(world, port);
      await connection.send(`LOGIN ${person.login}`);
      await connection.send('ENABLE CONDSTORE');
      for (const name of person.boxes.filter((each) => each !== SHARED)) {
        const truth = await look(world, connection, person.name, name);
        truths.set(truth.box, truth);
      }
      connection.hangUp();
    }
  } catch (error) {
    failed(error, undefined);
  }
  for (const actor of actors) {
    try {
      await settle(actor, truths);
    } catch (error) {
      failed(error, actor);
    }
  }
}

async function settle(actor: Actor, truths: ReadonlyMap<string, Truth>): Promise<void> {
  if (actor.view === undefined) return;
  await actor.noop();
  await actor.learn();
  await actor.noop();
  const { view } = actor;
  if (view === undefined) return;
  must(!view.unknown, () => `${view.name}: not all is known after all was asked for`);
  const truth = truths.get(view.box);
  if (truth === undefined) {
    must(mayGo(view.name), () => `${view.name} is not there: ${view.box}`);
    return;
  }
  compare(view, truth);
  await searches(actor, view);
  actor.world.count('views compared');
}
