import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { openInlineStore } from '../inline.ts';
import { foreignName, foreignText, isReserved } from './namespaces.ts';
import { formatRights, formatRightsWithObsolete, parseRights, sumOfRights } from './rights.ts';
import { sharingContract } from './sharing.contract.ts';

sharingContract(() => openInlineStore({ path: ':memory:', clock: systemClock }));

test('rights by their letters, with those of RFC 2086', () => {
  assert.equal(formatRights(parseRights('aetxkpiwsrl') ?? 0), 'lrswipkxtea');
  assert.equal(formatRights(parseRights('lrsc') ?? 0), 'lrsk');
  assert.equal(formatRights(parseRights('lrd') ?? 0), 'lrxte');
  assert.equal(formatRightsWithObsolete(parseRights('lre') ?? 0), 'lred');
  assert.equal(formatRightsWithObsolete(parseRights('lrk') ?? 0), 'lrkc');
  assert.equal(parseRights('lrz'), undefined);
  assert.equal(parseRights('LR'), undefined);
  assert.equal(parseRights(''), 0);
});

const entry = (rights: string, negative: boolean) => ({ rights: parseRights(rights) ?? 0, negative });

test('what is taken away wins over what is given', () => {
  assert.equal(formatRights(sumOfRights([entry('r', true), entry('lr', false), entry('s', false)])), 'ls');
  assert.equal(sumOfRights([]), 0);
});

test('names of others and back', () => {
  const owner = { address: 'a@x.test', shared: false };
  assert.equal(foreignText(owner, 'Work/1'), 'Other Users/a@x.test/Work/1');
  assert.deepEqual(foreignName('Other Users/a@x.test/inbox'), {
    shared: false,
    addresses: ['a@x.test'],
    path: 'INBOX',
  });
  // A local part may have what separates levels.
  const odd = foreignText({ address: 'a/b@x.test', shared: true }, 'INBOX');
  assert.equal(odd.split('/').length, 3);
  assert.equal(foreignName(odd)?.addresses.includes('a/b@x.test'), true);
  assert.equal(foreignName('Work/a@x.test/INBOX'), undefined);
  assert.equal(foreignName('Other Users/nobody'), undefined);
  assert.equal(isReserved('Shared'), true);
  assert.equal(isReserved('Shared things'), false);
});
