import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DnsRecord } from '../../mail/dns-records.ts';
import type { RecordSet, RecordType } from '../../net/dns-providers/types.ts';
import { diffZone, type ZoneDiff, type ZoneFacts } from './diff.ts';
import { markOf } from './mark.ts';
import { spfAdvice } from './spf.ts';
import type { OwnedValue } from './types.ts';

const ZONE = 'example.org';
const ID = 'abc';
const mark = markOf(ZONE, ID);
const MARKED: RecordSet = { name: mark.name, type: 'TXT', ttl: 3600, values: [mark.value] };

function want(
  name: string,
  type: DnsRecord['type'],
  value: string,
  more: Partial<DnsRecord> = {},
): DnsRecord {
  return { name, type, value, why: 'because', ...more };
}

function set(name: string, type: RecordType, ...values: string[]): RecordSet {
  return { name, type, ttl: 300, values };
}

function own(name: string, type: RecordType, value: string, ...domains: string[]): OwnedValue {
  return { name, type, value, domains: domains.length === 0 ? [ZONE] : domains };
}

function diff(facts: Partial<ZoneFacts>): ZoneDiff {
  const base = { zone: ZONE, domain: ZONE, id: ID, ttl: 3600, signed: false, beside: false };
  return diffZone({ ...base, wanted: [], present: [MARKED], owned: [], ...facts });
}

const state = ({ lines }: ZoneDiff, value: string): string | undefined =>
  lines.find((each) => each.value === value)?.state;

describe('what becomes of a zone', () => {
  it('adds what is missing, with a mark where there is none', () => {
    const { changes, own: ours } = diff({ present: [], wanted: [want(ZONE, 'MX', '10 mx.example.org')] });
    assert.deepEqual(
      changes.map(({ name, type, ttl, add, before }) => ({ name, type, ttl, add, before })),
      [
        { name: mark.name, type: 'TXT', ttl: 3600, add: [mark.value], before: [] },
        { name: ZONE, type: 'MX', ttl: 3600, add: ['10 mx.example.org'], before: [] },
      ],
    );
    assert.deepEqual(ours, [own(ZONE, 'MX', '10 mx.example.org')]);
  });

  it('neither changes nor owns what stands there already, in whatever letter case', () => {
    const there = diff({
      wanted: [want('MX.example.org', 'CNAME', 'Host.example.org')],
      present: [MARKED, set('mx.example.org', 'CNAME', 'host.example.org')],
    });
    assert.deepEqual([there.changes, there.own], [[], []]);
    assert.equal(there.lines[0]?.state, 'there');
  });

  it('takes out of its own what is wanted no longer, and nothing else', () => {
    const theirs = set(ZONE, 'TXT', 'hello', 'v=spf1 mx -all');
    const { changes, disown } = diff({
      wanted: [want(ZONE, 'TXT', 'v=spf1 a -all')],
      present: [MARKED, theirs],
      owned: [own(ZONE, 'TXT', 'v=spf1 mx -all')],
    });
    const [change] = changes;
    assert.deepEqual(
      [change?.add, change?.remove, change?.ttl],
      [['v=spf1 a -all'], ['v=spf1 mx -all'], 300],
    );
    assert.equal(disown.length, 1);
  });

  it('leaves what another domain wants too', () => {
    const shared = own('mx.example.org', 'A', '192.0.2.1', ZONE, 'other.org');
    const {
      changes,
      own: ours,
      disown,
    } = diff({ present: [MARKED, set('mx.example.org', 'A', '192.0.2.1')], owned: [shared] });
    assert.deepEqual([changes, disown], [[], []]);
    assert.deepEqual(ours, [own('mx.example.org', 'A', '192.0.2.1', 'other.org')]);
    const mine = diff({
      owned: [own(ZONE, 'MX', '10 a', 'other.org')],
      present: [MARKED, set(ZONE, 'MX', '10 a')],
    });
    assert.deepEqual(mine.changes, []);
  });

  it('without its mark nothing is its own', () => {
    const present = [set(ZONE, 'MX', '10 old.example.org')];
    const gone = diff({ present, owned: [own(ZONE, 'MX', '10 old.example.org')] });
    assert.deepEqual([gone.changes, gone.forget], [[], true]);
  });

  it('has a person look at MX, addresses and aliases of others', () => {
    const present = [
      MARKED,
      set(ZONE, 'MX', '5 old.test'),
      set('mx.example.org', 'A', '192.0.2.9'),
      set('autoconfig.example.org', 'A', '192.0.2.9'),
      set('mta-sts.example.org', 'CNAME', 'elsewhere.test'),
    ];
    const wanted = [
      want(ZONE, 'MX', '10 mx.example.org'),
      want('mx.example.org', 'A', '192.0.2.1'),
      want('autoconfig.example.org', 'CNAME', 'mx.example.org'),
      want('mta-sts.example.org', 'CNAME', 'mx.example.org'),
    ];
    const plain = diff({ present, wanted });
    assert.deepEqual([plain.changes, plain.lines.map((each) => each.state)], [[], Array(4).fill('by-hand')]);
    const beside = diff({ present, wanted, beside: true });
    assert.deepEqual(
      beside.lines.map((each) => each.state),
      ['add', 'add', 'by-hand', 'by-hand'],
    );
    const nullMx = diff({ present: [MARKED, set(ZONE, 'MX', '0 .')], wanted, beside: true });
    assert.equal(nullMx.lines[0]?.state, 'by-hand');
  });

  it('counts what was there and is wanted as no stranger', () => {
    const wanted = [want(ZONE, 'MX', '10 mx.example.org'), want(ZONE, 'MX', '20 backup.test')];
    const both = diff({ wanted, present: [MARKED, set(ZONE, 'MX', '10 mx.example.org')] });
    assert.equal(state(both, '20 backup.test'), 'add');
  });

  it('has one record of each policy', () => {
    const present = [
      MARKED,
      set('_dmarc.example.org', 'TXT', 'v=DMARC1; p=reject'),
      set(ZONE, 'TXT', 'v=spf1 ~all'),
    ];
    const wanted = [
      want('_dmarc.example.org', 'TXT', 'v=DMARC1; p=none'),
      want(ZONE, 'TXT', 'v=spf1 mx -all'),
    ];
    const { lines, changes } = diff({ present, wanted });
    assert.deepEqual(changes, []);
    assert.match(lines[1]?.note ?? '', /Add "mx" to it: v=spf1 mx ~all/);
  });

  it('replaces an address of its own by an alias', () => {
    const owned = [own('a.example.org', 'A', '192.0.2.1')];
    const moved = diff({
      wanted: [want('a.example.org', 'CNAME', 'b.example.org')],
      owned,
      present: [MARKED, set('a.example.org', 'A', '192.0.2.1')],
    });
    assert.deepEqual(
      moved.changes.map(({ type, add, remove }) => [type, add, remove]),
      [
        ['A', [], ['192.0.2.1']],
        ['CNAME', ['b.example.org'], []],
      ],
    );
  });

  it('writes TLSA into signed zones only, and warns of the first CAA', () => {
    const wanted = [
      want('_25._tcp.mx.example.org', 'TLSA', '3 1 1 AB', { onlyIf: 'the zone is signed' }),
      want(ZONE, 'CAA', '0 issue "a.test"'),
    ];
    assert.equal(state(diff({ wanted }), '3 1 1 ab'), 'left');
    const signed = diff({ wanted, signed: true });
    assert.equal(state(signed, '3 1 1 ab'), 'add');
    assert.match(signed.lines[1]?.note ?? '', /first CAA/);
  });
});

describe('what to add to an SPF record', () => {
  it('names what is missing, in front of its end', () => {
    assert.deepEqual(spfAdvice('v=spf1 include:a.test ?all', 'v=spf1 mx include:b.test -all'), {
      missing: ['mx', 'include:b.test'],
      merged: 'v=spf1 include:a.test mx include:b.test ?all',
    });
    assert.deepEqual(spfAdvice('v=spf1 +MX redirect=b.test', 'v=spf1 mx -all').missing, []);
    assert.equal(spfAdvice('v=spf1 a', 'v=spf1 mx -all').merged, 'v=spf1 a mx');
  });
});
