import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { corpusMessages, skipWithoutCorpus } from '../../../../test/support/corpus.ts';
import { AccountIndex } from '../../../data/search/account-index.ts';
import { createPartCache } from '../../../data/search/cache.ts';
import { readEmail, SegmentBuilder } from '../../../data/search/segment-builder.ts';
import { textSource } from '../../../data/search/source.ts';
import type { SearchField, SearchQuery } from '../../../data/search/types.ts';
import type { ContentRef, MessageRow } from '../../../data/mailstore/types.ts';
import type { BlobReader } from '../../../data/store.ts';
import { scanMessage } from '../../../mail/message/scanner.ts';
import { serializeStructure } from '../../../mail/message/serialize.ts';
import { fold, needleOf } from '../../../mail/search/fold.ts';
import { bodyTexts, fieldText, messageHeader } from '../../../mail/search/text.ts';
import { createTurns } from '../turns.ts';
import { messageText } from './text.ts';

/** What the index answers is what a scan of the messages gives. */

const directory = mkdtempSync(join(tmpdir(), 'postern-search-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let made = 0;

/** Messages as the store has them; the id of each is its place and one. */
interface Mail {
  readonly messages: readonly Buffer[];
  readonly refs: readonly ContentRef[];
  readonly blobs: BlobReader;
}

function mailOf(messages: readonly Buffer[]): Mail {
  const refs = messages.map((octets, at) => ({
    emailId: at + 1,
    blobId: at + 1,
    prefix: Buffer.from('Return-Path: <prefix@example.test>\r\n'),
    hidden: [],
    structure: serializeStructure(scanMessage(octets)),
    blobSize: octets.length,
  }));
  const bytes = (id: number, start?: number, end?: number): Buffer =>
    (messages[id - 1] ?? Buffer.alloc(0)).subarray(start, end);
  return {
    messages,
    refs,
    blobs: {
      async *read(id, start, end) {
        const all = bytes(id, start, end);
        for (let at = 0; at < all.length; at += 700) yield all.subarray(at, at + 700);
      },
      bytes: (id, start, end) => Promise.resolve(bytes(id, start, end)),
    },
  };
}

/** An index with segments of `sizes` emails, merged where that is due. */
async function indexOf(
  mail: Mail,
  sizes: readonly number[],
  alive: (id: number) => boolean,
): Promise<AccountIndex> {
  const index = new AccountIndex({
    accountId: 1,
    directory: join(directory, String(++made)),
    cache: createPartCache(1000),
  });
  let at = 0;
  for (const size of [...sizes, mail.refs.length]) {
    const builder = new SegmentBuilder();
    for (const ref of mail.refs.slice(at, at + size)) {
      builder.add(ref.emailId, await readEmail(textSource(mail.blobs, ref)));
    }
    at = Math.min(at + size, mail.refs.length);
    await index.append(builder, at, at, () => Promise.resolve());
  }
  while (
    await index.merge(
      () => Promise.resolve(alive),
      () => Promise.resolve(),
    )
  );
  return index;
}

async function scan(mail: Mail, field: SearchField, text: string): Promise<number[]> {
  const found: number[] = [];
  const needle = needleOf(text);
  for (const content of mail.refs) {
    const message = messageText(mail.blobs, { content } as unknown as MessageRow, createTurns());
    const is =
      typeof field === 'object'
        ? await message.inField(field.header, needle)
        : needle.text === '' ||
          (field === 'text' && (await message.inHeader(needle))) ||
          (await message.inBody(needle));
    if (is) found.push(content.emailId);
  }
  return found;
}

/** All texts of a message, folded: needles are cut out of them. */
async function textsOf(mail: Mail, ref: ContentRef): Promise<string[]> {
  const source = textSource(mail.blobs, ref);
  const texts: string[] = [];
  const header = await messageHeader(source, () => undefined);
  for (const field of header.fields) texts.push(`${field.name}: ${fieldText(header, field)}`);
  let part = '';
  for await (const each of bodyTexts(source, () => undefined)) {
    if (each.kind === 'field') texts.push(`${each.name}: ${each.value}`);
    else if (each.kind === 'text') part += each.text;
    else {
      texts.push(part);
      part = '';
    }
  }
  texts.push(part);
  return texts.filter((text) => text !== '');
}

async function same(mail: Mail, index: AccountIndex, field: SearchField, needle: string): Promise<void> {
  const text = fold(needle);
  const { ids, open } = index.find({ kind: 'has', field, text });
  const scanned = await scan(mail, field, text);
  const unknown = new Set(open);
  assert.deepEqual(
    [...ids],
    scanned.filter((id) => !unknown.has(id)),
    `${JSON.stringify(field)} ${JSON.stringify(needle)}`,
  );
}

const FIELDS: readonly SearchField[] = [
  'text',
  'body',
  { header: 'from' },
  { header: 'to' },
  { header: 'subject' },
  { header: 'x-tag' },
  { header: 'received' },
  { header: 'content-type' },
];

const WORDS = [
  'the',
  'a',
  'an',
  'then',
  'other',
  'mother',
  'Ring',
  'string',
  'strings',
  'kind',
  'regards',
  'mankind',
  'x',

  'Grüße',
  'café',
  'cafe\u0301',
  'Straße',
  'ΟΔΟΣ',
  'οδός',
  'привет',
  'мир',
  'Ⅷ',
  'ﬁn',
  'ｆｕｌｌ',
  'İstanbul',

  '漢字',
  '漢',
  '日本語のメール',
  'メール',
  '한글',
  '텍스트',
  'สวัสดีครับ',
  'מוזס',
  '😀',
  '😀😀',
  'a😀b',
  '\u0301',

  'bob@example.test',
  'alice@mail.example.test',
  '<b>',
  '</td>',
  '--',
  '---',
  '...',
  '=',
  'a_b',
  "don't",
  '1.5',
  '0',

  'x-tag',
  'subject',
  'x'.repeat(300),
  'from:',
  '\t',
  '\r\n',
  '\r\n ',
  '  ',
  '\u00a0',
  '\u3000',
  '\ufffd',
  '\0',
];

const word = fc.constantFrom(...WORDS);
const phrase = fc
  .array(fc.tuple(word, fc.constantFrom(' ', ' ', ' ', '', '  ', ', ', '. ', '\r\n', '-', '\t')), {
    minLength: 1,
    maxLength: 14,
  })
  .map((pairs) => pairs.flat().join(''));

function encodedWord(text: string): string {
  return `=?utf-8?b?${Buffer.from(text).toString('base64')}?=`;
}

function lineOf(text: string): string {
  return text.replaceAll(/[\r\n\0]/g, ' ').trim();
}

const headerText = fc
  .tuple(phrase, fc.boolean())
  .map(([text, raw]) => (raw ? lineOf(text) : encodedWord(lineOf(text))));

const bodyPart = fc
  .tuple(
    phrase,
    fc.constantFrom(
      'utf-8 base64',
      'utf-8 8bit',
      'utf-16le base64',
      'iso-8859-1 quoted-printable',
      'gb18030 7bit',
      'html',
      'pdf',
    ),
  )
  .map(([text, kind]) => {
    if (kind === 'html')
      return `Content-Type: text/html; charset=utf-8\r\n\r\n<p class="x">${text}</p><br>\r\n`;
    if (kind === 'pdf')
      return `Content-Type: application/pdf; name="a ${lineOf(text).slice(0, 20)}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(text).toString('base64')}\r\n`;
    const [charset = '', encoding = ''] = kind.split(' ');
    const octets = Buffer.from(
      text,
      charset === 'utf-16le' ? 'utf16le' : charset.startsWith('iso') ? 'latin1' : 'utf8',
    );
    const head = `Content-Type: text/plain; charset=${charset}\r\nContent-Transfer-Encoding: ${encoding}\r\nX-Tag: part ${charset}\r\n\r\n`;
    const sent =
      encoding === 'base64'
        ? octets.toString('base64')
        : encoding === 'quoted-printable'
          ? [...octets].map((octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('')
          : octets.toString('latin1');
    return `${head}${sent}\r\n`;
  });

const message: fc.Arbitrary<Buffer> = fc
  .tuple(
    headerText,
    headerText,
    fc.array(headerText, { maxLength: 2 }),
    fc.array(bodyPart, { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([from, subject, tags, parts, nested]) => {
    const own = [
      `From: ${from} <bob@example.test>`,
      'To: "Alice Example" <alice@example.test>',
      `Received: from mx${parts.length}.example.test by here`,
      `Subject: ${subject}`,
      ...tags.map((tag) => `X-Tag: ${tag}`),
    ].join('\r\n');
    const all = parts.map((part) => `--b\r\n${part}`).join('');
    const inner = nested
      ? `--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: ${subject} inside\r\nX-Tag: in\r\n\r\ninner text of ${tags.length}\r\n`
      : '';
    const text = `${own}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${all}${inner}--b--\r\n`;
    return Buffer.from(text, 'latin1').includes('?') && /[^\0-\xff]/.test(text)
      ? Buffer.from(text)
      : Buffer.from(text, 'latin1');
  });

/** A needle from the texts of the mail, cut anywhere, or put together. */
async function needles(mail: Mail, seeds: readonly (readonly [number, number, number])[]): Promise<string[]> {
  const texts = (await Promise.all(mail.refs.map((ref) => textsOf(mail, ref)))).flat();
  return seeds.map(([which, start, length]) => {
    const text = fold(texts[which % texts.length] ?? '');
    const at = start % Math.max(text.length, 1);
    return text
      .slice(at, at + 1 + (length % 24))
      .replaceAll(/[\ud800-\udfff]/g, (half, place: number, all: string) => {
        const pair = /[\ud800-\udbff]/.test(half)
          ? all.charCodeAt(place + 1) >= 0xdc00 && all.charCodeAt(place + 1) < 0xe000
          : place > 0 && /[\ud800-\udbff]/.test(all.charAt(place - 1));
        return pair ? half : '';
      });
  });
}

test('generated mail: the index finds what a scan finds, before and after merges', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 14 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 6, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 8, maxLength: 12 }),
      fc.array(word, { minLength: 3, maxLength: 3 }),
      async (messages, sizes, seeds, words) => {
        const mail = mailOf(messages);
        const index = await indexOf(mail, sizes, () => true);
        const wanted = [...(await needles(mail, seeds)), ...words, words.join(' ')];
        for (const [at, needle] of wanted.entries()) {
          const text = fold(needle);
          if (
            text === '' ||
            /[\ud800-\udfff](?![\udc00-\udfff])/.test(text.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ''))
          )
            continue;
          for (const field of FIELDS)
            if ((at + String(field).length) % 2 === 0 || field === 'text')
              await same(mail, index, field, needle);
        }
        index.remove();
      },
    ),
    { numRuns: 40, interruptAfterTimeLimit: 3500 },
  );
});

test('one and two letters, separators alone, names of fields, nothing', async () => {
  const messages = fc.sample(message, { seed: 7, numRuns: 60 });
  const mail = mailOf(messages);
  const index = await indexOf(mail, [1, 1, 1, 1, 1, 1, 10, 10], () => true);
  for (const needle of [
    'a',
    'th',
    'e',
    ' ',
    ': ',
    ':',
    'x-',
    '-tag: ',
    'subject: ',
    't: m',
    '.',
    '\r\n',
    '@',
    '漢',
    '😀',
    'é',
    '\0',
    'charset=',
    'from',
  ]) {
    for (const field of FIELDS) await same(mail, index, field, needle);
  }
  for (const header of ['x-tag', 'subject', 'none', 'content-type', ''])
    await same(mail, index, { header }, '');
});

test('and, or, not', async () => {
  const mail = mailOf(fc.sample(message, { seed: 3, numRuns: 40 }));
  const index = await indexOf(mail, [10, 10], () => true);
  const has = (field: SearchField, text: string): SearchQuery => ({ kind: 'has', field, text: fold(text) });
  const a = has('text', 'the');
  const b = has('body', 'ring');
  const ids = (query: SearchQuery): number[] => [...index.find(query).ids];
  const all = mail.refs.map((ref) => ref.emailId);
  const inA = new Set(await scan(mail, 'text', 'the'));
  const inB = new Set(await scan(mail, 'body', 'ring'));
  assert(inA.size > 0 && inB.size > 0 && inA.size < all.length);
  assert.deepEqual(
    ids({ kind: 'and', of: [a, b] }),
    all.filter((id) => inA.has(id) && inB.has(id)),
  );
  assert.deepEqual(
    ids({ kind: 'or', of: [a, b] }),
    all.filter((id) => inA.has(id) || inB.has(id)),
  );
  assert.deepEqual(
    ids({ kind: 'not', of: a }),
    all.filter((id) => !inA.has(id)),
  );
  assert.deepEqual(ids({ kind: 'and', of: [] }), all);
});

test('deleted mail leaves with a merge and with a vacuum; a large text is left to a scan', async () => {
  const messages = fc.sample(message, { seed: 5, numRuns: 30 });
  messages[3] = Buffer.from(`Subject: long\r\n\r\n${'y'.repeat(40_000)}needle\r\n`);
  const mail = mailOf(messages);
  const alive = (id: number): boolean => id % 3 !== 0;
  const index = await indexOf(mail, [2, 2, 2, 2, 2, 2, 2, 2], alive);
  const every: SearchQuery = { kind: 'and', of: [] };
  await index.vacuum(alive, () => Promise.resolve());
  const { ids, open, upTo } = index.find(every);
  assert.equal(upTo, 30);
  assert.deepEqual([...open], [4]);
  assert.deepEqual(
    [...ids],
    mail.refs.map((ref) => ref.emailId).filter((id) => alive(id) && id !== 4),
  );
  const { ids: found } = index.find({ kind: 'has', field: 'text', text: 'the' });
  assert.deepEqual([...found], (await scan(mail, 'text', 'the')).filter(alive));
});

test('real mail', { skip: skipWithoutCorpus() }, async () => {
  const octets = [...corpusMessages('mime', 40), ...corpusMessages('mail', 60)].map((each) => each.octets);
  const mail = mailOf(octets.filter((each) => each.length < 40_000));
  const index = await indexOf(mail, [20, 20, 20, 20, 20, 20], () => true);
  const random = fc.sample(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { seed: 11, numRuns: 12 });
  for (const needle of await needles(mail, random)) {
    if (needle === '') continue;
    await same(mail, index, 'text', needle);
    await same(mail, index, { header: 'subject' }, needle);
    await same(mail, index, { header: 'received' }, needle);
  }
});
