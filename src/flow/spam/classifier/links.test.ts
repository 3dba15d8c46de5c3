import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainedFeatures, features } from './features.ts';
import { badMail, examples, mail } from './fixtures.ts';
import { createModel, learn, score } from './index.ts';
import { layoutFeatures } from './layout-features.ts';
import { readLinks } from './links.ts';
import { FeatureSink, VIEWS } from './sink.ts';

const HEADERS = { From: 'Ann <ann@example.org>', To: 'Bob <bob@example.net>', Subject: 'Plans for June' };
const TEXT =
  'Shall we go to the lake? I can bring the tent.\r\n\r\nThe way there: https://maps.example.org/lake/1';

/** What lists put under a message, each as its manager does. */
const FOOTERS: Readonly<Record<string, string>> = {
  'under a rule': `\r\n${'_'.repeat(47)}\r\ntalk mailing list\r\nhttp://lists.example/mailman/listinfo/talk`,
  'as a signature':
    '\r\n-- \r\nTalk of town: talk@lists.example\r\nhttp://lists.example/listinfo/talk to leave.',
  'a bare line': '\r\n\r\nhttp://lists.example/mailman/listinfo/talk',
  "a group service's": [
    '\r\n',
    '------------------------ Yahoo! Groups Sponsor ---------------------~-->',
    'Buy this',
    'http://click.groups.example/abc/def',
    '---------------------------------------------------------------------~->',
    '',
    'To unsubscribe from this group, send an email to:',
    'talk-unsubscribe@groups.example',
  ].join('\r\n'),
};

for (const [kind, footer] of Object.entries(FOOTERS)) {
  test(`what a list puts under a message changes nothing: ${kind}`, () => {
    const plain = features(mail(HEADERS, TEXT));
    const listed = features(mail(HEADERS, `${TEXT}\r\n${footer}`));
    for (const [view, name] of VIEWS.entries()) assert.deepEqual(listed.views[view], plain.views[view], name);
    assert.equal(listed.ownLinks, plain.ownLinks);
  });
}

test("a link that the author wrote counts though the footer has it too; a list's page never does", () => {
  const footer = `\r\n${'_'.repeat(47)}\r\ntalk mailing list, see https://maps.example.org/lake/1`;
  const quoted = '\r\n> http://lists.example/mailman/listinfo/talk\r\n';
  const links = readLinks(mail(HEADERS, `${TEXT}${quoted}${footer}`));
  assert.deepEqual(
    links.map(({ url }) => url),
    ['https://maps.example.org/lake/1'],
  );
});

test("the reader's address in a link changes nothing", () => {
  const linking = (reader: string): readonly Uint32Array[] =>
    features(mail(HEADERS, `Leave here: http://shop.example/leave.cgi?who=${reader}&list=3 now`)).views;
  assert.deepEqual(linking('bob@example.net'), linking('zoey@mailer.org'));
  assert.deepEqual(linking('bob%40example.net'), linking('zoey%40mailer.org'));
});

test('paths that only good mail had speak for good mail, wherever they lead', () => {
  const model = createModel();
  for (const { features: seen, label } of examples(30)) learn(model, seen, label);
  const withLink = (host: string) =>
    features(mail({ From: 'a@example.org' }, `See http://${host}/archive/msg0001234.html`));
  const paths = (host: string) => ({
    ...withLink(host),
    views: withLink(host).views.map((ids, view) => (VIEWS[view] === 'paths' ? ids : new Uint32Array(0))),
  });
  const before = score(model, paths('new.example')).logit;
  learn(model, withLink('old.example'), 'ham');
  const after = score(model, paths('new.example')).logit;
  assert.ok(after < before - 0.3, `${before} before, ${after} after`);
});

test('how a message begins and ends counts beyond its letters as such', () => {
  const model = createModel();
  for (const { features: seen, label } of examples(30)) learn(model, seen, label);
  const filler = 'So much for the news of this week and what comes of it. '.repeat(40);
  const offer = 'Reply with REMOVE as the subject to be taken off';
  for (let i = 0; i < 8; i++)
    learn(model, features(mail({ From: 'a@example.org' }, `${filler}${i}\r\n${offer}`)), 'spam');
  const at = (body: string): number => score(model, features(mail({ From: 'a@example.org' }, body))).logit;
  assert.ok(at(`${filler}\r\n${offer}`) > at(`Well. ${offer} ${filler}\r\nSo long`));
});

test('lines broken as programs for mail break them are told from paragraphs of one line', () => {
  const layout = (text: string): string[] => {
    const sink = new FeatureSink(true);
    layoutFeatures(text, sink);
    const said = (sink.texts?.[3] ?? []).map((feature) => feature.text);
    sink.take(0, 0);
    return said;
  };
  const line = 'These are some words of a paragraph that goes on and on for a while.';
  assert.ok(layout(`${line}\n${line}\n\n${line}`).includes('long lines 0'));
  assert.ok(layout(`${line} ${line}\n${line} ${line}`).includes('long lines 4'));
  assert.ok(layout(`${line}\n${'\n'.repeat(40)}qjxkzw`).includes('gap 6'));
  assert.doesNotThrow(() => layout(''));
});

test('a field that programs do not leave empty is told when it is', () => {
  const fields = (headers: Readonly<Record<string, string>>): string[] =>
    (explainedFeatures(mail(headers, 'Hello')).texts[2] ?? []).map(({ text }) => text);
  assert.ok(fields({ ...HEADERS, Cc: '' }).includes('empty cc'));
  assert.ok(!fields({ ...HEADERS, Cc: 'Carl <carl@example.com>' }).some((text) => text.startsWith('empty')));
});

test('neither a text of links nor one of blank lines makes many features or takes long', () => {
  const hostile = [
    Array.from({ length: 3_000 }, (_, i) => `http://h${i}.example/${'ab%40'.repeat(60)}?${i}`).join('\n'),
    '\n'.repeat(500_000),
    '-- \n'.repeat(100_000),
    `${'_'.repeat(60)}\n`.repeat(5_000),
  ];
  for (const text of hostile) {
    const count = features(mail(HEADERS, text)).views.reduce((sum, ids) => sum + ids.length, 0);
    assert.ok(count < 10_000, `${count} features`);
  }
  assert.ok(badMail(1).views.length === VIEWS.length);
});
