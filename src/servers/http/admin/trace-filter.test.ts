import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JournalData, JournalKind, JournalRow } from '../../../data/journal/types.ts';
import { fits } from './trace-filter.ts';

function events(...all: readonly (readonly [kind: JournalKind, data: JournalData])[]): JournalRow[] {
  return all.map(([kind, data], id) => ({
    id,
    trace: 't',
    at: id,
    lastAt: id,
    kind,
    data,
    terms: [],
    count: 1,
  }));
}

describe('traces that are wanted', () => {
  const accepted = [
    'message.accepted',
    { from: 'Ann@far.test', to: ['bob@own.test', 'eve@own.test'] },
  ] as const;
  const inbox = ['message.deposited', { account: 'bob@own.test', mailbox: 'INBOX' }] as const;

  it('are of a sender and for a recipient, by address or domain', () => {
    const trace = events(accepted, inbox);
    assert.ok(fits(trace, { sender: 'ann@FAR.test', recipient: 'eve@own.test' }));
    assert.ok(fits(trace, { sender: '@far.test' }));
    assert.ok(fits(trace, { recipient: 'own.test' }));
    assert.ok(!fits(trace, { sender: 'bob@own.test' }), 'who gets it has not sent it');
    assert.ok(!fits(trace, { recipient: 'ann@far.test' }));
    assert.ok(!fits(trace, { recipient: '@wn.test' }));
  });

  it('have had that outcome', () => {
    const junk = ['message.deposited', { account: 'bob@own.test', mailbox: 'Junk' }] as const;
    const deferred = ['delivery.deferred', { reply: '451' }] as const;
    const delivered = ['delivery.delivered', {}] as const;
    assert.ok(fits(events(accepted, inbox), { outcome: 'delivered' }));
    assert.ok(!fits(events(accepted, junk), { outcome: 'delivered' }));
    assert.ok(fits(events(accepted, junk), { outcome: 'junk' }));
    assert.ok(fits(events(['recipient.refused', {}]), { outcome: 'refused' }));
    assert.ok(fits(events(deferred), { outcome: 'deferred' }));
    assert.ok(!fits(events(deferred, delivered), { outcome: 'deferred' }), 'it waits no longer');
    assert.ok(fits(events(deferred, ['delivery.failed', {}]), { outcome: 'failed' }));
  });
});
