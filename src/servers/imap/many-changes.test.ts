import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imapTestServer } from '../../../test/support/imap-server.ts';

const MESSAGES = 20_000;

test('20,000 messages flagged and some expunged at once: each session is told of all of it, in order', async () => {
  const server = await imapTestServer();
  try {
    const writer = await server.ready();
    for (let n = 1; n <= 20; n++) await writer.append('INBOX', `Subject: ${n}\r\n\r\nx\r\n`);
    await writer.ok('SELECT INBOX');
    for (let count = 20; count < MESSAGES; ) {
      const more = Math.min(count, MESSAGES - count);
      await writer.ok(`COPY 1:${more} INBOX`);
      count += more;
    }
    const idle = await server.ready('INBOX');
    const later = await server.ready('INBOX');
    const plain = await server.ready('INBOX');
    await plain.ok('ENABLE QRESYNC');
    idle.send('i IDLE\r\n');
    await idle.next(/^\+ /);

    await writer.ok('STORE 1:* +FLAGS.SILENT (\\Flagged)');
    await writer.ok('STORE 2:3,10000:10999 +FLAGS.SILENT (\\Deleted)');
    await writer.ok('EXPUNGE');
    await writer.append('INBOX', 'Subject: last\r\n\r\nx\r\n');

    const left = MESSAGES - 1002;
    for (const client of [later, plain]) {
      const model = new Model(MESSAGES);
      for (const line of await client.ok('NOOP')) model.take(`* ${line}`);
      model.check(left + 1);
    }
    const model = new Model(MESSAGES);
    while (!model.complete(left + 1)) model.take(await idle.next(/^\* /));
    model.check(left + 1);
    idle.send('DONE\r\n');
    while (!(await idle.next(/./)).startsWith('i OK ')) continue;
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});

/** What a client knows of a mailbox whose UIDs were 1 to n; UID 1 stays, 2 and 3 and a thousand in the middle go. */
class Model {
  #uids: number[];
  #flagged = new Set<number>();

  constructor(count: number) {
    this.#uids = Array.from({ length: count }, (_, at) => at + 1);
  }

  take(line: string): void {
    const match = /^\* (?:(\d+) (EXPUNGE|EXISTS|RECENT|FETCH)|VANISHED (\S+))(.*)$/.exec(line);
    assert.ok(match, line);
    const [, number, word, vanished, rest = ''] = match;
    const n = Number(number);
    if (vanished !== undefined) {
      const gone = new Set<number>();
      for (const range of vanished.split(',')) {
        const [from = '', to = from] = range.split(':');
        for (let uid = Number(from); uid <= Number(to); uid++) gone.add(uid);
      }
      this.#uids = this.#uids.filter((uid) => !gone.has(uid));
    } else if (word === 'EXPUNGE') {
      assert.ok(n >= 1 && n <= this.#uids.length, line);
      this.#uids.splice(n - 1, 1);
    } else if (word === 'EXISTS') {
      assert.ok(n >= this.#uids.length, line);
      while (this.#uids.length < n) this.#uids.push((this.#uids.at(-1) ?? 0) + 1);
    } else if (word === 'FETCH') {
      const uid = this.#uids[n - 1];
      assert.ok(uid !== undefined, line);
      const told = /UID (\d+)/.exec(rest)?.[1];
      if (told !== undefined) assert.equal(Number(told), uid, line);
      if (rest.includes('\\Flagged')) this.#flagged.add(uid);
    }
  }

  complete(count: number): boolean {
    return (
      this.#uids.length === count &&
      this.#uids.at(-1) === MESSAGES + 1 &&
      this.#uids.slice(0, -1).every((uid) => this.#flagged.has(uid))
    );
  }

  check(count: number): void {
    assert.equal(this.#uids.length, count);
    assert.deepEqual(this.#uids.slice(0, 2), [1, 4]);
    assert.ok(!this.#uids.includes(10_500));
    assert.deepEqual(
      this.#uids.slice(0, -1).filter((uid) => !this.#flagged.has(uid)),
      [],
    );
  }
}
