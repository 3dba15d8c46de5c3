import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStsPolicy, STS_LIMITS, stsNames } from './policy.ts';
import { parseStsRecords, stsRecordName } from './record.ts';

const policy = (...lines: string[]) => parseStsPolicy(Buffer.from(lines.join('\r\n')));
const GOOD = ['version: STSv1', 'mode: enforce', 'mx: mail.far.test', 'mx: *.far.test', 'max_age: 604800'];

describe('MTA-STS record (RFC 8461 section 3.1)', () => {
  const idOf = (...texts: string[]): string => {
    const record = parseStsRecords(texts);
    return record.status === 'ok' ? record.id : record.status;
  };

  it('one record with an id', () => {
    assert.equal(stsRecordName('far.test'), '_mta-sts.far.test');
    assert.equal(idOf('v=STSv1; id=20160831085700Z;'), '20160831085700Z');
    assert.equal(idOf('v=STSv1;id=1'), '1');
    assert.equal(idOf('v=STSv1 ; \t id=1 ; x-more=a:b ;'), '1');
    assert.equal(idOf('v=STSv1; id=1; id=2'), '1', 'the first counts');
    assert.equal(idOf('v=spf1 -all', 'v=STSv1; id=1;', 'something else'), '1');
  });

  it('none: nothing of ours, other versions', () => {
    for (const texts of [[], ['v=spf1 -all'], ['v=STSv2; id=1;'], ['v=STSv1 id=1'], ['V=STSv1; id=1']])
      assert.equal(idOf(...texts), 'none', texts.join());
  });

  it('invalid: two of them, no id, an id that is none, fields that are none', () => {
    assert.equal(idOf('v=STSv1; id=1;', 'v=STSv1; id=1;'), 'invalid');
    for (const text of [
      'v=STSv1;',
      'v=STSv1; id=',
      'v=STSv1; id=a-b',
      `v=STSv1; id=${'1'.repeat(33)}`,
      'v=STSv1; id=1; =x',
      'v=STSv1; id=1; nonsense',
      `v=STSv1; id=1; x=${'y'.repeat(2000)}`,
    ])
      assert.equal(idOf(text), 'invalid', text.slice(0, 40));
  });
});

describe('MTA-STS policy (section 3.2)', () => {
  it('is read, with either line end, blanks and fields nobody knows', () => {
    const expected = { mode: 'enforce', maxAge: 604_800, mx: ['mail.far.test', '*.far.test'], lines: GOOD };
    assert.deepEqual(policy(...GOOD), { status: 'ok', policy: expected });
    const loose = parseStsPolicy(
      Buffer.from('version:STSv1\nmode:\ttesting \nmx:  A.Far.Test\nnew: x\nmax_age:1\n\n'),
    );
    assert.ok(loose.status === 'ok');
    assert.deepEqual(
      [loose.policy.mode, loose.policy.mx, loose.policy.maxAge],
      ['testing', ['a.far.test'], 1],
    );
    const none = policy('version: STSv1', 'mode: none', 'max_age: 0');
    assert.ok(none.status === 'ok' && none.policy.mode === 'none');
    const twice = policy(...GOOD, 'mode: none', 'max_age: 1');
    assert.ok(twice.status === 'ok' && twice.policy.mode === 'enforce' && twice.policy.maxAge === 604_800);
  });

  it('max_age is at most a year', () => {
    const long = policy('version: STSv1', 'mode: none', 'max_age: 9999999999');
    assert.ok(long.status === 'ok');
    assert.equal(long.policy.maxAge, STS_LIMITS.maxAge);
  });

  it('is refused as a whole when something is wrong', () => {
    const without = (word: string): string[] => GOOD.filter((line) => !line.startsWith(word));
    for (const lines of [
      [],
      without('version'),
      without('mode'),
      without('max_age'),
      without('mx'),
      [...without('mode'), 'mode: Enforce'],
      [...without('version'), 'version: STSv2'],
      [...without('max_age'), 'max_age: -1'],
      [...without('max_age'), 'max_age: 99999999999'],
      [...GOOD, 'mx: *'],
      [...GOOD, 'mx: *.*.far.test'],
      [...GOOD, 'mx: a.*.test'],
      [...GOOD, 'mx: mail..far.test'],
      [...GOOD, 'mx: '],
      [...GOOD, 'mx: mail.far.test.'],
      [...GOOD, '<html>'],
      [...GOOD, '', 'mode: none'],
    ])
      assert.equal(policy(...lines).status, 'invalid', lines.join('|'));
  });

  it('hostile: 64 KiB and not an octet more, many lines, many hosts, blanks without end, in linear time', () => {
    const started = performance.now();
    const pad = (size: number): Buffer => {
      const head = Buffer.from(`${GOOD.join('\r\n')}\r\nx: `);
      return Buffer.concat([head, Buffer.alloc(size - head.length, 'y')]);
    };
    assert.equal(parseStsPolicy(pad(STS_LIMITS.policyBytes)).status, 'ok');
    assert.equal(parseStsPolicy(pad(STS_LIMITS.policyBytes + 1)).status, 'invalid');
    assert.equal(parseStsPolicy(Buffer.alloc(STS_LIMITS.policyBytes, '\n')).status, 'invalid');
    assert.equal(
      policy(...GOOD, ...Array.from({ length: 501 }, (_, i) => `mx: m${i}.test`)).status,
      'invalid',
    );
    for (const fill of [' ', '\t', '-', 'a.', ':', 'a-'])
      parseStsPolicy(Buffer.from(`${GOOD.join('\n')}\nmx: a${fill.repeat(30_000)}!`.slice(0, 65_000)));
    assert.ok(performance.now() - started < 2000, 'it took too long');
  });
});

describe('MTA-STS hosts (section 4.1)', () => {
  const named = (pattern: string, host: string): boolean => stsNames({ mx: [pattern] }, host);
  it('a name is itself; "*." is exactly one label', () => {
    assert.ok(named('mail.far.test', 'MAIL.far.test'));
    assert.ok(!named('mail.far.test', 'xmail.far.test'));
    assert.ok(named('*.far.test', 'a.far.test'));
    for (const host of ['far.test', 'a.b.far.test', '.far.test', 'afar.test', 'a.far.test.evil.test', ''])
      assert.ok(!named('*.far.test', host), host);
  });
});
