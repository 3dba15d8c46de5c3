import { z } from 'zod';
import { operation } from './operation.ts';
import { emailIds, formatEmailId, mailboxId, nothing } from './schemas.ts';

/** Mail that is put away until a time. */

const put = operation({
  method: 'POST',
  path: '/snooze',
  summary: 'Put messages away until a time; then they are back where they were, unread',
  access: 'settings',
  input: z.strictObject({ emailIds, until: z.number().int().min(0), mailboxId: mailboxId.optional() }),
  output: z.object({ snoozed: z.number() }),
  async run({ store, count }, { mailboxId: from, ...wish }, { accountId }) {
    const args = { accountId, ...wish, ...(from !== undefined && { mailboxId: from }) };
    const answer = await store.write.run('account.snooze', args);
    count('snooze');
    return answer;
  },
});

const wake = operation({
  method: 'POST',
  path: '/snooze/wake',
  summary: 'Bring snoozed messages back now',
  access: 'settings',
  input: z.strictObject({ emailIds }),
  output: z.object({ woken: z.number() }),
  run: ({ store }, { emailIds: ids }, { accountId }) =>
    store.write.run('account.wake', { accountId, emailIds: ids }),
});

const list = operation({
  method: 'GET',
  path: '/snooze',
  summary: 'Messages that are put away, by the time they come back',
  access: 'mail',
  input: nothing,
  output: z.object({ snoozed: z.array(z.object({ emailId: z.string(), until: z.number() })) }),
  async run({ store }, _input, { accountId }) {
    const found = await store.read.run('account.snoozed', { accountId });
    return { snoozed: found.map(({ emailId, until }) => ({ emailId: formatEmailId(emailId), until })) };
  },
});

export const snooze = { put, wake, list };
