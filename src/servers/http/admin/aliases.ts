import { z } from 'zod';
import { done, OK, operation } from './operation.ts';
import { scopeOf } from './scope.ts';
import { address, alias, domainName } from './schemas.ts';

/** Addresses that one request may add. */
const TARGETS_MAX = 100;

const list = operation({
  method: 'GET',
  path: '/aliases',
  summary: 'Aliases of a domain, or of all',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName.optional() }),
  output: z.object({ aliases: z.array(alias) }),
  async run({ store }, { domain }, actor) {
    const scope = await scopeOf(store, actor);
    const all = await store.read.run('directory.aliases', domain === undefined ? {} : { domain });
    return { aliases: all.filter(({ address: name }) => scope.covers(name)) };
  },
});

const add = operation({
  method: 'POST',
  path: '/aliases',
  summary: 'Make an alias, or let one lead to more addresses',
  access: 'store-decides',
  within: ({ address: name }) => [name],
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
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, target: address.optional() }),
  output: done,
  async run({ store }, { address: name, target }, actor) {
    const args = target === undefined ? { actor, address: name } : { actor, address: name, target };
    await store.write.run('directory.removeAlias', args);
    return OK;
  },
});

export const aliases = { list, add, remove };
