import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageFacts } from '../facts/types.ts';
import { features } from './features.ts';
import { examples, mail } from './fixtures.ts';
import { createModel, learn, loadModel, saveModel, score } from './index.ts';
import { NEWSLETTER, ownLinks } from './own-links.ts';
import type { Features } from './sink.ts';

/** A message of `from` with a link for each of `links`, each to another page. */
function linking(from: string, links: readonly string[], subject = 'News of the week'): MessageFacts {
  const body = links.map((link, i) => `<p>Article ${i} <a href="http://${link}/${i}">read on</a></p>`);
  const headers = { From: `News <news@${from}>`, Subject: subject, 'Content-Type': 'text/html' };
  return mail(headers, `<html><body>${body.join('')}</body></html>`);
}

function times(count: number, host: string): string[] {
  return Array.from({ length: count }, () => host);
}

function value(host: string, links: readonly string[]): number {
  return ownLinks(linking(host, links));
}

function newsletter(seed: number): Features {
  return features(linking(`paper${seed}.example`, times(20, `www.paper${seed}.example`), `Issue ${seed}`));
}

test('a newsletter is known by its many links to its own site, one link or many sites are none', () => {
  const paper = value('paper.example', times(20, 'www.paper.example'));
  assert.ok(paper >= NEWSLETTER);
  assert.ok(value('borrowed.example', times(20, 'www.shop.example')) < paper, 'a borrowed From gains less');
  assert.equal(value('shop.example', ['www.shop.example']), 0, 'one link');
  assert.equal(
    value(
      'shop.example',
      times(6, 'x').map((_, i) => `site${i}.example`),
    ),
    0,
    'each to another site',
  );
  assert.equal(ownLinks(mail({ From: 'ann@example.org' }, 'no link at all')), 0);
});

test('whoever repeats links for the sake of it gains no more', () => {
  const many = ownLinks(linking('shop.example', times(30, 'shop.example')));
  assert.equal(ownLinks(linking('shop.example', times(60, 'shop.example'))), many);
  assert.ok(ownLinks(linking('shop.example', times(500, 'shop.example'))) <= many);
});

test('the less it has seen of newsletters, the more they are told beforehand', () => {
  const [none, some] = [createModel(), createModel()];
  for (const { features: seen, label } of examples(60)) {
    learn(none, seen, label);
    learn(some, seen, label);
  }
  const given = newsletter(500);
  const part = (model: typeof none): number =>
    score(model, given).logit - score(model, { ...given, ownLinks: 0 }).logit;
  assert.ok(part(none) < 0, 'it speaks for good mail');
  // Calibrated alike, so that only what is told beforehand differs.
  for (let i = 0; i < 40; i++) learn(some, newsletter(i), 'ham');
  some.calibration = none.calibration;
  assert.ok(part(some) < 0 && part(some) > 0.8 * part(none), `${part(none)} before, ${part(some)} after`);
  assert.equal(some.newsletters, 40);
  const again = loadModel(saveModel(some));
  assert.equal(score(again, given).logit, score(some, given).logit, 'and a stored model remembers');
});
