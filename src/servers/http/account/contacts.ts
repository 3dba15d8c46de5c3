import { z } from 'zod';
import { operation } from './operation.ts';
import { count, done, OK } from './schemas.ts';

/** Correspondents: those written to, by the names that they have. */

const list = operation({
  method: 'GET',
  path: '/contacts',
  summary: 'People you write to, those you write to most first',
  access: 'mail',
  input: z.strictObject({ q: z.string().max(200).default(''), limit: count(1, 500, 50) }),
  output: z.object({
    contacts: z.array(
      z.object({ name: z.string(), address: z.string(), times: z.number(), lastAt: z.number() }),
    ),
  }),
  async run({ store }, { q, limit }, { accountId }) {
    return { contacts: await store.read.run('account.contacts', { accountId, q, limit }) };
  },
});

const forget = operation({
  method: 'DELETE',
  path: '/contacts/:address',
  summary: 'Propose an address no more, until it is written to again',
  access: 'mail',
  input: z.strictObject({ address: z.string().min(1).max(320) }),
  output: done,
  async run({ store }, { address }, { accountId }) {
    await store.write.run('account.forgetContact', { accountId, address });
    return OK;
  },
});

export const contacts = { list, forget };
