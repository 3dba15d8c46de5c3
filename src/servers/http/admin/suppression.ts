import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { needAddress } from '../../../data/directory/address.ts';
import { done, OK, operation } from './operation.ts';
import { address } from './schemas.ts';

const DAY_MS = 86_400_000;

const entry = z.object({
  address: z.string(),
  reason: z.enum(['bounce', 'complaint', 'manual']),
  source: z.enum(['dsn', 'ses', 'arf', 'admin']),
  detail: z.string(),
  queueId: z.string().optional(),
  createdAt: z.number(),
  until: z.number().optional(),
});

const list = operation({
  method: 'GET',
  path: '/suppressions',
  summary: 'Addresses that nothing is sent to, because mail to them came back or was complained of',
  access: 'administrator',
  input: z.strictObject({
    after: z.string().max(320).default(''),
    limit: z.coerce.number().int().min(1).max(1000).default(1000),
  }),
  output: z.object({ entries: z.array(entry) }),
  run: async ({ store, clock }, { after, limit }) => ({
    entries: [...(await store.read.run('suppression.list', { after, now: clock.now(), limit }))],
  }),
});

const show = operation({
  method: 'GET',
  path: '/suppressions/:address',
  summary: 'Why nothing is sent to an address',
  access: 'administrator',
  input: z.strictObject({ address: z.string().min(1).max(320) }),
  output: z.object({ entry }),
  async run({ store, clock }, input) {
    const [found] = await store.read.run('suppression.of', {
      addresses: [input.address],
      now: clock.now(),
    });
    if (found === undefined)
      throw new Refusal('not-found', `${input.address} is not on the suppression list: mail to it is sent.`);
    return { entry: found };
  },
});

const add = operation({
  method: 'POST',
  path: '/suppressions',
  summary: 'Send nothing to an address from now on',
  access: 'administrator',
  input: z.strictObject({
    address,
    note: z.string().max(500).default('no reason given'),
    /** For ever, unless given. */
    days: z.int().min(1).max(3650).optional(),
  }),
  output: done,
  async run({ store, clock }, { address: name, note, days }, actor) {
    needAddress(name);
    const until = days === undefined ? undefined : clock.now() + days * DAY_MS;
    const made = { address: name, reason: 'manual', source: 'admin', detail: note, until } as const;
    const entries = [{ ...made, queueId: undefined, accountId: undefined }];
    await store.write.run('suppression.add', { actor, entries, events: [] });
    return OK;
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/suppressions/:address',
  summary: 'Send to an address again',
  access: 'administrator',
  input: z.strictObject({ address: z.string().min(1).max(320) }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('suppression.remove', { actor, address: input.address });
    return OK;
  },
});

export const suppression = { list, show, add, remove };
