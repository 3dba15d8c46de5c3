import { z } from 'zod';
import type { Group } from '../../../data/directory/types.ts';
import { done, OK, operation } from './operation.ts';
import { address, domainName, groupSenders } from './schemas.ts';
import { scopeOf } from './scope.ts';

/** Groups: aliases with a description and a word about who may send to them. */

/** Addresses that one request may name. */
const MEMBERS_MAX = 500;

const members = z.array(address).max(MEMBERS_MAX);
const description = z.string().max(500);
const group = z.object({
  address: z.string(),
  description: z.string(),
  senders: groupSenders,
  members: z.array(z.string()),
  createdAt: z.number(),
});
const one = z.object({ group });

function told(found: Group): z.input<typeof one> {
  return { group: { ...found, members: [...found.members] } };
}

const list = operation({
  method: 'GET',
  path: '/groups',
  summary: 'Groups of a domain, or of all',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName.optional() }),
  output: z.object({ groups: z.array(group) }),
  async run({ store }, { domain }, actor) {
    const scope = await scopeOf(store, actor);
    const all = await store.read.run('directory.groups', domain === undefined ? {} : { domain });
    const own = all.filter((each) => scope.covers(each.address));
    return { groups: own.map((each) => told(each).group) };
  },
});

const show = operation({
  method: 'GET',
  path: '/groups/:address',
  summary: 'A group with its members',
  access: 'domain',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address }),
  output: one,
  run: async ({ store }, input) => told(await store.read.run('directory.group', input)),
});

const add = operation({
  method: 'POST',
  path: '/groups',
  summary: 'Make a group: mail to it goes to all of its members',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({
    address,
    members: members.min(1),
    senders: groupSenders.default('anyone'),
    description: description.default(''),
  }),
  output: one,
  run: async ({ store }, input, actor) =>
    told(await store.write.run('directory.addGroup', { actor, ...input })),
});

const change = operation({
  method: 'PUT',
  path: '/groups/:address',
  summary: 'Change what is named of a group; an alias becomes one by it',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({
    address,
    members: members.min(1).optional(),
    senders: groupSenders.optional(),
    description: description.optional(),
  }),
  output: one,
  run: async ({ store }, input, actor) =>
    told(await store.write.run('directory.changeGroup', { actor, ...input })),
});

const changeMembers = operation({
  method: 'POST',
  path: '/groups/:address/members',
  summary: 'Let people join a group, or leave it',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address, add: members.default([]), remove: members.default([]) }),
  output: one,
  run: async ({ store }, input, actor) =>
    told(await store.write.run('directory.changeGroup', { actor, ...input })),
});

const remove = operation({
  method: 'DELETE',
  path: '/groups/:address',
  summary: 'Remove a group',
  access: 'store-decides',
  within: ({ address: name }) => [name],
  input: z.strictObject({ address }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.removeGroup', { actor, ...input });
    return OK;
  },
});

export const groups = { list, show, add, change, changeMembers, remove };
