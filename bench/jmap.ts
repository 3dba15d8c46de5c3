/**
 * JMAP over a large account: `node bench/jmap.ts [--messages N] [--rounds N]`. A whole server in this process, over HTTP; one
 * account with N messages in threads of three, a tenth with a keyword, 3,000 correspondents. Prints lines of JSON: what each
 * call took in milliseconds, the first time and then the median and slowest of some rounds, the HTTP round trip included.
 * Texts are asked for once the search index has taken everything in.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { inlineBlob, parsedContent } from '../src/flow/intake.ts';
import { scanMessage } from '../src/mail/message/scanner.ts';
import { jmapClient, mailboxes } from '../test/jmap/client.ts';
import { startTestServer } from '../test/support/server.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '15' },
  },
});
const count = Number(values.messages);
const rounds = Number(values.rounds);
const WORDS = ['report', 'invoice', 'holiday', 'meeting', 'garden', 'release', 'budget', 'letter'];

function message(n: number): Buffer {
  const first = n - (n % 3);
  const reply =
    n === first ? '' : `In-Reply-To: <${first}@bench.test>\r\nReferences: <${first}@bench.test>\r\n`;
  const word = WORDS[first % WORDS.length];
  return Buffer.from(
    `From: Person ${n % 3000} <person${n % 3000}@bench.test>\r\nTo: bob@example.test\r\nSubject: ${n === first ? '' : 'Re: '}The ${word} of ${first}\r\nMessage-ID: <${n}@bench.test>\r\n${reply}Date: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nAbout the ${word}: there is more to say, as ${WORDS[n % 7]} number ${n} shows.\r\n`,
  );
}

function say(fields: object): void {
  console.log(JSON.stringify(fields));
}

const server = await startTestServer({ accounts: ['bob@example.test'] });
const { id: accountId } = await server.account('bob@example.test');
const inbox = await server.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
const mailboxId = inbox?.id ?? 0;
const filled = systemClock.monotonic();
const base = Date.UTC(2024, 0, 1);
for (let at = 0; at < count; at += 100) {
  const work = Array.from({ length: Math.min(100, count - at) }, (_, i) => {
    const octets = message(at + i);
    const structure = scanMessage(octets);
    const content = parsedContent(structure, octets.subarray(0, structure.root.bodyStart));
    const deposit = {
      accountId,
      mailbox: { id: mailboxId },
      prefix: Buffer.alloc(0),
      hidden: [],
      set: { flags: (at + i) % 2, keywords: (at + i) % 10 === 0 ? ['work'] : [] },
      receivedAt: base + (at + i) * 1000,
      trace: undefined,
      ignoreQuota: true,
    } as const;
    const blob = inlineBlob(octets);
    return server.store.write.run('mailstore.append', { accountId, mailboxId, blob, content, deposit });
  });
  await Promise.all(work);
}
say({ what: 'stored', messages: count, seconds: Math.round((systemClock.monotonic() - filled) / 1000) });

const bob = await jmapClient(server, 'bob@example.test');
const box = await mailboxes(bob);
const inMailbox = box['inbox'] ?? '';
const newest = [{ property: 'receivedAt', isAscending: false }];
const LIST = [
  'id',
  'threadId',
  'mailboxIds',
  'keywords',
  'hasAttachment',
  'from',
  'to',
  'subject',
  'receivedAt',
  'size',
  'preview',
];
type Call = readonly [string, Record<string, unknown>];
const query = (filter: object | null, more: object = {}): Call => [
  'Email/query',
  { filter, sort: newest, limit: 50, collapseThreads: true, ...more },
];

async function measure(what: string, calls: readonly Call[], times = rounds): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i <= times; i++) {
    const start = systemClock.monotonic();
    const answers = await bob.calls(
      ...calls.map(([name, args]) => [name, { accountId: bob.accountId, ...args }] as const),
    );
    took.push(systemClock.monotonic() - start);
    const failed = answers.find(([name]) => name === 'error');
    if (failed !== undefined) throw new Error(`${what}: ${JSON.stringify(failed)}`);
  }
  const [first = 0, ...rest] = took;
  rest.sort((a, b) => a - b);
  const tenth = (ms: number): number => Math.round(ms * 10) / 10;
  say({
    what,
    first: tenth(first),
    median: tenth(rest[rest.length >> 1] ?? 0),
    slowest: tenth(rest.at(-1) ?? 0),
  });
}

await measure('Core/echo (the round trip itself)', [['Core/echo', {}]]);
await measure('Mailbox/get', [['Mailbox/get', { ids: null }]]);
await measure('inbox, newest 50, threads collapsed', [query({ inMailbox })]);
await measure('the same with the total', [query({ inMailbox }, { calculateTotal: true })]);
await measure('position 50,000 (a half)', [query({ inMailbox }, { position: Math.floor(count / 6) })]);
await measure('position 50,000, not collapsed', [
  query({ inMailbox }, { position: Math.floor(count / 2), collapseThreads: false }),
]);
await measure('keyword', [query({ inMailbox, hasKeyword: 'work' })]);
await measure('unread', [query({ inMailbox, notKeyword: '$seen' })]);
await measure('unread, with the total', [
  query({ inMailbox, notKeyword: '$seen' }, { calculateTotal: true }),
]);
await measure('sorted by subject', [query({ inMailbox }, { sort: [{ property: 'subject' }] })]);
await measure('sorted by size', [query({ inMailbox }, { sort: [{ property: 'size' }] })]);
const list = { '#ids': { resultOf: '0', name: 'Email/query', path: '/ids' }, properties: LIST };
await measure('query and Email/get of 50 for a list', [query({ inMailbox }), ['Email/get', list]]);
const { queryState } = await bob.call('Email/query', {
  filter: { inMailbox },
  sort: newest,
  collapseThreads: true,
  limit: 1,
});
await bob.call('Email/set', {
  update: {
    [(await bob.call('Email/query', { limit: 1, sort: newest }))['ids'][0]]: { 'keywords/$flagged': true },
  },
});
await measure('queryChanges after one change', [
  [
    'Email/queryChanges',
    { filter: { inMailbox }, sort: newest, collapseThreads: true, sinceQueryState: queryState },
  ],
]);
// What the index has not yet is read: once that is nothing, a search is quick.
const waitFrom = systemClock.monotonic();
for (let took = Number.POSITIVE_INFINITY; took > 100 && systemClock.monotonic() - waitFrom < 240_000; ) {
  await systemClock.sleep(2000);
  const start = systemClock.monotonic();
  await bob.calls([
    'Email/query',
    { accountId: bob.accountId, filter: { subject: `of ${count - (count % 3) - 3}` } },
  ]);
  took = systemClock.monotonic() - start;
}
say({
  what: 'waited for the search index',
  seconds: Math.round((systemClock.monotonic() - waitFrom) / 1000),
});
await measure('from', [query({ inMailbox, from: 'person17@bench.test' })]);
await measure('text: a word in an eighth of all', [query({ inMailbox, text: 'invoice' })]);
await measure('text: two words', [query({ inMailbox, text: 'invoice garden' })]);
await measure('subject, with the total', [
  query({ inMailbox, subject: 'holiday' }, { calculateTotal: true }),
]);
await server.close();
