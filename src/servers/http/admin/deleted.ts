import { z } from 'zod';
import { errorText, Refusal } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import { isAdmin, notPermitted, requireAccount } from '../../../data/directory/permission.ts';
import type { Account, Actor } from '../../../data/directory/types.ts';
import { terms } from '../../../data/journal/types.ts';
import { type AdminContext, operation } from './operation.ts';
import { address } from './schemas.ts';

/** Deleted messages looked through at most, the newest. */
const LOOKED_AT = 10_000;
/** Messages listed, and brought back, in one request at most. */
const AT_ONCE = 500;

/** Where a message goes whose mailbox is no more. */
const INBOX = 'INBOX';

const deletedMail = z.object({
  id: z.number(),
  /** When it was deleted. */
  deletedAt: z.number(),
  /** Where it lay last; absent when that is not known, or when the mailbox is gone too. */
  mailbox: z.string().optional(),
});

const selection = {
  address,
  /** Only what lay in this mailbox. */
  mailbox: z.string().min(1).max(1000).optional(),
};

interface Deleted {
  readonly id: number;
  readonly deletedAt: number;
  readonly mailbox: string | undefined;
  readonly mailboxId: number;
}

interface Wanted {
  readonly mailbox?: string | undefined;
  readonly since?: number | undefined;
  readonly ids?: readonly number[] | undefined;
}

async function needAccount({ store }: AdminContext, name: string): Promise<Account> {
  const found = await store.read.run('directory.account', { address: name });
  if (found === undefined) throw new Refusal('no-such-account', `There is no account ${name}.`);
  return found;
}

/** The store judges every message; what an account holds is not for others to find out either. */
async function permittedAccount(context: AdminContext, name: string, actor: Actor): Promise<Account> {
  const found = await needAccount(context, name).catch((error: unknown) => {
    throw error instanceof Refusal && !isAdmin(actor) ? notPermitted() : error;
  });
  requireAccount(actor, found);
  return found;
}

/** Deleted mail of an account that can still be brought back, newest first. */
async function find({ store }: AdminContext, accountId: number, wanted: Wanted): Promise<Deleted[]> {
  const { mailbox, since = 0, ids } = wanted;
  const [orphans, mailboxes] = await Promise.all([
    store.read.run('mailstore.orphans', { accountId, limit: LOOKED_AT }),
    store.read.run('mailstore.mailboxes', { accountId }),
  ]);
  const names = new Map(mailboxes.filter(({ id }) => id !== 0).map(({ id, name }) => [id, name]));
  const only = mailbox?.toUpperCase() === INBOX ? INBOX : mailbox;
  return orphans
    .map(({ emailId, mailboxId, orphanedAt }) => ({
      id: emailId,
      deletedAt: orphanedAt,
      mailbox: names.get(mailboxId),
      mailboxId,
    }))
    .filter((one) => one.deletedAt >= since)
    .filter((one) => only === undefined || one.mailbox === only)
    .filter((one) => ids === undefined || ids.includes(one.id));
}

export const listDeleted = operation({
  method: 'GET',
  path: '/accounts/:address/deleted',
  summary: 'Deleted mail of an account that can be brought back, newest first',
  access: 'domain',
  within: ({ address: name }) => [name],
  input: z.strictObject({
    ...selection,
    since: z.coerce.number<number | string>().min(0).optional(),
    limit: z.coerce.number<number | string>().int().min(1).max(AT_ONCE).default(100),
  }),
  output: z.object({ messages: z.array(deletedMail), more: z.boolean() }),
  async run(context, { address: name, limit, ...wanted }) {
    const { id } = await needAccount(context, name);
    const found = await find(context, id, wanted);
    const messages = found.slice(0, limit).map(({ mailbox, ...rest }) => ({
      id: rest.id,
      deletedAt: rest.deletedAt,
      ...(mailbox !== undefined && { mailbox }),
    }));
    return { messages, more: found.length > limit };
  },
});

export const undelete = operation({
  method: 'POST',
  path: '/accounts/:address/undelete',
  summary: 'Bring deleted mail back to where it was, or to INBOX where its mailbox is gone',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({
    ...selection,
    since: z.number().min(0).optional(),
    ids: z.array(z.number().int().min(1)).max(AT_ONCE).optional(),
  }),
  output: z.object({
    /** Where each message is now. */
    restored: z.array(z.object({ id: z.number(), mailbox: z.string(), uid: z.number() })),
    /** There is more to bring back: ask again. */
    more: z.boolean(),
    /** Why it stopped before the end, such as a quota that is met. */
    stopped: z.string().optional(),
  }),
  async run(context, { address: name, ...wanted }, actor) {
    if (wanted.mailbox === undefined && wanted.since === undefined && wanted.ids === undefined)
      throw new Refusal('bad-input', 'Say what to bring back: ids, a mailbox, or since when it was deleted.');
    const account = await permittedAccount(context, name, actor);
    const found = await find(context, account.id, wanted);
    if (found.length === 0) throw new Refusal('no-such-message', 'No deleted message is like that.');
    return bringBack(context, account, found, actor);
  },
});

interface Restored {
  restored: { id: number; mailbox: string; uid: number }[];
  more: boolean;
  stopped?: string;
}

async function bringBack(
  context: AdminContext,
  account: Account,
  found: readonly Deleted[],
  actor: Actor,
): Promise<Restored> {
  const { read, write } = context.store;
  const inbox = await read.run('mailstore.mailbox', { accountId: account.id, name: INBOX });
  if (inbox === undefined) throw new Refusal('no-such-mailbox', `${account.address} has no INBOX.`);
  const restored: Restored['restored'] = [];
  let stopped: string | undefined;
  for (const { id, mailbox = INBOX, mailboxId } of found.slice(0, AT_ONCE)) {
    const into = mailbox === INBOX ? inbox.id : mailboxId;
    try {
      const { uid } = await write.run('mailstore.undelete', {
        actor,
        accountId: account.id,
        emailId: id,
        mailboxId: into,
      });
      restored.push({ id, mailbox, uid });
    } catch (error) {
      // What came back stays; it has to be told and recorded.
      if (!(error instanceof Refusal) || restored.length === 0) throw error;
      stopped = error.message;
      break;
    }
  }
  await note(context, account, restored, actor);
  const more = stopped === undefined && found.length > AT_ONCE;
  return { restored, more, ...(stopped !== undefined && { stopped }) };
}

/** Who brought how much back, where "postern trace ADDRESS" finds it. */
async function note(
  { store, clock, logger }: AdminContext,
  { address: subject }: Account,
  restored: Restored['restored'],
  actor: Actor,
): Promise<void> {
  const at = clock.now();
  const mailboxes = [...new Set(restored.map(({ mailbox }) => mailbox))].slice(0, 10);
  const data = { action: 'account.undelete', by: actor.name, subject, messages: restored.length, mailboxes };
  const event = {
    trace: timeId(at),
    at,
    kind: 'admin.changed',
    data,
    terms: [terms.address(subject)],
  } as const;
  logger.info(data, 'admin: deleted mail brought back');
  await store.write.run('journal.append', { events: [event] }).catch((error: unknown) => {
    logger.error({ error: errorText(error) }, 'admin: the journal has no record of it');
  });
}
