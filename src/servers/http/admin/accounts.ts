import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { hashPassword } from '../../../data/directory/passwords.ts';
import { listDeleted, undelete } from './deleted.ts';
import { done, OK, operation } from './operation.ts';
import { scopeOf } from './scope.ts';
import { account, address, alias, domainName, password, quota, role } from './schemas.ts';

const byAddress = z.strictObject({ address });

const list = operation({
  method: 'GET',
  path: '/accounts',
  summary: 'Accounts of a domain, or of all; with removed, those that can be restored instead',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName.optional(), removed: z.stringbool().optional() }),
  output: z.object({ accounts: z.array(account) }),
  async run({ store }, { domain, removed = false }, actor) {
    const args = domain === undefined ? { removed } : { domain, removed };
    const scope = await scopeOf(store, actor);
    const all = await store.read.run('directory.accounts', args);
    return { accounts: all.filter(({ address: name }) => scope.covers(name)) };
  },
});

const add = operation({
  method: 'POST',
  path: '/accounts',
  summary: 'Add an account',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({
    address,
    password,
    displayName: z.string().max(200).default(''),
    role: role.default('user'),
    quota: quota.default(0),
  }),
  output: z.object({ account }),
  async run({ store }, input, actor) {
    const { password: secret, ...rest } = input;
    const { hash, scram } = await hashPassword(secret);
    const added = await store.write.run('directory.addAccount', { actor, ...rest, hash, scram });
    return { account: added };
  },
});

const show = operation({
  method: 'GET',
  path: '/accounts/:address',
  summary: 'An account with its aliases and grants',
  access: 'domain',
  within: ({ address: name }) => [name],
  input: byAddress,
  output: z.object({
    account,
    aliases: z.array(alias),
    grants: z.array(z.string()),
  }),
  async run({ store }, input, actor) {
    const { read } = store;
    const scope = await scopeOf(store, actor);
    const found = await read.run('directory.account', { address: input.address });
    if (found === undefined) throw new Refusal('no-such-account', `There is no account ${input.address}.`);
    const [aliases, grants] = await Promise.all([
      read.run('directory.aliases', {}),
      read.run('directory.grants', { account: found.address }),
    ]);
    return {
      account: found,
      aliases: aliases.filter((one) => one.targets.includes(found.address) && scope.covers(one.address)),
      grants,
    };
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/accounts/:address',
  summary: 'Remove an account; with purge its mail too, for good',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, purge: z.stringbool().optional() }),
  output: done,
  async run({ store, logger }, { address: name, purge = false }, actor) {
    const { files } = await store.write.run('directory.removeAccount', { actor, address: name, purge });
    // The commit stands: a file that stays behind is swept later.
    for (const file of files) {
      await store.bodies.remove(file).catch((error: unknown) => {
        logger.warn({ file, error: String(error) }, 'a body of a purged account could not be removed');
      });
    }
    return OK;
  },
});

const restore = operation({
  method: 'POST',
  path: '/accounts/:address/restore',
  summary: 'Bring back an account that was removed within the last 30 days',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: byAddress,
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.restoreAccount', { actor, address: input.address });
    return OK;
  },
});

const setPassword = operation({
  method: 'PUT',
  path: '/accounts/:address/password',
  summary: 'Set a new password; sessions that are open are cut',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, password }),
  output: done,
  async run({ store }, input, actor) {
    const { hash, scram } = await hashPassword(input.password);
    await store.write.run('directory.setPassword', { actor, address: input.address, hash, scram });
    return OK;
  },
});

const setStatus = operation({
  method: 'PUT',
  path: '/accounts/:address/status',
  summary: 'Suspend an account (its sessions are cut at once) or let it in again',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, status: z.enum(['active', 'suspended']) }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.setStatus', { actor, ...input });
    return OK;
  },
});

const setRole = operation({
  method: 'PUT',
  path: '/accounts/:address/role',
  summary: 'What an account may administer',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, role }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.setRole', { actor, ...input });
    return OK;
  },
});

const setQuota = operation({
  method: 'PUT',
  path: '/accounts/:address/quota',
  summary: 'How much mail an account may keep',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, quota }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.setQuota', { actor, ...input });
    return OK;
  },
});

export const accounts = {
  list,
  add,
  show,
  remove,
  restore,
  setPassword,
  setStatus,
  setRole,
  setQuota,
  listDeleted,
  undelete,
};
