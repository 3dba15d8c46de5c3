import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { formatRights, parseRights } from '../../../data/sharing/rights.ts';
import { operation } from './operation.ts';
import { account as accountShape, address } from './schemas.ts';

const mailbox = z.string().min(1).max(1000).describe('Full name of a mailbox, levels separated by "/"');
const rights = z.object({
  mailbox: z.string(),
  entries: z.array(z.object({ who: z.string(), rights: z.string() })),
});

function told(
  name: string,
  entries: readonly { identifier: string; rights: number }[],
): z.input<typeof rights> {
  return {
    mailbox: name,
    entries: entries.map(({ identifier, rights: bits }) => ({ who: identifier, rights: formatRights(bits) })),
  };
}

const show = operation({
  method: 'GET',
  path: '/accounts/:account/rights',
  summary: 'Who may do what with a mailbox (RFC 4314), its owner first',
  access: 'domain',
  within: ({ account }) => [account],
  input: z.strictObject({ account: address, mailbox }),
  output: rights,
  async run({ store }, { account, mailbox: name }) {
    const owner = await store.read.run('directory.account', { address: account });
    if (owner === undefined) throw new Refusal('no-such-account', `There is no account ${account}.`);
    const found = await store.read.run('mailstore.mailbox', { accountId: owner.id, name });
    if (found === undefined)
      throw new Refusal('no-such-mailbox', `${owner.address} has no mailbox "${name.slice(0, 100)}".`);
    return told(found.name, await store.read.run('sharing.acl', { mailboxId: found.id }));
  },
});

const set = operation({
  method: 'PUT',
  path: '/accounts/:account/rights',
  summary: 'Give somebody rights to a mailbox, or take them away; it counts at once, in open sessions too',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject({
    account: address,
    mailbox,
    who: z
      .string()
      .min(1)
      .max(400)
      .describe(
        'An address, anyone, @domain or group:ALIAS; with "-" in front rights are taken away from them',
      ),
    rights: z.string().max(20).describe('Letters of lrswipkxtea; none: nothing is left'),
    mode: z.enum(['replace', 'add', 'remove']).default('replace'),
  }),
  output: rights,
  async run({ store }, { account, mailbox: name, who, rights: letters, mode }, actor) {
    const bits = parseRights(letters);
    if (bits === undefined)
      throw new Refusal('bad-input', `"${letters}" are no rights: give letters of lrswipkxtea.`);
    const args = { actor, account, mailbox: name, identifier: who, mode, rights: bits };
    return told(name, await store.write.run('sharing.setRights', args));
  },
});

const addShared = operation({
  method: 'POST',
  path: '/shared-accounts',
  summary: 'Add an account that nobody logs in to: its mailboxes are for those who are given rights',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({
    address,
    displayName: z.string().max(200).default(''),
    quota: z.number().int().min(0).default(0),
  }),
  output: z.object({ account: accountShape }),
  async run({ store }, input, actor) {
    const args = { actor, ...input, role: 'user', hash: '', scram: null, shared: true } as const;
    return { account: await store.write.run('directory.addAccount', args) };
  },
});

export const sharing = { show, set, addShared };
