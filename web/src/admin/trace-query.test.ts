import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isEmpty, jsonLines, linksOf, readQuery, traceInput, tracePath } from './trace-query.ts';

describe('the history as it stands in an address', () => {
  it('comes back as it was', () => {
    const path = tracePath({ q: '<a@b>', outcome: 'junk', from: '2026-11-22T01:15' });
    const query = readQuery(new URL(path, 'http://a').searchParams);
    assert.deepEqual(
      [query.q, query.outcome, query.from, query.sender],
      ['<a@b>', 'junk', '2026-11-22T01:15', ''],
    );
    assert.deepEqual(traceInput(query), {
      term: '<a@b>',
      outcome: 'junk',
      from: new Date(2026, 10, 22, 1, 15).getTime(),
    });
    assert.equal(tracePath({}), '/admin/trace');
    assert.ok(isEmpty(readQuery(new URLSearchParams('live=&kind=login'))));
  });

  it('leads to the queue and to the vault, and out of the page', () => {
    const events = [
      { kind: 'message.queued', data: { queueId: 'q1' } },
      { kind: 'delivery.deferred', data: { queueId: 'q1' } },
      { kind: 'message.judged', data: { case: 'AB-CD' } },
      { kind: 'login.failed', data: null },
    ];
    assert.deepEqual(linksOf(events), { queueIds: ['q1'], cases: ['AB-CD'] });
    const lines = jsonLines([{ events }]).trimEnd().split('\n');
    assert.deepEqual(lines.map((line) => (JSON.parse(line) as { kind: string }).kind).length, 4);
  });
});
