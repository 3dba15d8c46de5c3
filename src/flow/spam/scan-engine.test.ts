import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sampleOfBuffer } from './facts/sample.ts';
import { createEngine } from './scan-engine.ts';
import type { ContentScore } from './scan-types.ts';
import { defaultFilterSettings } from './settings.ts';

const engine = createEngine();

/** What the shipped model makes of a message of paper.example with these many links to a host. */
function judged(links: number, host: string): ContentScore {
  const body = Array.from(
    { length: links },
    (_, i) => `<p>Article ${i} <a href="http://${host}/${i}">read on</a></p>`,
  );
  return scored(
    `From: News <news@paper.example>\r\nTo: ann@example.org\r\nSubject: News of the week\r\n` +
      `Content-Type: text/html\r\n\r\n<html><body><p>Good morning.</p>${body.join('')}</body></html>\r\n`,
  );
}

function scored(message: string): ContentScore {
  const octets = Buffer.from(message);
  const { content } = engine.judge({
    sample: sampleOfBuffer(octets),
    owners: [],
    evidence: {},
    goodPerJunked: defaultFilterSettings.good_per_junked,
    policy: defaultFilterSettings.attachments,
  });
  const [site] = content;
  assert.ok(site);
  return site;
}

function named({ because }: ContentScore, name: string): number | undefined {
  return because.find((reason) => reason.name === name)?.score;
}

describe('what the verdict says of the links', () => {
  test("those to the author's own site speak for it, and with the rest they make the score", () => {
    const paper = judged(20, 'www.paper.example');
    const links = named(paper, 'OWN_LINKS');
    assert.ok(links !== undefined && links < 0, 'for good mail');
    const rest = named(paper, 'CONTENT');
    assert.ok(rest !== undefined && Math.abs(rest + links - paper.score) < 1e-9);
    const said = paper.because.find(({ name }) => name === 'OWN_LINKS');
    assert.equal(said?.text, "the links lead to the author's own site");
    assert.equal(named(paper, 'FEW_SITES'), undefined);
  });

  test("as many to another's site are not called the author's, and speak less", () => {
    const borrowed = judged(20, 'www.shop.example');
    assert.equal(named(borrowed, 'OWN_LINKS'), undefined);
    const few = named(borrowed, 'FEW_SITES');
    const own = named(judged(20, 'www.paper.example'), 'OWN_LINKS');
    assert.ok(few !== undefined && own !== undefined && own < few && few < 0);
  });

  test('one link says nothing, and the score is the content alone', () => {
    const one = judged(1, 'www.paper.example');
    assert.equal(named(one, 'OWN_LINKS') ?? named(one, 'FEW_SITES'), undefined);
    assert.equal(named(one, 'CONTENT'), one.score);
  });
});

describe('a message of a few words', () => {
  const head = 'From: carol@peer.example\r\nTo: ann@example.org\r\nSubject: Welcome\r\n';

  test('is never taken for spam for them alone', () => {
    const { score, threshold } = scored(`${head}\r\nHello!\r\n`);
    assert.ok(score < Math.log(threshold / (1 - threshold)) - 0.5, `${score} against ${threshold}`);
  });

  test('is judged as any other when it leads somewhere', () => {
    const plain = scored(`${head}\r\nHello!\r\n`).score;
    assert.ok(scored(`${head}\r\nHello! http://shop.example/buy\r\n`).score !== plain);
    const html = `${head}Content-Type: text/html\r\n\r\n<a href="http://shop.example/a">Hello!</a>\r\n`;
    assert.ok(scored(html).score > plain, 'a link alone, in HTML');
  });
});
