import type { Actor } from './actor.ts';
import * as mailboxes from './mailboxes.ts';
import * as messages from './messages.ts';

type Move = (actor: Actor, byUid: boolean) => Promise<void>;

/** Only with a mailbox selected; how often each is chosen. */
const SELECTED: readonly (readonly [number, Move])[] = [
  [12, messages.fetch],
  [10, messages.store],
  [8, messages.storeOwn],
  [5, messages.search],
  [3, messages.order],
  [5, (actor) => messages.expunge(actor)],
  [4, (actor, byUid) => messages.transfer(actor, 'COPY', byUid, mailboxes.target(actor))],
  [3, (actor, byUid) => messages.transfer(actor, 'MOVE', byUid, mailboxes.target(actor))],
  [4, (actor) => pipeline(actor)],
  [6, (actor) => actor.noop()],
  [2, mailboxes.leave],
  [2, mailboxes.idle],
];

const ANY: readonly (readonly [number, Move])[] = [
  [6, mailboxes.select],
  [8, mailboxes.append],
  [3, mailboxes.status],
  [1, mailboxes.shuffle],
  [1, mailboxes.notify],
  [1, mailboxes.rights],
  [1, mailboxes.nonsense],
  [2, mailboxes.hangUp],
];

const total = (moves: readonly (readonly [number, Move])[]): number =>
  moves.reduce((sum, [weight]) => sum + weight, 0);

/** Several commands in one go: none of these lets a number change. */
async function pipeline(actor: Actor): Promise<void> {
  const { connection, random } = actor;
  const byUid = connection.immediate;
  const moves: Move[] = [messages.fetch, messages.store, messages.search, messages.order];
  const several = Array.from({ length: 2 + random.below(4) }, () => random.pick(moves));
  // Once: what is said of the own keyword holds when it is answered.
  if (random.once(2)) several.push(messages.storeOwn);
  const results = await Promise.allSettled(several.map((move) => move(actor, byUid)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** One thing or another. */
export async function step(actor: Actor): Promise<void> {
  const { random, connection } = actor;
  const selected = connection.view !== undefined;
  const moves = selected ? [...SELECTED, ...ANY] : ANY;
  let at = random.below(total(moves));
  const move = moves.find(([weight]) => (at -= weight) < 0)?.[1];
  // What has a name to be called by at any time is only safe by UID.
  await move?.(actor, connection.immediate || random.once(2));
  if (connection.view !== undefined && random.once(2)) await actor.learn();
}
