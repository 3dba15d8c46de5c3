import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { KEY_LENGTH, SOURCE_LENGTH } from '../../../data/importing/types.ts';
import type { Account, Actor } from '../../../data/directory/types.ts';
import type { Mailbox } from '../../../data/mailstore/types.ts';
import { type AdminContext, operation } from './operation.ts';
import { address } from './schemas.ts';

/** What brings mail of other systems in, beside the stream of messages itself (message-stream.ts). */

/** Rows of one answer, and changes of one request. */
const PAGE = 2000;
const CHANGES = 500;

export const sourceName = z.string().min(1).max(SOURCE_LENGTH);
export const messageKey = z.string().min(1).max(KEY_LENGTH);
export const flagBits = z.number().int().min(0).max(31);
export const keywordList = z.array(z.string().max(200)).max(500);

const mailboxShape = z.object({
  id: z.number(),
  name: z.string(),
  specialUse: z.string().optional(),
  subscribed: z.boolean(),
  messages: z.number(),
  unseen: z.number(),
  size: z.number(),
  uidvalidity: z.number(),
});
const flagSet = z.object({ flags: z.number(), keywords: z.array(z.string()).readonly() });

export async function needAccount({ store }: AdminContext, name: string): Promise<Account> {
  const found = await store.read.run('directory.account', { address: name });
  if (found === undefined) throw new Refusal('no-such-account', `There is no account ${name}.`);
  return found;
}

/** The source's number; made when it is new. */
export async function sourceIdOf(
  { store }: AdminContext,
  actor: Actor,
  account: Account,
  source: string,
): Promise<number> {
  const args = { actor, accountId: account.id, address: account.address, source };
  return (await store.write.run('importing.source', args)).sourceId;
}

const mailboxes = operation({
  method: 'GET',
  path: '/import/mailboxes',
  summary: 'Mailboxes of an account',
  access: 'administrator',
  input: z.strictObject({ account: address }),
  output: z.object({ mailboxes: z.array(mailboxShape) }),
  async run(context, { account }) {
    const { id } = await needAccount(context, account);
    const all = await context.store.read.run('mailstore.mailboxes', { accountId: id });
    return { mailboxes: all.filter((mailbox) => mailbox.id !== 0) };
  },
});

const ensureMailbox = operation({
  method: 'POST',
  path: '/import/mailboxes',
  summary: 'The mailbox of a use or a name, made when there is none',
  access: 'administrator',
  input: z.strictObject({
    account: address,
    name: z.string().min(1).max(1000),
    specialUse: z.enum(['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash']).optional(),
    subscribed: z.boolean().default(true),
  }),
  output: z.object({ mailbox: mailboxShape }),
  async run(context, { account, name, specialUse, subscribed }) {
    const { read, write } = context.store;
    const { id: accountId } = await needAccount(context, account);
    const find = async (): Promise<Mailbox | undefined> => {
      const all = await read.run('mailstore.mailboxes', { accountId });
      const used = specialUse && all.find((one) => one.id !== 0 && one.specialUse === specialUse);
      return used ?? (await read.run('mailstore.mailbox', { accountId, name }));
    };
    const found = await find();
    if (found !== undefined) return { mailbox: found };
    const use = specialUse !== undefined && { specialUse };
    try {
      await write.run('mailstore.createMailbox', { accountId, name, ...use });
    } catch (error) {
      // Somebody else made it just now.
      if (!(error instanceof Refusal) || error.kind !== 'already-exists') throw error;
    }
    if (subscribed) await write.run('mailstore.subscribe', { accountId, name, subscribed });
    const made = await find();
    if (made === undefined) throw new Refusal('conflict', `The mailbox ${name} went away again.`);
    return { mailbox: made };
  },
});

const known = operation({
  method: 'GET',
  path: '/import/known',
  summary: 'What was brought from a source before, in order of keys, after the one that is named',
  access: 'administrator',
  input: z.strictObject({
    account: address,
    source: sourceName,
    after: z.string().max(KEY_LENGTH).default(''),
    afterMailbox: z.coerce.number().int().min(0).default(0),
  }),
  output: z.object({
    messages: z.array(
      flagSet.extend({
        key: z.string(),
        mailboxId: z.number(),
        uid: z.number(),
        size: z.number(),
        digest: z.string(),
        now: flagSet.optional(),
      }),
    ),
    more: z.boolean(),
  }),
  async run(context, { account, source, after, afterMailbox }) {
    const { id: accountId } = await needAccount(context, account);
    const place = { key: after, mailboxId: afterMailbox };
    const args = { accountId, source, after: place, limit: PAGE };
    const rows = await context.store.read.run('importing.known', args);
    const messages = rows.map((row) => ({
      ...row,
      keywords: [...row.keywords],
      digest: Buffer.from(row.digest).toString('hex'),
    }));
    return { messages, more: rows.length === PAGE };
  },
});

const setFlags = operation({
  method: 'POST',
  path: '/import/flags',
  summary: 'Mark messages that were brought before as their source marks them now',
  access: 'administrator',
  input: z.strictObject({
    account: address,
    source: sourceName,
    changes: z
      .array(z.strictObject({ key: messageKey, flags: flagBits, keywords: keywordList }))
      .max(CHANGES),
  }),
  output: z.object({ changed: z.number() }),
  async run(context, { account, source, changes }, actor) {
    const found = await needAccount(context, account);
    const sourceId = await sourceIdOf(context, actor, found, source);
    return context.store.write.run('importing.flags', { accountId: found.id, sourceId, changes });
  },
});

const place = operation({
  method: 'POST',
  path: '/import/places',
  summary: 'Let a message that was brought before lie in further mailboxes',
  access: 'administrator',
  input: z.strictObject({
    account: address,
    source: sourceName,
    key: messageKey,
    mailboxIds: z.array(z.number().int()).max(CHANGES),
  }),
  output: z.object({ placed: z.number() }),
  async run(context, { account, source, key, mailboxIds }, actor) {
    const found = await needAccount(context, account);
    const sourceId = await sourceIdOf(context, actor, found, source);
    return context.store.write.run('importing.place', { accountId: found.id, sourceId, key, mailboxIds });
  },
});

const remove = operation({
  method: 'POST',
  path: '/import/removals',
  summary: 'Remove messages that were brought before and are gone from their source',
  access: 'administrator',
  input: z.strictObject({
    account: address,
    source: sourceName,
    items: z.array(z.strictObject({ key: messageKey, mailboxId: z.number().int() })).max(CHANGES),
  }),
  output: z.object({ removed: z.number() }),
  async run(context, { account, source, items }, actor) {
    const found = await needAccount(context, account);
    const sourceId = await sourceIdOf(context, actor, found, source);
    return context.store.write.run('importing.remove', { accountId: found.id, sourceId, items });
  },
});

export const importingMail = { mailboxes, ensureMailbox, known, setFlags, place, remove };
