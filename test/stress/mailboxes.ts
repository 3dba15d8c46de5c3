import { type Actor, mayGo } from './actor.ts';
import type { Answer } from './connection.ts';
import { expandSet } from './parse.ts';
import { must } from './world.ts';

/** Commands about mailboxes, and those that wait. */

const TEMPS = ['Temp1', 'Temp2', 'Temp3/Below', 'Temp4'];

export function target(actor: Actor): string {
  return actor.random.once(8) && actor.person.name === 'alice'
    ? actor.random.pick(TEMPS)
    : actor.random.pick(actor.person.boxes);
}

export async function select(actor: Actor): Promise<void> {
  await actor.select(target(actor));
  if (actor.random.once(4)) return;
  await actor.learn();
  await actor.noop();
}

/** CLOSE expunges without a word, UNSELECT does not. */
export async function leave(actor: Actor): Promise<void> {
  const { connection, world, random } = actor;
  const { view } = connection;
  if (view === undefined) return;
  const verb = random.once(2) ? 'CLOSE' : 'UNSELECT';
  if (verb === 'CLOSE' && !view.readOnly) world.blurred.add(view.box);
  await connection.send(verb, {
    done: ({ status, code }) => {
      must(status === 'OK', () => `${verb}: ${status} [${code}]`);
      connection.view = undefined;
    },
  });
}

function letter(actor: Actor): string {
  const { random, id, world } = actor;
  const lines = Array.from({ length: random.below(8) }, () => 'lorem ipsum dolor sit amet, as ever\r\n').join(
    '',
  );
  return `From: a${id}@example.test\r\nSubject: stress ${random.below(5)}\r\nMessage-ID: <${world.tick()}.${id}@stress.test>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\n${lines}end ${world.now}\r\n`;
}

/** APPEND of one message, or of some at once where that is offered. */
export async function append(actor: Actor): Promise<void> {
  const { random, connection, world } = actor;
  const name = target(actor);
  const many = actor.capabilities.includes('MULTIAPPEND') && random.once(4) ? 2 + random.below(3) : 1;
  const messages = Array.from({ length: many }, () => letter(actor));
  const parts = messages.map((message) => {
    const flags = random.once(2) ? ` (${random.pick(['\\Seen', '\\Flagged', '\\Seen $work'])})` : '';
    const date = random.once(3) ? ' "01-Feb-2026 10:00:00 +0000"' : '';
    return `${flags}${date} {${message.length}+}\r\n${message}`;
  });
  const text = `APPEND ${name}${parts.join('')}`;
  const answer = await connection.send(text);
  if (actor.refused(`APPEND ${name}`, answer, mayGo(name) ? ['TRYCREATE', 'NONEXISTENT', 'NOPERM'] : []))
    return;
  const [, uidvalidity, set] = /^APPENDUID (\d+) (\S+)$/.exec(answer.code) ?? [];
  must(set !== undefined, () => `APPEND ${name}: OK [${answer.code}]`);
  const box = actor.boxId(name, Number(uidvalidity));
  const uids = expandSet(set);
  must(uids.length === many, () => `APPEND of ${many}: ${answer.code}`);
  for (const [at, uid] of uids.entries()) {
    world.given(box, uid);
    world.fact(box, uid, 'BODY[]', messages[at] ?? '');
    world.fact(box, uid, 'RFC822.SIZE', String(messages[at]?.length));
  }
}

const COUNTERS = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'HIGHESTMODSEQ', 'SIZE', 'DELETED'];

export async function status(actor: Actor): Promise<void> {
  const name = target(actor);
  const answer = await actor.connection.send(`STATUS ${name} (${COUNTERS.join(' ')})`);
  if (actor.refused(`STATUS ${name}`, answer, mayGo(name) ? ['NONEXISTENT', 'NOPERM'] : [])) return;
  // With NOTIFY there may be others.
  const told = answer.untagged.findLast(({ kind }) => kind === 'status');
  must(told?.kind === 'status', () => `STATUS ${name} tells nothing`);
  if (actor.connection.notified) return;
  for (const counter of COUNTERS) must(told.items.has(counter), () => `STATUS ${name} tells no ${counter}`);
  actor.world.uidnext(
    actor.boxId(name, Number(told.items.get('UIDVALIDITY'))),
    Number(told.items.get('UIDNEXT')),
    actor.id,
  );
}

/** CREATE, RENAME and DELETE of mailboxes that nobody relies on. */
export async function shuffle(actor: Actor): Promise<void> {
  if (actor.person.name !== 'alice') return;
  const { random, connection } = actor;
  const name = random.pick(TEMPS);
  const kind = random.below(5);
  const text =
    kind < 3 ? `CREATE ${name}` : kind === 3 ? `DELETE ${name}` : `RENAME ${name} ${random.pick(TEMPS)}`;
  const answer = await connection.send(text);
  // It may have been the selected one, whatever it is called now: then it is no longer selected.
  if (kind === 3 && answer.status === 'OK' && connection.view !== undefined && mayGo(connection.view.name)) {
    await connection.send('UNSELECT', {
      done: () => {
        connection.view = undefined;
      },
    });
  }
  actor.refused(text, answer, ['ALREADYEXISTS', 'NONEXISTENT', 'HASCHILDREN', 'CANNOT', '']);
  const folded = await connection.send('LIST "" "Temp*"');
  must(folded.status === 'OK', () => `LIST: ${folded.status}`);
}

/** IDLE for a moment: what comes is taken in as it comes. */
export async function idle(actor: Actor): Promise<void> {
  const { connection, random } = actor;
  const going = connection.go();
  const answer = connection.send('IDLE');
  await going;
  await pause(random.below(120));
  if (connection.failure !== undefined) throw connection.failure;
  connection.raw('DONE\r\n');
  const { status } = await answer;
  must(status === 'OK', () => `IDLE: ${status}`);
}

/** NOTIFY (RFC 5465): of the selected mailbox at once or at the next command, and of the others. */
export async function notify(actor: Actor): Promise<void> {
  const { connection, random } = actor;
  if (!actor.capabilities.includes('NOTIFY')) return;
  if (connection.notified && random.once(2)) {
    await actor.ok('NOTIFY NONE');
    connection.notified = false;
    connection.immediate = false;
    return;
  }
  const selected = random.pick(['SELECTED', 'SELECTED-DELAYED']);
  const others = random.once(2) ? ' (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName))' : '';
  connection.immediate ||= selected === 'SELECTED';
  connection.notified = true;
  await actor.ok(`NOTIFY SET (${selected} (MessageNew MessageExpunge FlagChange))${others}`);
  connection.immediate = selected === 'SELECTED';
}

/** Bob changes what alice may do with his mailbox, now and then to nothing. */
export async function rights(actor: Actor): Promise<void> {
  if (actor.person.name !== 'bob') return;
  const rights = actor.random.pick(['lrswipkxte', 'lrswite', 'lrs', 'lr', 'l', 'lrswipkxte', 'lrswipkxte']);
  await actor.ok(`SETACL Pool alice@example.test ${rights}`);
}

/** Something that must be answered BAD and change nothing. */
export async function nonsense(actor: Actor): Promise<void> {
  const text = actor.random.pick([
    'FETCH',
    'FETCH 0 FLAGS',
    'STORE 1 FLAGS',
    'UID FROB 1',
    'SEARCH CHARSET',
    'NOOP now',
    'COPY 1',
  ]);
  const answer: Answer = await actor.connection.send(text);
  must(answer.status === 'BAD', () => `${text}: ${answer.status} [${answer.code}]`);
}

/** Hang up, in the middle of an APPEND now and then, or with commands under way. */
export async function hangUp(actor: Actor): Promise<void> {
  const { connection, random, world } = actor;
  const { view } = connection;
  if (view !== undefined) world.blurred.add(view.box);
  const kind = random.below(4);
  if (kind === 0) connection.raw(`x APPEND INBOX {500+}\r\nSubject: cut off\r\n`);
  if (kind === 1 && view !== undefined)
    void connection.send('UID FETCH 1:* (BODY.PEEK[])').catch(() => undefined);
  if (kind === 2) await connection.send('LOGOUT').catch(() => undefined);
  connection.hangUp();
  await actor.connect();
  if (actor.remembered !== undefined && random.below(4) > 0) await actor.select(actor.remembered.name);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
