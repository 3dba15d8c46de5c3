import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { rules } from '../spam/rules/index.ts';
import { factsOf } from './facts.ts';
import { toldText } from './say.ts';
import { tell, TOLD_KINDS } from './steps.ts';
import { events } from './words/events.ts';

const CONTEXT = { timeZone: 'UTC', notices: new Set<string>(), notified: false };
const ROOT = resolve(import.meta.dirname, '../..');
/** What writes reasons into the journal. */
const WRITERS = [
  'flow/inbound/*.ts',
  'flow/inbound/gate/*.ts',
  'flow/spam/partners.ts',
  'flow/spam/scan-engine.ts',
  'flow/spam/rules/*.ts',
  'flow/ses-inbound/verdicts.ts',
];
/** Texts that are not kept, or hold only what strangers said. */
const NOT_KEPT = /refusals\.ts|lists\.ts|limits|\.test\.ts|fixtures|notices\.ts|texts\.ts/;

/** Beginnings of texts that are made of parts: what they come to is in `MADE`. */
const OF_PARTS = [
  'rspamd gives it X1 points$',
  'it says it is from X1, which could not be proven, and X1 wants such mail X1',
  'this site does not take X1: X1',
  'you have written to this sender beforeX1',
  // A reply to the sender, in SMTP.
  'The mail filter X1 cannot be asked now',
];
const MADE = [
  'rspamd gives it 7.5 points',
  'rspamd gives it 7.5 points (A, B)',
  'it says it is from a.example, which could not be proven, and a.example wants such mail refused (DMARC)',
  'it says it is from a.example, which could not be proven, and a.example wants such mail put into Junk (DMARC)',
  'this site does not take programs as attachments: a.exe',
  'this site does not take scripts as attachments: a.js',
  'this site does not take documents with macros: a.docm',
  'this site does not take archives that need a password: a.zip',
  'this site does not take programs inside archives: a.zip',
  'this site does not take disk images: a.iso',
  'this site does not take shortcuts: a.lnk',
  'you have written to this sender before',
  'you have written to this sender before (whether it is really them is not proven)',
  "a.example is blocked on the site's list",
  'a.example is blocked on your own list',
  'filed into Lists by line 12 of script main',
];

test('every kind of event has a headline of its own name', () => {
  assert.ok(TOLD_KINDS.length >= 40);
  for (const kind of TOLD_KINDS) {
    assert.ok(Object.hasOwn(events, kind), `${kind} has no headline`);
    const row = { id: 1, trace: 't', at: 0, kind, data: {}, count: 1, lastAt: 0 };
    const { headline, remedy } = tell(factsOf(row), CONTEXT);
    assert.match(headline.code, /^events\./);
    for (const each of remedy) assert.match(each.code, /^(?:remedies|advice)\./);
  }
});

test('every rule is known by its words, with and without a detail', () => {
  for (const { name, explain } of rules) {
    assert.deepEqual(toldText(explain), { code: `rules.${name}`, text: explain });
    const said = toldText(`${explain}: a: b`);
    assert.deepEqual([said.code, said.args], [`rules.${name}`, { detail: 'a: b' }]);
  }
});

test('every reason and lever that the filter writes is known by its words', () => {
  const unknown: string[] = [];
  let seen = 0;
  for (const file of globSync(WRITERS, { cwd: ROOT })) {
    if (NOT_KEPT.test(file)) continue;
    const source = readFileSync(resolve(ROOT, file), 'utf8');
    // Quoted, or a template of one line.
    for (const [, quoted = '', doubled = '', template = ''] of source.matchAll(
      /\b(?:text|lever)(?::| =)\s*(?:'([^'\n]+)'|"([^"\n]+)"|`([^`\n]+)`)/g,
    )) {
      const text = quoted || doubled || template.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, 'X1');
      if (!/\S \S+ \S/.test(text) || text.includes('\\r') || text.startsWith('X1')) continue;
      seen++;
      if (OF_PARTS.some((each) => text.startsWith(each))) continue;
      // What lists say begins as much else does.
      if (['', 'rules.listedHost'].includes(toldText(text).code)) unknown.push(`${file}: ${text}`);
    }
  }
  unknown.push(...MADE.filter((text) => toldText(text).code === ''));
  assert.deepEqual(unknown, []);
  assert.ok(seen > 50, `only ${seen} were found`);
});

test('a sentence within a sentence has a code too', () => {
  const said = toldText(
    'the filter is 99.9 % sure that it is unwanted; above all: it reads like unwanted mail, above all the word "a", a link to b.example',
  );
  assert.equal(said.code, 'rules.filterSureAbove');
  assert.match(JSON.stringify(said.args), /rules\.contentBadAbove.*rules\.contentWord.*rules\.contentLink/);
  assert.equal(toldText('somebody wrote this').code, '');
});

test('what strangers write takes no time to look at', () => {
  const hostile = `it says it is from ${', which could not be proven, and '.repeat(15)}`;
  assert.equal(toldText(hostile).code, '');
  assert.equal(toldText('a: '.repeat(100_000)).code, '');
});
