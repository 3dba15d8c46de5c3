import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';
import { checkInvariants } from '../../data/mailstore/invariants.ts';

/**
 * Several people, random rights and random commands, against a model that is written apart from the server: nobody ever
 * sees or changes what it forbids, and everybody may do what it allows, from the next command on after each change.
 */

const ALL = 'lrswipkxtea';
const PEOPLE = ['alice', 'bob', 'carol', 'dave'] as const;
const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', '$Work'] as const;
type Person = (typeof PEOPLE)[number];

interface Box {
  readonly owner: Person;
  name: string;
  readonly acl: Map<string, string>;
  readonly messages: Map<number, Set<string>>;
  next: number;
  alive: boolean;
}

interface Seat {
  readonly who: Person;
  client: ImapClient;
  selected: { readonly box: Box; readonly readOnly: boolean } | undefined;
}

/** mulberry32 */
function randomFrom(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const addressOf = (person: string): string => `${person}@example.test`;

function rights(box: Box, who: Person): string {
  const mine = new Set(['anyone', addressOf(who), '@example.test']);
  const owns = box.owner === who;
  const granted = new Set(owns && !box.acl.has(addressOf(who)) ? ALL : '');
  const denied = new Set<string>();
  for (const [identifier, letters] of box.acl) {
    const negative = identifier.startsWith('-');
    if (!mine.has(negative ? identifier.slice(1) : identifier)) continue;
    for (const letter of letters) (negative ? denied : granted).add(letter);
  }
  return [...ALL]
    .filter((letter) => (granted.has(letter) && !denied.has(letter)) || (owns && 'la'.includes(letter)))
    .join('');
}

function nameFor(box: Box, who: Person): string {
  return box.owner === who ? box.name : `Other Users/${addressOf(box.owner)}/${box.name}`;
}

/** What a lack of rights is answered. */
function refusal(box: Box, who: Person, needed: string): string | undefined {
  const has = box.alive ? rights(box, who) : '';
  if (box.alive && [...needed].every((letter) => has.includes(letter))) return undefined;
  return has.includes('l') ? 'NO [NOPERM]' : 'NO [NONEXISTENT]';
}

function mayFlag(has: string, flag: string): boolean {
  return has.includes(flag === '\\Seen' ? 's' : flag === '\\Deleted' ? 't' : 'w');
}

class Play {
  readonly #server: ImapTestServer;
  readonly #random: (n: number) => number;
  readonly #boxes: Box[] = [];
  readonly #seats: Seat[] = [];

  constructor(server: ImapTestServer, seed: number) {
    this.#server = server;
    this.#random = randomFrom(seed);
  }

  #pick<T>(from: readonly T[]): T {
    const found = from[this.#random(from.length)];
    assert.ok(found !== undefined);
    return found;
  }

  #some(from: readonly string[]): string[] {
    return from.filter(() => this.#random(2) === 0);
  }

  async begin(): Promise<void> {
    for (const who of PEOPLE) {
      if (who !== 'alice') await this.#server.addAccount(addressOf(who));
      this.#seats.push({ who, client: await this.#connect(who), selected: undefined });
    }
    for (const owner of ['alice', 'bob'] as const) {
      for (const name of ['Work', 'Play']) {
        const seat = this.#seats.find(({ who }) => who === owner);
        await seat?.client.ok(`CREATE ${name}`);
        const box = { owner, name, acl: new Map(), messages: new Map(), next: 1, alive: true };
        this.#boxes.push(box);
      }
    }
  }

  #connect(who: Person): Promise<ImapClient> {
    return this.#server.ready(undefined, addressOf(who));
  }

  async step(): Promise<void> {
    const seat = this.#pick(this.#seats);
    await this.#sit(seat);
    const box = this.#pick(this.#boxes);
    switch (this.#random(12)) {
      case 0:
      case 1:
        return this.#setAcl(seat, box);
      case 2:
      case 3:
        return this.#select(seat, box);
      case 4:
        return this.#append(seat, box);
      case 5:
        return this.#store(seat);
      case 6:
        return this.#expunge(seat);
      case 7:
        return this.#carry(seat, box, this.#random(2) === 0 ? 'COPY' : 'MOVE');
      case 8:
        return this.#list(seat);
      case 9:
        return this.#status(seat, box);
      case 10:
        return this.#child(seat, box);
      default:
        return this.#look(seat);
    }
  }

  /** Who has a mailbox selected that may not be read any more, or is gone, is sent away by the next command. */
  async #sit(seat: Seat): Promise<void> {
    const { selected, who } = seat;
    if (selected === undefined) return;
    if (selected.box.alive && rights(selected.box, who).includes('r')) return;
    seat.client.send('x FETCH 1:* (FLAGS BODY[])\r\n');
    assert.match(
      String(await seat.client.closed()),
      /^\* BYE \[UNAVAILABLE\] The selected mailbox was deleted\r\n$/,
    );
    seat.client = await this.#connect(who);
    seat.selected = undefined;
  }

  async #answer(seat: Seat, expected: string | undefined, command: string): Promise<boolean> {
    const { tagged } = await seat.client.command(command);
    assert.ok(
      tagged.startsWith(expected ?? 'OK'),
      `${seat.who}: ${command}: ${tagged}, not ${expected ?? 'OK'}`,
    );
    return expected === undefined;
  }

  async #setAcl(seat: Seat, box: Box): Promise<void> {
    const who = this.#pick([...PEOPLE.map(addressOf), 'anyone', '@example.test']);
    const identifier = this.#random(6) === 0 ? `-${who}` : who;
    const sign = this.#pick(['', '', '+', '-']);
    // Mostly enough of them for something to happen.
    const letters = this.#random(4) === 0 ? '' : [...ALL].filter(() => this.#random(5) < 3).join('');
    const command = `SETACL "${nameFor(box, seat.who)}" ${identifier} "${sign}${letters}"`;
    if (!(await this.#answer(seat, refusal(box, seat.who, 'a'), command))) return;
    const isOwner = identifier === addressOf(box.owner);
    const before = box.acl.get(identifier) ?? (isOwner ? ALL : '');
    const after = [...ALL].filter((letter) => {
      if (isOwner && 'la'.includes(letter)) return true;
      if (sign === '+') return before.includes(letter) || letters.includes(letter);
      if (sign === '-') return before.includes(letter) && !letters.includes(letter);
      return letters.includes(letter);
    });
    if (after.length === 0) box.acl.delete(identifier);
    else box.acl.set(identifier, after.join(''));
    // By its own doing it is told, not sent away.
    if (seat.selected?.box === box && !rights(box, seat.who).includes('r')) seat.selected = undefined;
  }

  async #select(seat: Seat, box: Box): Promise<void> {
    const expected = refusal(box, seat.who, 'r');
    seat.selected = undefined;
    if (!(await this.#answer(seat, expected, `SELECT "${nameFor(box, seat.who)}"`))) return;
    const has = rights(box, seat.who);
    seat.selected = { box, readOnly: ![...'iestw'].some((letter) => has.includes(letter)) };
  }

  async #append(seat: Seat, box: Box): Promise<void> {
    const flags = this.#some(FLAGS);
    const expected = refusal(box, seat.who, 'i');
    const command = `APPEND "${nameFor(box, seat.who)}" (${flags.join(' ')}) {1+}\r\nx`;
    const own = box.owner === seat.who && !box.alive;
    if (!(await this.#answer(seat, own ? 'NO [TRYCREATE]' : expected, command))) return;
    this.#put(box, seat.who, flags);
  }

  #put(box: Box, who: Person, flags: Iterable<string>): void {
    const has = rights(box, who);
    box.messages.set(box.next++, new Set([...flags].filter((flag) => mayFlag(has, flag))));
  }

  async #store(seat: Seat): Promise<void> {
    const { selected, who } = seat;
    const uid = selected && [...selected.box.messages.keys()].at(-1);
    if (selected === undefined || uid === undefined) return;
    // What has come since is not there for this session until it hears of it.
    await seat.client.ok('NOOP');
    const has = rights(selected.box, who);
    const sign = this.#pick(['', '+', '-']);
    const flags = this.#some(FLAGS);
    if (flags.length === 0) flags.push(this.#pick(FLAGS));
    const allowed = flags.filter((flag) => mayFlag(has, flag));
    const expected = selected.readOnly ? 'NO [READ-ONLY]' : allowed.length === 0 ? 'NO [NOPERM]' : undefined;
    if (!(await this.#answer(seat, expected, `UID STORE ${uid} ${sign}FLAGS (${flags.join(' ')})`))) return;
    const now = selected.box.messages.get(uid);
    for (const flag of FLAGS) {
      if (!mayFlag(has, flag)) continue;
      if (sign === '-' ? flags.includes(flag) : sign === '' && !flags.includes(flag)) now?.delete(flag);
      else if (flags.includes(flag)) now?.add(flag);
    }
  }

  async #expunge(seat: Seat): Promise<void> {
    const { selected, who } = seat;
    if (selected === undefined) return;
    const expected = selected.readOnly
      ? 'NO [READ-ONLY]'
      : rights(selected.box, who).includes('e')
        ? undefined
        : 'NO [NOPERM]';
    if (!(await this.#answer(seat, expected, 'EXPUNGE'))) return;
    for (const [uid, flags] of selected.box.messages)
      if (flags.has('\\Deleted')) selected.box.messages.delete(uid);
  }

  async #carry(seat: Seat, target: Box, verb: 'COPY' | 'MOVE'): Promise<void> {
    const { selected, who } = seat;
    const uid = selected && [...selected.box.messages.keys()].at(-1);
    if (selected === undefined || uid === undefined) return;
    const has = rights(selected.box, who);
    let expected = refusal(target, who, 'i');
    if (!target.alive && target.owner === who) expected = 'NO [TRYCREATE]';
    if (expected === undefined && verb === 'MOVE') {
      if (selected.readOnly) expected = 'NO [READ-ONLY]';
      else if (!has.includes('t') || !has.includes('e')) expected = 'NO [NOPERM]';
    }
    // What others expunged meanwhile may not be seen yet.
    await seat.client.ok('NOOP');
    if (!(await this.#answer(seat, expected, `UID ${verb} ${uid} "${nameFor(target, who)}"`))) return;
    const flags = selected.box.messages.get(uid) ?? [];
    if (verb === 'MOVE') selected.box.messages.delete(uid);
    this.#put(target, who, flags);
  }

  async #list(seat: Seat): Promise<void> {
    const answer = await seat.client.ok('LIST "" "Other Users/*" RETURN (MYRIGHTS)');
    const seen = answer
      .filter((line) => line.startsWith('MYRIGHTS'))
      .map((line) => line.replace(/[cd]+"$/, '"'));
    const expected = this.#boxes
      .filter((box) => box.alive && box.owner !== seat.who && rights(box, seat.who).includes('l'))
      .map((box) => `MYRIGHTS "${nameFor(box, seat.who)}" "${rights(box, seat.who)}"`);
    assert.deepEqual(seen, expected.toSorted(), `${seat.who}: LIST`);
    assert.equal(answer.filter((line) => line.startsWith('LIST')).length, expected.length);
  }

  async #status(seat: Seat, box: Box): Promise<void> {
    const name = nameFor(box, seat.who);
    const expected = refusal(box, seat.who, 'r');
    const { tagged, untagged } = await seat.client.command(`STATUS "${name}" (MESSAGES)`);
    assert.ok(
      tagged.startsWith(expected ?? 'OK'),
      `${seat.who}: STATUS ${name}: ${tagged}, not ${expected ?? 'OK'}`,
    );
    const told = untagged.filter((line) => line.startsWith('STATUS'));
    assert.deepEqual(
      told,
      expected === undefined ? [`STATUS "${name}" (MESSAGES ${box.messages.size})`] : [],
    );
  }

  /** Make a mailbox below one, or delete one that was made. */
  async #child(seat: Seat, box: Box): Promise<void> {
    if (box.name.includes('/')) {
      const expected = refusal(box, seat.who, 'x');
      if (!(await this.#answer(seat, expected, `DELETE "${nameFor(box, seat.who)}"`))) return;
      box.alive = false;
      this.#boxes.splice(this.#boxes.indexOf(box), 1);
      if (seat.selected?.box === box) seat.selected = undefined;
      return;
    }
    if (this.#boxes.length > 12) return;
    const made: Box = {
      owner: box.owner,
      name: `${box.name}/${this.#boxes.length}-${this.#random(1e9)}`,
      acl: new Map(box.acl),
      messages: new Map(),
      next: 1,
      alive: true,
    };
    const has = rights(box, seat.who);
    const expected = has.includes('k') ? undefined : has.includes('l') ? 'NO [NOPERM]' : 'NO [CANNOT]';
    if (await this.#answer(seat, expected, `CREATE "${nameFor(made, seat.who)}"`)) this.#boxes.push(made);
  }

  /** Everything in the selected mailbox is what the model has. */
  async #look(seat: Seat): Promise<void> {
    const { selected } = seat;
    if (selected === undefined) return;
    await seat.client.ok('NOOP');
    const answer = selected.box.messages.size === 0 ? [] : await seat.client.ok('FETCH 1:* (UID FLAGS)');
    const seen = answer
      .filter((line) => line.includes('FETCH'))
      .map((line) => `${/UID (\d+)/.exec(line)?.[1]} ${flagsOf(line)}`);
    const expected = [...selected.box.messages].map(
      ([uid, flags]) => `${uid} ${[...flags].toSorted().join(' ')}`,
    );
    assert.deepEqual(seen, expected, `${seat.who}: ${selected.box.name}`);
  }
}

function flagsOf(line: string): string {
  const flags = /FLAGS \(([^)]*)\)/.exec(line)?.[1] ?? '';
  return flags
    .split(' ')
    .filter((flag) => flag !== '\\Recent' && flag !== '')
    .toSorted()
    .join(' ');
}

for (const seed of [1, 2, 3, 4]) {
  test(`random rights and commands, as the model has it, seed ${seed}`, async () => {
    const server = await imapTestServer();
    try {
      const play = new Play(server, seed);
      await play.begin();
      for (let i = 0; i < 400; i++) await play.step();
      assert.deepEqual(await server.store.inspect(checkInvariants), []);
      assert.deepEqual(server.logged, []);
    } finally {
      await server.close();
    }
  });
}
