import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AcmeCertificate } from '../../data/certificates/types.ts';
import { asksAt, endsSoon, isFor, needOf, nextLookMs, retryAt } from './schedule.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2030, 0, 1);
const CA = 'https://ca.example/dir';
const WANTED = { name: 'mail.test', names: ['mail.test', 'imap.test'] };

function have(more: Partial<AcmeCertificate> = {}, renewAt = NOW + 60 * DAY): AcmeCertificate {
  return {
    name: 'mail.test',
    directory: CA,
    issued: {
      names: ['mail.test', 'imap.test'],
      chain: '',
      privateKey: '',
      notBefore: NOW,
      notAfter: NOW + 90 * DAY,
      issuedAt: NOW,
      renewAt,
    },
    wish: undefined,
    askAt: NOW + 6 * HOUR,
    failures: 0,
    failedAt: undefined,
    failure: undefined,
    retryAt: undefined,
    ...more,
  };
}

it('why a certificate is requested', () => {
  assert.equal(needOf(WANTED, undefined, CA, NOW), 'first');
  assert.equal(needOf(WANTED, have({ issued: undefined }), CA, NOW), 'first');
  assert.equal(needOf(WANTED, have(), CA, NOW), undefined);
  assert.equal(needOf(WANTED, have(), 'https://other.example/dir', NOW), 'authority');
  assert.equal(needOf({ ...WANTED, names: [...WANTED.names, 'new.test'] }, have(), CA, NOW), 'names');
  // A name that is no longer wanted goes with the next renewal.
  assert.equal(needOf({ ...WANTED, names: ['mail.test'] }, have(), CA, NOW), undefined);
  assert.equal(needOf(WANTED, have({}, NOW), CA, NOW), 'renewal');
});

it('attempts come further apart, never five in an hour, and not before the authority allows', () => {
  const waits = [0, 1, 2, 3, 4, 5, 50].map(
    (failures) => (retryAt(NOW, failures, undefined, 0) - NOW) / 60_000,
  );
  assert.deepEqual(waits, [5, 15, 60, 240, 720, 720, 720]);
  assert.equal(retryAt(NOW, 0, undefined, 1) - NOW, 6 * 60_000);
  assert.equal(retryAt(NOW, 0, 2 * HOUR, 1) - NOW, 2 * HOUR);
});

it('the next look is when something may be due, an hour at most, and never at once again and again', () => {
  const look = (...all: AcmeCertificate[]) => nextLookMs([WANTED], all, CA, NOW);
  assert.equal(look(have()), HOUR);
  assert.equal(look(have({ askAt: NOW + 60_000 })), 60_000);
  assert.equal(look(have({}, NOW + 5000)), 5000);
  assert.equal(look(have({ retryAt: NOW + 300_000 }, NOW - 1)), 300_000);
  assert.equal(look(have({}, NOW - 1)), HOUR);
  assert.equal(look(have({ askAt: NOW - 1 })), HOUR);
  assert.equal(look(), HOUR);
  assert.equal(asksAt(have({ directory: 'https://old.example' }), CA), Number.POSITIVE_INFINITY);
});

it('ends are warned of two weeks before, for short lives a fifth of them', () => {
  const life = (days: number) => ({
    names: [],
    certFile: undefined,
    notBefore: NOW,
    notAfter: NOW + days * DAY,
  });
  assert.equal(endsSoon(life(90), 14, NOW + 75 * DAY), false);
  assert.equal(endsSoon(life(90), 14, NOW + 77 * DAY), true);
  assert.equal(endsSoon(life(6), 14, NOW + 4.5 * DAY), false);
  assert.equal(endsSoon(life(6), 14, NOW + 5 * DAY), true);
});

it('a wildcard is for one label', () => {
  assert.ok(isFor({ names: ['*.a.test'] }, 'x.a.test'));
  assert.ok(!isFor({ names: ['*.a.test'] }, 'y.x.a.test'));
  assert.ok(!isFor({ names: ['*.a.test'] }, 'a.test'));
});
