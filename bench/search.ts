/**
 * The search index: `node bench/search.ts [--messages N] [--keep DIRECTORY]`. One account with N synthetic messages:
 * words by a Zipf law from a vocabulary of 200,000, headers as mail has them today (two Received with ids of their own,
 * a DKIM signature, a Message-ID), a fifth with HTML beside the text, one in twenty in Chinese. Prints lines of JSON:
 * how fast mail is stored without and with the index, how fast it is indexed, its size, memory, and what searches
 * take: in the index, and as UID SEARCH of an IMAP client of a server in this process (median and slowest of five).
 * `--keep` leaves the data there and takes it up again the next time.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { limits } from '../src/base/limits.ts';
import { createLogger } from '../src/base/log.ts';
import { openStore } from '../src/data/open.ts';
import { mailSearch } from '../src/data/search/mail-search.ts';
import { openSearch } from '../src/data/search/open.ts';
import { Intake, inlineBlob, parsedContent } from '../src/flow/intake.ts';
import { scanMessage } from '../src/mail/message/scanner.ts';
import { createImapServer } from '../src/servers/imap/server.ts';
import { fakeAuthenticator } from '../test/support/fake-mail-service.ts';
import { testTls } from '../test/support/smtp-server.ts';

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '100000' }, keep: { type: 'string' } },
});
const count = Number(values.messages);
const directory = values.keep ?? (await mkdtemp(join(tmpdir(), 'postern-bench-search-')));
const fresh = !existsSync(join(directory, 'mail.db'));

/** The same numbers in each run. */
let state = 42;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
function below(n: number): number {
  return Math.floor(random() * n);
}

const VOWELS = 'aeiou';
const CONSONANTS = 'bcdfghklmnprstvw';
const vocabulary = Array.from({ length: 200_000 }, (_, rank) => {
  const syllables = 1 + Math.min(4, Math.floor(Math.log10(rank + 1)));
  let word = '';
  for (let i = 0; i < syllables; i++)
    word +=
      (CONSONANTS[below(16)] ?? '') +
      (VOWELS[below(5)] ?? '') +
      (random() < 0.4 ? (CONSONANTS[below(16)] ?? '') : '');
  return random() < 0.02 ? `${word}é` : word;
});
/** The rank of a word by a Zipf law. */
function zipf(n: number): number {
  return Math.min(n - 1, Math.floor(Math.exp(random() * Math.log(n))) - 1);
}
const word = (): string => vocabulary[zipf(vocabulary.length)] ?? '';
const ideograph = (): string => String.fromCodePoint(0x4e00 + zipf(6000));
const id = (length: number): string =>
  Array.from(
    { length },
    () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[below(64)],
  ).join('');
const people = Array.from(
  { length: 3000 },
  () => `${word()}.${vocabulary[below(50_000)]}@${vocabulary[below(2000)]}.example`,
);
const person = (): string => people[zipf(people.length)] ?? '';

function sentence(): string {
  const words = Array.from({ length: 6 + below(14) }, word);
  return `${words.join(' ')}${'.,?!'[below(4)]}`;
}

function text(): string {
  const lines = Array.from({ length: 4 + below(24) }, sentence);
  if (random() < 0.6) lines.push('Kind regards,', word());
  return lines.join('\r\n');
}

function message(number: number): Buffer {
  const from = person();
  const chinese = random() < 0.05;
  const subject = chinese
    ? `=?utf-8?b?${Buffer.from(Array.from({ length: 12 }, ideograph).join('')).toString('base64')}?=`
    : `${random() < 0.5 ? 'Re: ' : ''}${Array.from({ length: 3 + below(5) }, word).join(' ')}`;
  const body = chinese
    ? Array.from({ length: 200 + below(600) }, (_, at) => (at % 25 === 24 ? '。\r\n' : ideograph())).join('')
    : text();
  const head = [
    `Received: from ${from.split('@')[1]} (mx [192.0.2.${below(256)}]) by mx.example.org with ESMTPS id ${id(12)}; Mon, ${1 + below(28)} Jan 2026 10:${10 + below(50)}:00 +0000`,
    `Received: by ${from.split('@')[1]} with SMTP id ${id(14)}; Mon, ${1 + below(28)} Jan 2026 09:${10 + below(50)}:00 +0000`,
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${from.split('@')[1]}; s=s1; h=from:to:subject:date; bh=${id(43)}=; b=${id(344)}`,
    `From: ${word()} ${word()} <${from}>`,
    `To: <alice@example.test>${random() < 0.3 ? `, <${person()}>` : ''}`,
    `Subject: ${subject}`,
    `Message-ID: <${id(20)}.${number}@${from.split('@')[1]}>`,
    `Date: Mon, ${1 + below(28)} Jan 2026 09:00:00 +0000`,
    'MIME-Version: 1.0',
  ];
  const plain = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${body}\r\n`;
  if (random() >= 0.2) return Buffer.from(`${head.join('\r\n')}\r\n${plain}`);
  const boundary = id(16).replaceAll(/[+/]/g, 'x');
  const html = body
    .split('\r\n')
    .map((line) => `<p style="margin:0">${line}</p><br/>`)
    .join('\r\n');
  return Buffer.from(
    `${head.join('\r\n')}\r\nContent-Type: multipart/alternative; boundary=${boundary}\r\n\r\n--${boundary}\r\n${plain}--${boundary}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n${html}</body></html>\r\n--${boundary}--\r\n`,
  );
}

function say(fields: object): void {
  console.log(JSON.stringify(fields));
}

async function sizeOf(path: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return sum;
}

/** Wait until no segments have been merged for a while: searches are measured when the index has nothing to do. */
async function merged(index: ReturnType<typeof openSearch>): Promise<void> {
  for (let before = -1, still = 0; still < 30; still++) {
    const [one] = await index.states([accountId]);
    if (one?.segments !== before) still = 0;
    before = one?.segments ?? 0;
    await clock.sleep(1000);
  }
}

const clock = systemClock;
const logger = createLogger({ level: 'warn', pretty: true });
const store = await openStore({ directory, clock, logger });
const data = { database: { kind: 'sqlite', path: join(directory, 'mail.db') }, data: directory } as const;
const actor = { name: 'system', role: 'system', domainId: undefined } as const;
if (fresh) {
  await store.write.run('directory.addDomain', { actor, name: 'example.test' });
  const account = {
    actor,
    address: 'alice@example.test',
    displayName: 'Alice',
    role: 'admin',
    quota: 0,
    hash: 'none',
    scram: null,
  } as const;
  await store.write.run('directory.addAccount', account);
}
const accountId = 1;
const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
const mailboxId = inbox?.id ?? 0;
let mailBytes = 0;

async function put(from: number, to: number): Promise<number> {
  const messages = Array.from({ length: to - from }, (_, at) => message(from + at));
  const inputs = messages.map((octets) => {
    mailBytes += octets.length;
    const structure = scanMessage(octets);
    const content = parsedContent(structure, octets.subarray(0, structure.root.bodyStart));
    const deposit = {
      accountId,
      mailbox: { id: mailboxId },
      prefix: Buffer.alloc(0),
      hidden: [],
      set: { flags: 0, keywords: [] },
      receivedAt: clock.now(),
      trace: undefined,
      ignoreQuota: true,
    } as const;
    return { accountId, mailboxId, blob: inlineBlob(octets), content, deposit };
  });
  const start = clock.monotonic();
  for (let at = 0; at < inputs.length; at += 50)
    await Promise.all(inputs.slice(at, at + 50).map((input) => store.write.run('mailstore.append', input)));
  return clock.monotonic() - start;
}

const start = clock.monotonic();
let search: ReturnType<typeof openSearch> | undefined;
if (fresh) {
  const probe = Math.min(4000, Math.floor(count / 10));
  await put(0, probe);
  const without = await put(probe, 2 * probe);
  for (let at = 2 * probe; at < count - probe; at += 2000) await put(at, Math.min(at + 2000, count - probe));
  const opened = clock.monotonic();
  search = openSearch({ ...data, changes: store.changes, clock, logger });
  // The thread begins five seconds after its start.
  await clock.sleep(6000);
  const during = await put(count - probe, count);
  say({
    what: 'stored, messages a second',
    without: Math.round((probe / without) * 1000),
    whileIndexing: Math.round((probe / during) * 1000),
  });
  for (;;) {
    const [one] = await search.states([accountId]);
    if (one !== undefined && one.emails >= count) break;
    await clock.sleep(100);
  }
  const seconds = (clock.monotonic() - opened - 5000) / 1000;
  say({
    what: 'indexed',
    messages: count,
    seconds: Math.round(seconds),
    aSecond: Math.round(count / seconds),
  });
} else {
  search = openSearch({ ...data, changes: store.changes, clock, logger });
  for (let at = 0; at < 3000; at++) message(at);
}
await merged(search);
const [own] = await search.states([accountId]);
say({
  what: 'size',
  mailBytes,
  index: await sizeOf(join(directory, 'search')),
  database: (await stat(join(directory, 'mail.db'))).size,
  ...own,
});

const server = await createImapServer({
  store,
  search: mailSearch(search, store.read),
  authenticator: await fakeAuthenticator(),
  intake: () => new Intake({ bodies: store.bodies, maxBytes: limits.messageBytes }),
  hostname: 'mail.example.test',
  clock,
  logger,
  tls: testTls(),
  requireTlsForLogin: false,
  target: { address: '127.0.0.1', port: 0 },
  maxTotal: 10,
  maxPerAddress: 0,
  limits,
});

const socket = connect(server.port, '127.0.0.1');
let received = '';
let wake: (() => void) | undefined;
socket.on('data', (octets) => {
  received += octets.toString('latin1');
  wake?.();
});
let tag = 0;
async function command(line: string | Buffer): Promise<string> {
  const name = `T${++tag}`;
  received = '';
  socket.write(Buffer.concat([Buffer.from(`${name} `), Buffer.from(line), Buffer.from('\r\n')]));
  for (;;) {
    const at = received.indexOf(`${name} `);
    if (at !== -1 && received.includes('\r\n', at)) return received;
    await new Promise<void>((resolve) => (wake = resolve));
  }
}
await command('LOGIN alice@example.test postern');
await command('SELECT INBOX');

const rare = vocabulary[150_000] ?? '';
const middling = vocabulary[5000] ?? '';
const common = vocabulary[3] ?? '';
const CJK = String.fromCodePoint(0x4e00 + 40, 0x4e00 + 3);
const queries: [string, string][] = [
  ['TEXT rare', `TEXT ${rare}`],
  ['TEXT middling', `TEXT ${middling}`],
  ['TEXT common', `TEXT ${common}`],
  ['TEXT none', 'TEXT qqqzzzqqq'],
  ['TEXT two letters', 'TEXT qu'],
  ['TEXT one letter', 'TEXT e'],
  ['BODY rare', `BODY ${rare}`],
  ['BODY middling', `BODY ${middling}`],
  ['BODY common', `BODY ${common}`],
  ['BODY two letters', 'BODY zz'],
  ['SUBJECT rare', `SUBJECT ${rare}`],
  ['SUBJECT common', `SUBJECT ${common}`],
  ['FROM address', `FROM ${people[700]}`],
  ['FROM common', `FROM ${people[0]}`],
  ['FROM domain', 'FROM .example'],
  ['HEADER Message-ID rare', 'HEADER Message-ID zq'],
  ['HEADER DKIM-Signature common', 'HEADER DKIM-Signature relaxed/relaxed'],
  ['BODY common phrase', 'BODY "Kind regards"'],
  ['TEXT common phrase', 'TEXT "kind regards,"'],
  ['BODY common words', `BODY "${vocabulary[0]} ${vocabulary[1]}"`],
  ['BODY rare phrase', `BODY "${middling} ${vocabulary[2]}"`],
  ['BODY separators', 'BODY ". "'],
  ['CJK two', `CHARSET UTF-8 BODY "${CJK}"`],
  ['CJK one', `CHARSET UTF-8 TEXT "${CJK.slice(0, 1)}"`],
  ['accent', `CHARSET UTF-8 BODY "é"`],
  ['NOT, OR', `OR SUBJECT ${middling} NOT BODY ${common}`],
  ['UNSEEN TEXT', `UNSEEN TEXT ${middling}`],
];
for (const [what, query] of queries) {
  const times: number[] = [];
  let found = 0;
  for (let run = 0; run < 5; run++) {
    const began = clock.monotonic();
    const answer = await command(`UID SEARCH ${query}`);
    times.push(clock.monotonic() - began);
    found = (answer.split('\r\n', 1)[0] ?? '').split(' ').length - 2;
  }
  const [first = 0] = times;
  const sorted = times.toSorted((a, b) => a - b);
  say({
    what,
    found,
    first: Math.round(first),
    median: Math.round(sorted[2] ?? 0),
    slowest: Math.round(sorted[4] ?? 0),
  });
}
const { rss } = process.memoryUsage();
say({
  what: 'memory of the process (MB)',
  rss: Math.round(rss / 1e6),
  seconds: Math.round((clock.monotonic() - start) / 1000),
});
socket.destroy();
await server.drain(100);
await search.close();
await store.close();
if (values.keep === undefined) await rm(directory, { recursive: true, force: true });
