import { z } from 'zod';
import { done, OK, operation } from './operation.ts';
import { address, alias, domainName } from './schemas.ts';

/** Addresses that one request may add. */
const TARGETS_MAX = 100;

const list = operation({
  method: 'GET',
  path: '/aliases',
  summary: 'Aliases of a domain, or of all',
  access: 'administrator',
  input: z.strictObject({ domain: domainName.optional() }),
  output: z.object({ aliases: z.array(alias) }),
  async run({ store }, { domain }) {
    return { aliases: await store.read.run('directory.aliases', domain === undefined ? {} : { domain }) };
  },
});

const add = operation({
  method: 'POST',
  path: '/aliases',
  summary: 'Make an alias, or let one lead to more addresses',
  access: 'store-decides',
  input: z.strictObject({ address, targets: z.array(address).min(1).max(TARGETS_MAX) }),
  output: z.object({ alias }),
  async run({ store }, input, actor) {
    return { alias: await store.write.run('directory.addAlias', { actor, ...input }) };
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/aliases/:address',
  summary: 'Remove an alias, or one of the addresses it leads to',
  access: 'store-decides',
  input: z.strictObject({ address, target: address.optional() }),
  output: done,
  async run({ store }, { address: name, target }, actor) {
    const args = target === undefined ? { actor, address: name } : { actor, address: name, target };
    await store.write.run('directory.removeAlias', args);
    return OK;
  },
});

export const aliases = { list, add, remove };
