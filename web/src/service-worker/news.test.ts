import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answered, type Ask, newsSince } from './news.ts';

/** A server's answers by method, in order; what was asked is in `asked`. */
function server(answers: Readonly<Record<string, object[]>>, at = Date.UTC(2030, 0, 1, 12)) {
  const asked: (readonly [string, Record<string, unknown>])[] = [];
  const ask: Ask = async (calls) => {
    const found: Answered['answers'][number][] = [];
    for (const [name, args, id] of calls) {
      asked.push([name, args as Record<string, unknown>]);
      const answer = answers[name]?.shift() as Record<string, unknown> | undefined;
      assert.ok(answer, `nobody thought of ${name}`);
      found.push(['type' in answer ? 'error' : name, answer, id]);
    }
    return { answers: found, at };
  };
  return { ask, asked };
}

const boxes = {
  list: [
    { id: 'i', role: 'inbox', unreadEmails: 3 },
    { id: 'j', role: 'junk', unreadEmails: 9 },
  ],
};
const email = (id: string, more: object = {}) => ({
  id,
  threadId: `t${id}`,
  subject: `Subject ${id}`,
  from: [{ name: 'Ann', email: 'ann@else.test' }],
  mailboxIds: { i: true },
  keywords: {},
  ...more,
});

describe('news for notices', () => {
  it('are what was made since the state, as far as it is unread in the inbox', async () => {
    const { ask, asked } = server({
      'Mailbox/get': [boxes],
      'Email/changes': [{ newState: 's2', hasMoreChanges: false }],
      'Email/get': [
        {
          list: [
            email('1'),
            email('2', { keywords: { $seen: true } }),
            email('3', { mailboxIds: { j: true } }),
          ],
        },
      ],
    });
    const news = await newsSince(ask, 'a', 's1');
    assert.deepEqual(
      [news.messages.map(({ id }) => id), news.lately, news.unread, news.state],
      [['1'], 0, 3, 's2'],
    );
    assert.equal(asked[1]?.[1]['sinceState'], 's1');
  });

  it('follow further answers', async () => {
    const { ask } = server({
      'Mailbox/get': [boxes],
      'Email/changes': [
        { newState: 's2', hasMoreChanges: true },
        { newState: 's3', hasMoreChanges: false },
      ],
      'Email/get': [{ list: [email('1')] }, { list: [email('2')] }],
    });
    const news = await newsSince(ask, 'a', 's1');
    assert.deepEqual([news.messages.length, news.state], [2, 's3']);
  });

  for (const [why, since] of [
    ['the server does not know the state any more', 's0'],
    ['nothing has been told yet', undefined],
  ] as const)
    it(`are a number of the last minute by the server's clock where ${why}`, async () => {
      const { ask, asked } = server({
        'Mailbox/get': [boxes],
        'Email/changes': [{ type: 'cannotCalculateChanges' }],
        'Email/get': [...(since === undefined ? [] : [{ type: 'invalidResultReference' }]), { state: 's9' }],
        'Email/query': [{ total: 2 }],
      });
      const news = await newsSince(ask, 'a', since);
      assert.deepEqual([news.messages, news.lately, news.state], [[], 2, 's9']);
      const [, query] = asked.find(([name]) => name === 'Email/query') ?? [];
      assert.equal((query?.['filter'] as { after: string } | undefined)?.after, '2030-01-01T11:59:00Z');
    });

  it('ends where there is no end of changes', async () => {
    const { ask } = server({
      'Mailbox/get': [boxes],
      'Email/changes': Array.from({ length: 9 }, (_, i) => ({ newState: `x${i}`, hasMoreChanges: true })),
      'Email/get': [...Array.from({ length: 5 }, () => ({ list: [email('1')] })), { state: 's9' }],
      'Email/query': [{ total: 40 }],
    });
    const news = await newsSince(ask, 'a', 's1');
    assert.deepEqual([news.messages, news.lately, news.state], [[], 40, 's9']);
  });
});
