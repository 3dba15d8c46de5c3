import { z } from 'zod';
import { done, OK, operation } from './operation.ts';
import { address } from './schemas.ts';

/** `address` or `@domain`. */
const granted = z.string().min(1).max(320).describe('An address, or @domain for all of a domain');

const list = operation({
  method: 'GET',
  path: '/accounts/:account/grants',
  summary: 'Addresses an account may send as besides its own',
  access: 'domain',
  within: ({ account }) => [account],
  input: z.strictObject({ account: address }),
  output: z.object({ grants: z.array(z.string()) }),
  async run({ store }, { account }) {
    return { grants: await store.read.run('directory.grants', { account }) };
  },
});

const add = operation({
  method: 'POST',
  path: '/accounts/:account/grants',
  summary: 'Let an account send as an address',
  access: 'store-decides',
  within: ({ account, address: name }) => [account, name],
  input: z.strictObject({ account: address, address: granted }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.addGrant', { actor, ...input });
    return OK;
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/accounts/:account/grants/:address',
  summary: 'Take a grant back',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject({ account: address, address: granted }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.removeGrant', { actor, ...input });
    return OK;
  },
});

export const grants = { list, add, remove };
