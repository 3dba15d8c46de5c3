import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lastReplyOf, nextAttemptOf, type Recipient, waitingOf } from './queue-words.ts';

const recipient = (address: string, wish: Partial<Recipient>): Recipient => ({
  address,
  state: 'queued',
  attempts: 1,
  nextAt: 0,
  ...wish,
});

describe('a message of the queue with several recipients', () => {
  const all = [
    recipient('has-it@far.example', { state: 'delivered', lastReply: '250 2.0.0 queued', nextAt: 5 }),
    recipient('later@far.example', { lastReply: '451 4.7.1 Greylisted', nextAt: 900 }),
    recipient('soon@far.example', { nextAt: 600 }),
  ];

  it('shows for whom it waits, and what was said to them', () => {
    assert.deepEqual(
      waitingOf(all).map(({ address }) => address),
      ['later@far.example', 'soon@far.example'],
    );
    assert.equal(lastReplyOf(all), '451 4.7.1 Greylisted');
    assert.equal(nextAttemptOf(all), 600);
  });

  it('shows all of them once nobody waits any more', () => {
    const done = all.slice(0, 1);
    assert.deepEqual(waitingOf(done), done);
    assert.equal(lastReplyOf(done), '250 2.0.0 queued');
    assert.equal(nextAttemptOf(done), undefined);
  });
});
