import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corpusMessages, skipWithoutCorpus } from '../../../test/support/corpus.ts';
import { readAuthor } from './author.ts';

test('of good mail the author is never in doubt, and it is one domain', {
  skip: skipWithoutCorpus(),
}, (t) => {
  const good = corpusMessages('mail').filter(({ name }) => name.includes('ham'));
  const wrong = good.flatMap(({ name, octets }) => {
    const end = octets.indexOf('\r\n\r\n');
    const { domains, doubt } = readAuthor(octets.subarray(0, end + 4));
    return doubt === undefined && domains.length === 1
      ? []
      : [`${name}: ${domains.join(' ')} ${doubt ?? ''}`];
  });
  t.diagnostic(`${good.length - wrong.length} of ${good.length} good messages`);
  assert.deepEqual(wrong, []);
  assert.ok(good.length > 2000);
});
