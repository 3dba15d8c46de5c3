import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parsePath } from './address/path.ts';
import { srsForward, srsReverse, srsToken } from './srs.ts';

const key = Buffer.from('a key of more than sixteen octets');
const oldKey = Buffer.from('the key that was used before it..');
const NOW = Date.UTC(2026, 2, 3, 12);
const DAY = 86_400_000;
const US = 'forward.example';

function forward(localPart: string, domain: string, nowMs = NOW): string {
  const result = srsForward({ localPart, domain }, US, key, nowMs);
  assert.ok(result.kind === 'rewritten', result.kind);
  assert.equal(result.address.domain, US);
  return result.address.localPart;
}

function back(local: string, nowMs = NOW, keys = [key]): string {
  const result = srsReverse(local, keys, nowMs);
  if (result.kind === 'original') return formatAddress(result.address);
  return result.kind === 'refused' ? result.reason : result.kind;
}

test('a forwarded sender comes back', () => {
  const local = forward('Bob.X+tag', 'example.net');
  assert.match(local, /^SRS0=[a-z2-7]{6}=[a-z2-7]{2}=example\.net=Bob\.X\+tag$/);
  assert.equal(back(local), 'Bob.X+tag@example.net');
  assert.equal(back(local.toLowerCase()), 'bob.x+tag@example.net', 'a host may have lowered the case');
  assert.equal(back(local.toUpperCase()), 'BOB.X+TAG@example.net');
  assert.equal(back(forward('a=b=c', 'example.net')), 'a=b=c@example.net');
  assert.equal(back(local, NOW, [oldKey, key]), 'Bob.X+tag@example.net', 'after a change of keys');
});

test('forged, changed and old addresses are refused', () => {
  const local = forward('bob', 'example.net');
  assert.equal(back(local.replace('bob', 'eve')), 'bad-tag');
  assert.equal(back(local.replace('example.net', 'example.com')), 'bad-tag');
  assert.equal(back(local, NOW, [oldKey]), 'bad-tag');
  assert.equal(back(local, NOW, []), 'bad-tag');
  assert.equal(back(local, NOW + 21 * DAY), 'bob@example.net');
  assert.equal(back(local, NOW + 22 * DAY), 'expired');
  assert.equal(back(local, NOW - DAY), 'bob@example.net', 'another machine is a little behind');
  assert.equal(back(local, NOW - 2 * DAY), 'expired');
  for (const bad of ['SRS0=', 'srs0=x=y=z', 'SRS0=aaaaaa', 'SRS1+aaaaa=b=c', 'SRST='])
    assert.equal(back(bad), 'malformed', bad);
  assert.equal(back('SRS0=aaaaaa=\u0130'), 'bad-tag');
  for (const other of ['bob', 'srs', 'SRS0', 'SRS2=a=b', 'xSRS0=aaaaaa=b'])
    assert.equal(back(other), 'not-srs', other);
});

test('a day number that wraps around still ages', () => {
  const late = 1023 * DAY + 5;
  const local = forward('bob', 'example.net', late);
  assert.equal(back(local, late + 20 * DAY), 'bob@example.net');
  assert.equal(back(local, late + 30 * DAY), 'expired');
});

test('what others rewrote goes back to them, and the path does not grow', () => {
  const once = forward('SRS0=HHHH=TT=orig.example=bob', 'second.example');
  assert.match(once, /^SRS1=[a-z2-7]{6}=second\.example==HHHH=TT=orig\.example=bob$/);
  assert.equal(back(once), 'SRS0=HHHH=TT=orig.example=bob@second.example');
  const again = forward('SRS1=XXXX=second.example==HHHH=TT=orig.example=bob', 'third.example');
  assert.equal(again, once, 'the first forwarder is kept');
  assert.equal(back(forward('SRS0+HHHH=TT=o.example=b', 's.example')), 'SRS0+HHHH=TT=o.example=b@s.example');
  assert.equal(back(once.replace('second', 'evil')), 'bad-tag');
});

test('our own addresses and the null path are left alone', () => {
  assert.equal(srsForward(undefined, US, key, NOW).kind, 'unchanged');
  assert.equal(srsForward({ localPart: 'alice', domain: US }, US, key, NOW).kind, 'unchanged');
  assert.equal(
    srsForward({ localPart: forward('b', 'c.example'), domain: US }, US, key, NOW).kind,
    'unchanged',
  );
});

test('what does not fit gets a token', () => {
  const long = {
    localPart: '0102018f-1234-5678-9abc-def012345678-000000',
    domain: 'eu-west-1.amazonses.com',
  };
  assert.equal(srsForward(long, US, key, NOW).kind, 'too-long');
  const { localPart } = srsToken('k7x2m9', US, key, NOW);
  assert.deepEqual(srsReverse(localPart.toUpperCase(), [key], NOW), { kind: 'token', token: 'k7x2m9' });
  assert.equal(back(localPart.replace('k7', 'k8')), 'bad-tag');
  assert.equal(back(localPart, NOW + 30 * DAY), 'expired');
  assert.equal(back(localPart.replace('SRST', 'SRS0')), 'bad-tag', 'one form does not pass for another');
  assert.throws(() => srsToken('a=b', US, key, NOW), RangeError);
  assert.ok(srsToken('a'.repeat(48), US, key, NOW).localPart.length <= 64);
});

test('any sender that fits survives, also as text of an envelope', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), (localPart) => {
      const sender = parsePath(formatAddress({ localPart, domain: 'example.net' }), { smtputf8: true });
      if (sender.kind !== 'mailbox') return;
      const result = srsForward(sender, US, key, NOW);
      if (result.kind !== 'rewritten') return;
      const envelope = parsePath(formatAddress(result.address), { smtputf8: true, maxLocalPartOctets: 128 });
      assert.ok(envelope.kind === 'mailbox');
      assert.equal(back(envelope.localPart), formatAddress(sender));
    }),
  );
});
