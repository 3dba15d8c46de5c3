import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { MaskedAddress } from '../../../data/account/masked.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { address } from './schemas.ts';

/** What people do for themselves by the account API, for those who help them. */

const masked = z.object({
  address: z.string(),
  label: z.string(),
  site: z.string(),
  state: z.enum(['on', 'off']),
  createdAt: z.number(),
  lastAt: z.number().optional(),
  count: z.number(),
  senders: z.array(z.object({ domain: z.string(), count: z.number(), expected: z.boolean() })),
  leaked: z.boolean(),
});

function shown({ id: _id, lastAt, senders, ...rest }: MaskedAddress): z.input<typeof masked> {
  return {
    ...rest,
    ...(lastAt !== undefined && { lastAt }),
    senders: senders.map(({ domain, count, expected }) => ({ domain, count, expected })),
  };
}

async function accountId({ store }: AdminContext, account: string): Promise<number> {
  const found = await store.read.run('directory.account', { address: account });
  if (found === undefined) throw new Refusal('no-such-account', `There is no account ${account}.`);
  return found.id;
}

const maskedList = operation({
  method: 'GET',
  path: '/accounts/:account/masked',
  summary: 'Masked addresses of an account, who writes to them, and which have leaked',
  access: 'domain',
  within: ({ account }) => [account],
  input: z.strictObject({ account: address }),
  output: z.object({ addresses: z.array(masked) }),
  async run(context, { account }) {
    const id = await accountId(context, account);
    const { addresses } = await context.store.read.run('account.masked', { accountId: id });
    return { addresses: addresses.map(shown) };
  },
});

const maskedAdd = operation({
  method: 'POST',
  path: '/accounts/:account/masked',
  summary: 'Make a masked address for an account; its name is random',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject({
    account: address,
    label: z.string().max(200).default(''),
    site: z.string().max(2000).default(''),
  }),
  output: masked,
  async run(context, { account, label, site }, actor) {
    const args = { actor, accountId: await accountId(context, account), label, site };
    return shown(await context.store.write.run('account.addMasked', args));
  },
});

const maskedSet = operation({
  method: 'PUT',
  path: '/masked/:address',
  summary: 'Switch a masked address off or on, or remove it for good',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, state: z.enum(['on', 'off', 'deleted']) }),
  output: done,
  async run({ store }, { address: name, state }, actor) {
    const owner = await store.read.run('account.maskedOwner', { address: name });
    if (owner === undefined) throw new Refusal('not-found', `${name} is no masked address.`);
    await store.write.run('account.changeMasked', { actor, ...owner, state });
    return OK;
  },
});

const snoozed = operation({
  method: 'GET',
  path: '/accounts/:account/snoozed',
  summary: 'How much mail an account has put away, and when it comes back',
  access: 'domain',
  within: ({ account }) => [account],
  input: z.strictObject({ account: address }),
  output: z.object({
    snoozed: z.array(z.object({ emailId: z.number(), until: z.number(), mailbox: z.string() })),
  }),
  async run(context, { account }) {
    const id = await accountId(context, account);
    const found = await context.store.read.run('account.snoozed', { accountId: id });
    const mailboxes = await context.store.read.run('mailstore.mailboxes', { accountId: id });
    const names = new Map(mailboxes.map((each) => [each.id, each.name]));
    return {
      snoozed: found.map(({ emailId, until, backTo }) => ({
        emailId,
        until,
        mailbox: names.get(backTo) ?? 'INBOX',
      })),
    };
  },
});

export const selfService = { maskedList, maskedAdd, maskedSet, snoozed };
