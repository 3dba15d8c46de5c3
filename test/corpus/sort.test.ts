import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Dovecot, DOVECOT_PASSWORD, startDovecot } from '../import/dovecot.ts';
import { type CorpusMessage, corpusMessages, skipWithoutCorpus } from '../support/corpus.ts';
import { imapClient, type ImapClient } from '../support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../support/imap-server.ts';
import { skipUnlessRoot, skipWithout } from '../support/programs.ts';

/** SORT and THREAD of real mail: the order and the threads that Dovecot gives. */

/** Of the corpus, one message in so many. */
const STEP = 40;
/** And so many in a row, for they answer each other. */
const ROW = 150;
const KEYS = [
  'SUBJECT',
  'FROM',
  'TO',
  'CC',
  'DATE',
  'ARRIVAL',
  'SIZE',
  'DISPLAYFROM',
  'DISPLAYTO',
  'SUBJECT DATE',
  'REVERSE SUBJECT DATE',
  'REVERSE DATE REVERSE FROM',
];

/** Fields by which a message is sorted, as they stand in it. */
function fields({ octets }: CorpusMessage): string[] {
  const header = octets.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  return header.split(/\r\n(?![ \t])/).filter((line) => /^(subject|from|to|cc|date):/i.test(line));
}

/**
 * Where we mean to differ. Octets over 127 without a charset: we guess one, Dovecot puts U+FFFD for them. A field that
 * comes twice: we take the last one, as ENVELOPE does, Dovecot's SORT the first. Display names and addresses that begin
 * with an empty string in quotes: we drop the blank behind it, Dovecot sorts by it. Dates in zones that there are not.
 */
function odd(message: CorpusMessage): boolean {
  const found = fields(message);
  const names = found.map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
  return (
    found.some((line) => /[^\0-\x7f]/.test(line) || /^(from|to|cc):\s*""/i.test(line)) ||
    new Set(names).size < names.length ||
    found.some((line) => /^date:/i.test(line) && !/ [+-](0\d|1[0-4])[0-5]\d( \([^)]*\))?\s*$/.test(line))
  );
}

describe('sorting and threading the corpus', {
  skip: skipWithoutCorpus() || skipUnlessRoot() || skipWithout('dovecot'),
}, () => {
  let dovecot: Dovecot;
  let server: ImapTestServer;
  let ours: ImapClient;
  let theirs: ImapClient;
  let mail: readonly CorpusMessage[];
  let plain: ReadonlySet<number>;

  before(async () => {
    dovecot = await startDovecot(['sorter']);
    server = await imapTestServer();
    ours = await server.ready();
    theirs = await imapClient(dovecot.port);
    await theirs.next(/^\* OK /);
    await theirs.ok(`LOGIN sorter "${DOVECOT_PASSWORD}"`);
    mail = corpusMessages('mail').filter(
      (message, i) => (i < ROW || i % STEP === 0) && !message.octets.includes(0),
    );
    plain = new Set([...mail.keys()].filter((i) => mail[i] && !odd(mail[i])).map((i) => i + 1));
    for (const [i, { octets }] of mail.entries()) {
      const at = new Date(Date.UTC(2026, 0, 1) + i * 61_000).toISOString();
      const date = `" 1-Jan-2026 ${at.slice(11, 19)} +0000"`;
      await Promise.all([ours, theirs].map((client) => client.ok(`APPEND INBOX ${date} `, octets)));
    }
    for (const client of [ours, theirs]) await client.ok('SELECT INBOX');
  });
  after(async () => {
    theirs?.close();
    await server?.close();
    await dovecot?.stop();
  });

  const ask = async (client: ImapClient, command: string): Promise<string> => {
    const word = command.split(' ')[0] ?? '';
    return (await client.ok(command)).find((line) => line.startsWith(word)) ?? '';
  };

  it('sorts by each key as Dovecot does', async (t) => {
    for (const key of KEYS) {
      const command = `SORT (${key}) UTF-8 ALL`;
      const [a, b] = await Promise.all([ours, theirs].map((client) => ask(client, command)));
      const common = (text = ''): number[] =>
        text
          .split(' ')
          .slice(1)
          .map(Number)
          .filter((number) => plain.has(number));
      assert.deepEqual(common(a), common(b), key);
    }
    t.diagnostic(`report: ${plain.size} of ${mail.length} messages in one order by ${KEYS.length} keys`);
  });

  it('finds the threads that Dovecot finds', async (t) => {
    for (const algorithm of ['REFERENCES', 'ORDEREDSUBJECT']) {
      const command = `THREAD ${algorithm} UTF-8 ALL`;
      const [a, b] = await Promise.all([ours, theirs].map((client) => ask(client, command)));
      const [mine, others] = [threads(a), threads(b)];
      // Dates in odd zones put some threads into other places.
      assert.deepEqual(mine.toSorted(), others.toSorted());
      t.diagnostic(`report: ${algorithm}: ${mine.length} threads, all as in Dovecot`);
    }
  });
});

/** The top-level lists of a THREAD response. */
function threads(text = ''): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(' && depth++ === 0) start = at;
    if (text[at] === ')' && --depth === 0) found.push(text.slice(start, at + 1));
  }
  return found;
}
