import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  blobOf,
  contentOf,
  depositOf,
  newAccount,
  type Operations,
  rowsOf,
  SYSTEM,
} from './contract-fixtures.ts';
import type { ManualClock } from '../../../test/support/manual-clock.ts';
import { Flag, type FlagSet, type StoreMode, type UidRange } from './types.ts';

/** A generator of the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let last = seed >>> 0;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 2 ** 32) * below);
  };
}

interface Row {
  flags: number;
  keywords: string[];
  email: number;
}

/** What a mailbox should hold, by UID. */
interface Box {
  readonly id: number;
  readonly rows: Map<number, Row>;
  uidnext: number;
  /** Each row as it was seen last, and with which modseq. */
  seen: Map<number, { text: string; modseq: number }>;
  modseq: number;
  /** What it held at each modseq it went through. */
  readonly past: Map<number, Map<number, string>>;
}

const KEYWORDS = ['$Junk', 'work', 'Home', '$Forwarded'];
const BOXES = ['INBOX', 'Archive', 'Trash'];

function show(row: { flags: number; keywords: readonly string[] }): string {
  return `${row.flags} ${row.keywords
    .map((each) => each.toLowerCase())
    .toSorted()
    .join(' ')}`;
}

function state(box: Box): Map<number, string> {
  return new Map([...box.rows].map(([uid, row]) => [uid, show(row)]));
}

class World {
  readonly ops: Operations;
  readonly accountId: number;
  readonly boxes: Box[];
  readonly #next: (below: number) => number;

  constructor(ops: Operations, accountId: number, boxes: Box[], seed: number) {
    this.ops = ops;
    this.accountId = accountId;
    this.boxes = boxes;
    this.#next = random(seed);
  }

  #box(): Box {
    const box = this.boxes[this.#next(this.boxes.length)];
    assert.ok(box);
    return box;
  }

  #set(): FlagSet {
    return { flags: this.#next(32), keywords: KEYWORDS.filter(() => this.#next(4) === 0) };
  }

  #ranges(box: Box): UidRange[] {
    return Array.from({ length: 1 + this.#next(2) }, () => {
      const from = 1 + this.#next(box.uidnext + 1);
      return { from, to: from + this.#next(6) };
    });
  }

  #within(box: Box, ranges: readonly UidRange[]): number[] {
    const uids = [...box.rows.keys()].filter((uid) =>
      ranges.some(({ from, to }) => uid >= from && uid <= to),
    );
    return uids.toSorted((a, b) => a - b);
  }

  async step(): Promise<void> {
    const kind = this.#next(10);
    if (kind < 3) await this.append();
    else if (kind < 6) await this.storeFlags();
    else if (kind < 7) await this.transfer('mailstore.copy');
    else if (kind < 8) await this.transfer('mailstore.move');
    else if (kind < 9) await this.expunge();
    else await this.undelete();
  }

  async append(): Promise<void> {
    const box = this.#box();
    const set = this.#set();
    const { uid, emailId } = await this.ops.write('mailstore.append', {
      accountId: this.accountId,
      mailboxId: box.id,
      blob: blobOf('x'.repeat(this.#next(50))),
      content: contentOf(),
      deposit: depositOf(this.accountId, { set }),
    });
    assert.equal(uid, box.uidnext);
    box.rows.set(box.uidnext++, { flags: set.flags, keywords: [...set.keywords], email: emailId });
  }

  async storeFlags(): Promise<void> {
    const box = this.#box();
    const set = this.#set();
    const ranges = this.#ranges(box);
    const mode = (['add', 'remove', 'replace'] as StoreMode[])[this.#next(3)] ?? 'add';
    const uids = this.#within(box, ranges);
    for (const uid of uids) {
      const row = box.rows.get(uid);
      assert.ok(row);
      if (mode === 'add') {
        row.flags |= set.flags;
        row.keywords = [...new Set([...row.keywords, ...set.keywords])];
      } else if (mode === 'remove') {
        row.flags &= ~set.flags;
        row.keywords = row.keywords.filter((each) => !set.keywords.includes(each));
      } else {
        row.flags = set.flags;
        row.keywords = [...set.keywords];
      }
    }
    const result = await this.ops.write('mailstore.storeFlags', {
      accountId: this.accountId,
      mailboxId: box.id,
      ranges,
      mode,
      set,
    });
    assert.deepEqual(
      result.rows.map((row) => row.uid),
      uids,
    );
    for (const row of result.rows)
      assert.equal(show(row), show(box.rows.get(row.uid) ?? { flags: -1, keywords: [] }));
  }

  async transfer(name: 'mailstore.copy' | 'mailstore.move'): Promise<void> {
    const source = this.#box();
    const target = this.#box();
    const ranges = this.#ranges(source);
    const args = { accountId: this.accountId, mailboxId: source.id, targetId: target.id, ranges };
    const { pairs } = await this.ops.write(name, args);
    const expected: [number, number][] = [];
    for (const uid of this.#within(source, ranges)) {
      const row = source.rows.get(uid);
      assert.ok(row);
      expected.push([uid, target.uidnext]);
      if (name === 'mailstore.move') source.rows.delete(uid);
      target.rows.set(target.uidnext++, { ...row, keywords: [...row.keywords] });
    }
    assert.deepEqual(pairs, expected);
  }

  async expunge(): Promise<void> {
    const box = this.#box();
    const ranges = this.#next(2) ? this.#ranges(box) : undefined;
    const anyFlag = ranges !== undefined && this.#next(3) === 0;
    const uids = this.#within(box, ranges ?? [{ from: 1, to: box.uidnext }]).filter(
      (uid) => anyFlag || ((box.rows.get(uid)?.flags ?? 0) & Flag.Deleted) !== 0,
    );
    const result = await this.ops.write('mailstore.expunge', {
      accountId: this.accountId,
      mailboxId: box.id,
      anyFlag,
      ...(ranges && { ranges }),
    });
    assert.deepEqual(result.uids, uids);
    for (const uid of uids) box.rows.delete(uid);
  }

  async undelete(): Promise<void> {
    const box = this.#box();
    const [orphan] = await this.ops.read('mailstore.orphans', { accountId: this.accountId, limit: 1 });
    if (orphan === undefined) return;
    assert.ok(
      !this.boxes.some((each) => [...each.rows.values()].some((row) => row.email === orphan.emailId)),
    );
    const { uid } = await this.ops.write('mailstore.undelete', {
      actor: SYSTEM,
      accountId: this.accountId,
      emailId: orphan.emailId,
      mailboxId: box.id,
    });
    assert.equal(uid, box.uidnext++);
    const row = (await rowsOf(this.ops, box.id)).find((each) => each.uid === uid);
    assert.ok(row);
    assert.equal(row.flags & Flag.Deleted, 0);
    box.rows.set(uid, { flags: row.flags, keywords: [...row.keywords], email: orphan.emailId });
  }

  /** The store holds what the model holds; remember it under the modseq it has now. */
  async compare(): Promise<void> {
    await this.ops.sound();
    for (const box of this.boxes) {
      const rows = await rowsOf(this.ops, box.id);
      const mailbox = await this.ops.read('mailstore.mailboxById', { mailboxId: box.id });
      assert.ok(mailbox);
      const now = state(box);
      assert.deepEqual(new Map(rows.map((row) => [row.uid, show(row)])), now);
      assert.deepEqual(
        rows.map((row) => row.emailId),
        rows.map((row) => box.rows.get(row.uid)?.email),
      );
      assert.deepEqual([mailbox.messages, mailbox.uidnext], [box.rows.size, box.uidnext]);
      for (const row of rows) {
        const old = box.seen.get(row.uid);
        if (old?.text === show(row))
          assert.equal(row.modseq, old.modseq, 'nothing changed, nor did the modseq');
        else
          assert.ok(row.modseq > box.modseq && row.modseq <= mailbox.modseq, 'what changed has a new modseq');
      }
      box.seen = new Map(rows.map((row) => [row.uid, { text: show(row), modseq: row.modseq }]));
      box.modseq = mailbox.modseq;
      const known = box.past.get(mailbox.modseq);
      if (known !== undefined) assert.deepEqual(now, known, 'it changed without a new modseq');
      box.past.set(mailbox.modseq, now);
    }
  }

  /** From any past state, the changes since lead to the present. */
  async replay(): Promise<void> {
    for (const box of this.boxes) {
      for (const [modseq, past] of box.past) {
        const replayed = new Map(past);
        const changes = await this.ops.read('mailstore.changesSince', { mailboxId: box.id, modseq });
        assert.ok(changes.complete);
        for (const uid of changes.expunged) replayed.delete(uid);
        for (const row of changes.changed) {
          replayed.set(row.uid, show(row));
        }
        assert.deepEqual(new Map([...replayed].toSorted(([a], [b]) => a - b)), state(box));
      }
    }
  }
}

/** Operations of one run. */
const STEPS = 100;

/** Random operations against a model, invariants after each, and every past state brought up to date at the end. */
export function randomisedContract(
  get: () => { ops: Operations; clock: ManualClock },
  seeds: readonly number[],
): void {
  for (const seed of seeds) {
    it(`does as the model does, seed ${seed}`, async () => {
      const { ops, clock } = get();
      const accountId = await newAccount(ops, `model${seed}`);
      const mailboxes = await ops.read('mailstore.mailboxes', { accountId });
      const boxes = mailboxes
        .filter((each) => BOXES.includes(each.name))
        .map(
          (each): Box => ({
            id: each.id,
            rows: new Map(),
            uidnext: 1,
            seen: new Map(),
            modseq: 0,
            past: new Map(),
          }),
        );
      const world = new World(ops, accountId, boxes, seed);
      await world.compare();
      for (let i = 0; i < STEPS; i++) {
        clock.advance(1000);
        await world.step();
        await world.compare();
      }
      await world.replay();
    });
  }
}
