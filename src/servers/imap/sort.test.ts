import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';
import { Intake } from '../../flow/intake.ts';
import type { MessageIntake } from './options.ts';
import { naiveThreads, naiveSubject, type NaiveMessage } from '../../../test/support/naive-threads.ts';

/** A generator of the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let last = seed >>> 0;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 2 ** 32) * below);
  };
}

interface Made extends NaiveMessage {
  readonly from: string;
  readonly to: string;
  readonly size: number;
  readonly text: string;
}

const WORDS = ['plan', 'Plan', 'über', 'Uber', 'zebra', 'straße', 'Ｗｉｄｅ', 'δοκιμή', '会議', ''];
const MARKS = ['', '', '', 'Re: ', 're[2]: ', 'Fwd: ', '[list] ', '[a][b] Re: [c] '];
const NAMES = ['anna', 'Bob', 'carl', 'Dora', 'émile'];

function pick<T>(next: (below: number) => number, from: readonly T[]): T {
  const one = from[next(from.length)];
  assert(one !== undefined);
  return one;
}

function encoded(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?b?${Buffer.from(text).toString('base64')}?=`;
}

/** Mail with few subjects, names and ids, so that there are ties, missing parents, loops and double ids. */
function generated(seed: number, count: number): Made[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, i) => {
    const subject = pick(next, MARKS) + pick(next, WORDS) + (next(5) === 0 ? ' (fwd)' : '');
    const id = next(12) === 0 ? undefined : `m${next(8) === 0 ? next(count) : i}@x`;
    const references = Array.from({ length: next(4) }, () => `m${next(count + 5)}@x`);
    const date = next(10) === 0 ? undefined : Date.UTC(2026, 0, 1 + next(20), next(3));
    const from = pick(next, NAMES);
    const to = pick(next, NAMES);
    const lines = [
      `From: "${encoded(from)} x" <${encoded(from) === from ? from : 'other'}@x.test>`,
      `To: ${to === 'émile' ? 'emile' : to}@x.test`,
      ...(next(20) === 0 ? [] : [`Subject: ${encoded(subject)}`]),
      ...(date === undefined ? [] : [`Date: ${new Date(date).toUTCString().replace('GMT', '+0000')}`]),
      ...(id === undefined ? [] : [`Message-ID: <${id}>`]),
      ...(references.length === 0
        ? []
        : next(3) === 0
          ? [`In-Reply-To: <${references[0]}>`]
          : [`References: ${references.map((each) => `<${each}>`).join(' ')}`]),
      '',
      'x'.repeat(next(40)),
      '',
    ];
    const text = lines.join('\r\n');
    const kept = /^References:/m.test(text) ? references : references.slice(0, 1);
    return {
      uid: i + 1,
      subject: /^Subject:/m.test(text) ? subject : '',
      id,
      references: [...new Set(kept)],
      date: date ?? Date.UTC(2026, 0, 10) + i * 1000,
      arrival: Date.UTC(2026, 0, 10) + i * 1000,
      from: encoded(from) === from ? from : 'other',
      to: to === 'émile' ? 'emile' : to,
      size: text.length,
      text,
    };
  });
}

async function put(c: ImapClient, mail: readonly (Made & { arrival?: number })[]): Promise<void> {
  for (const message of mail) {
    const at = new Date(message.arrival ?? 0);
    const day = String(at.getUTCDate()).padStart(2, ' ');
    await c.ok(
      `APPEND INBOX "${day}-Jan-2026 ${at.toISOString().slice(11, 19)} +0000" `,
      Buffer.from(message.text, 'utf8'),
    );
  }
  await c.ok('SELECT INBOX');
}

async function withServer(run: (server: ImapTestServer) => Promise<void>): Promise<void> {
  const server = await imapTestServer();
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

/** As i;unicode-casemap orders these words, said in another way than the server says it. */
function folded(text: string): Buffer {
  return Buffer.from(
    [...text]
      .map((char) => (char === 'ß' ? char : char.toUpperCase()))
      .join('')
      .normalize('NFKD'),
  );
}

type Order = (a: Made, b: Made) => number;

const ORDERS: Readonly<Record<string, Order>> = {
  SUBJECT: (a, b) => folded(naiveSubject(a.subject).base).compare(folded(naiveSubject(b.subject).base)),
  FROM: (a, b) => folded(a.from).compare(folded(b.from)),
  TO: (a, b) => folded(a.to).compare(folded(b.to)),
  SIZE: (a, b) => a.size - b.size,
  DATE: (a, b) => a.date - b.date,
  ARRIVAL: (a, b) => a.uid - b.uid,
};

test('generated mail is sorted as a plain sort would sort it', () =>
  withServer(async (server) => {
    const mail = generated(7, 150);
    const c = await server.ready();
    await put(c, mail);
    const next = random(99);
    const names = Object.keys(ORDERS);
    for (let round = 0; round < 40; round++) {
      const keys = Array.from({ length: 1 + next(3) }, () => ({
        name: pick(next, names),
        reverse: next(2) === 0,
      }));
      const from = 1 + next(60);
      const expected = mail
        .filter(({ uid }) => uid >= from)
        .toSorted((a, b) => {
          for (const { name, reverse } of keys) {
            const order = ORDERS[name]?.(a, b) ?? 0;
            if (order !== 0) return reverse ? -order : order;
          }
          return a.uid - b.uid;
        });
      const asked = keys.map(({ name, reverse }) => (reverse ? `REVERSE ${name}` : name)).join(' ');
      const [answer] = await c.ok(`UID SORT (${asked}) UTF-8 UID ${from}:*`);
      assert.equal(answer, ['SORT', ...expected.map(({ uid }) => uid)].join(' '), asked);
    }
  }));

test('what arrives later and what goes is sorted right, and so is mail from before there were keys', () =>
  withServer(async (server) => {
    const mail = generated(11, 60);
    const c = await server.ready();
    await put(c, mail.slice(0, 40));
    const bySubject = (some: readonly Made[]): string =>
      [
        'SORT',
        ...some.toSorted((a, b) => (ORDERS.SUBJECT?.(a, b) ?? 0) || a.uid - b.uid).map(({ uid }) => uid),
      ].join(' ');
    assert.deepEqual(await c.ok('UID SORT (SUBJECT) UTF-8 ALL'), [bySubject(mail.slice(0, 40))]);
    await put(c, mail.slice(40));
    assert.deepEqual(await c.ok('UID SORT (SUBJECT) UTF-8 ALL'), [bySubject(mail)]);
    await c.ok('UID STORE 5:20 +FLAGS.SILENT (\\Deleted)');
    await c.ok('EXPUNGE');
    const left = mail.filter(({ uid }) => uid < 5 || uid > 20);
    assert.deepEqual(await c.ok('UID SORT (SUBJECT) UTF-8 ALL'), [bySubject(left)]);
  }));

test('mail that was stored before there were keys is sorted and threaded like the rest', async () => {
  let store: ImapTestServer['store'] | undefined;
  let withKeys = false;
  const server = await imapTestServer({
    intake() {
      assert(store !== undefined);
      const intake = new Intake({ bodies: store.bodies, maxBytes: 100_000 });
      const finish = async (): ReturnType<MessageIntake['finish']> => {
        const taken = await intake.finish();
        const { keys: _, ...content } = taken.content;
        return withKeys ? taken : { ...taken, content };
      };
      return { write: (chunk) => intake.write(chunk), abort: () => intake.abort(), finish };
    },
  });
  try {
    ({ store } = server);
    const mail = generated(23, 80);
    const c = await server.ready();
    await put(c, mail.slice(0, 50));
    withKeys = true;
    await put(c, mail.slice(50, 70));
    assert.deepEqual(await c.ok('UID THREAD REFERENCES UTF-8 ALL'), [
      `THREAD ${naiveThreads(mail.slice(0, 70), 'REFERENCES')}`,
    ]);
    withKeys = false;
    await put(c, mail.slice(70));
    assert.deepEqual(await c.ok('UID THREAD REFERENCES UTF-8 ALL'), [
      `THREAD ${naiveThreads(mail, 'REFERENCES')}`,
    ]);
    const left = await server.store.read.run('mailstore.withoutKeys', { mailboxId: 1, after: 0, limit: 10 });
    assert.deepEqual(left, []);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});

test('generated mail is threaded as RFC 5256 says, step by step', () =>
  withServer(async (server) => {
    for (const [box, seed] of [
      ['one', 1],
      ['two', 2],
      ['three', 3],
      ['four', 4],
    ] as const) {
      const mail = generated(seed * 31, 60);
      const c = await server.ready();
      await c.ok(`CREATE ${box}`);
      for (const { text, arrival } of mail) {
        const at = new Date(arrival ?? 0);
        await c.ok(
          `APPEND ${box} "${String(at.getUTCDate()).padStart(2, ' ')}-Jan-2026 ${at.toISOString().slice(11, 19)} +0000" `,
          Buffer.from(text, 'utf8'),
        );
      }
      await c.ok(`SELECT ${box}`);
      for (const from of [1, 15, 40]) {
        const some = mail.filter(({ uid }) => uid >= from);
        for (const algorithm of ['REFERENCES', 'ORDEREDSUBJECT'] as const) {
          const [answer] = await c.ok(`UID THREAD ${algorithm} UTF-8 UID ${from}:*`);
          assert.equal(answer, `THREAD ${naiveThreads(some, algorithm)}`, `${box} from ${from}`);
        }
      }
      c.close();
    }
  }));
