import { z } from 'zod';
import { errorText, Refusal } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import { terms } from '../../../data/journal/types.ts';
import { readEnvelope } from '../../../mail/message/envelope-read.ts';
import { type AccountContext, operation, selfOf } from './operation.ts';
import { count, emailIds, formatEmailId } from './schemas.ts';

/** Deleted mail of the last 30 days (or what the site keeps), and how to get it back. */

const cursor = z
  .string()
  .regex(/^\d{1,16}-\d{1,16}$/, 'as "next" of the page before says')
  .transform((text) => {
    const [deletedAt = 0, id = 0] = text.split('-').map(Number);
    return { deletedAt, id };
  });

const list = operation({
  method: 'GET',
  path: '/deleted',
  summary: 'Deleted mail that can be brought back, newest first',
  access: 'mail',
  input: z.strictObject({ limit: count(1, 200, 50), before: cursor.optional() }),
  output: z.object({
    messages: z.array(
      z.object({
        id: z.string(),
        subject: z.string(),
        from: z.object({ name: z.string(), address: z.string() }),
        receivedAt: z.number(),
        deletedAt: z.number(),
        /** Where it goes back to. */
        mailbox: z.string(),
        size: z.number(),
      }),
    ),
    next: z.string().optional(),
  }),
  async run({ store }, { limit, before }, { accountId }) {
    const page = { accountId, limit, ...(before !== undefined && { before }) };
    const { emails, next } = await store.read.run('account.deleted', page);
    return {
      messages: emails.map(({ id, deletedAt, receivedAt, size, mailbox = 'INBOX', envelope }) => {
        const { subject, from } = readEnvelope(Buffer.from(envelope));
        const [first = { name: '', address: '' }] = from;
        return { id: formatEmailId(id), subject, from: first, receivedAt, deletedAt, mailbox, size };
      }),
      ...(next !== undefined && { next: `${next.deletedAt}-${next.id}` }),
    };
  },
});

const restore = operation({
  method: 'POST',
  path: '/deleted/restore',
  summary: 'Bring deleted mail back to where it was, or to INBOX where that is gone',
  access: 'mail',
  input: z.strictObject({ ids: emailIds }),
  output: z.object({
    restored: z.number(),
    messages: z.array(z.object({ id: z.string(), mailbox: z.string() })),
    /** Why it stopped before the end. */
    stopped: z.string().optional(),
  }),
  async run(context, { ids }, who) {
    const { store } = context;
    const { accountId, address } = who;
    const messages: { id: string; mailbox: string }[] = [];
    let stopped: string | undefined;
    for (const emailId of new Set(ids)) {
      try {
        const way = await store.read.run('account.wayBack', { accountId, emailId });
        if (way === undefined) throw new Refusal('no-such-message', 'There is no such deleted message.');
        const { mailboxId, mailbox } = way;
        await store.write.run('mailstore.undelete', { actor: selfOf(who), accountId, emailId, mailboxId });
        messages.push({ id: formatEmailId(emailId), mailbox });
      } catch (error) {
        // What came back stays, and is told.
        if (!(error instanceof Refusal) || messages.length === 0) throw error;
        stopped = error.message;
        break;
      }
    }
    await note(context, address, messages.length);
    return { restored: messages.length, messages, ...(stopped !== undefined && { stopped }) };
  },
});

async function note({ store, clock, logger, count }: AccountContext, subject: string, messages: number) {
  const at = clock.now();
  const data = { action: 'account.undelete', by: subject, subject, messages };
  const event = {
    trace: timeId(at),
    at,
    kind: 'admin.changed',
    data,
    terms: [terms.address(subject)],
  } as const;
  count('undelete');
  await store.write.run('journal.append', { events: [event] }).catch((error: unknown) => {
    logger.error({ error: errorText(error) }, 'account: the journal has no record of what was brought back');
  });
}

export const deleted = { list, restore };
