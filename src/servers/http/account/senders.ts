import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { done, nothing, OK } from './schemas.ts';
import { operation, selfOf } from './operation.ts';

/** Senders that are always welcome, or never. Welcome is who can prove to be it: a name alone opens no door. */

const sender = z
  .string()
  .trim()
  .min(3)
  .max(320)
  .refine((text) => text.includes('@') && !text.includes('/'), 'an address, or @ and a domain');

const list = operation({
  method: 'GET',
  path: '/senders',
  summary: 'Senders that you always take, and those that you block',
  access: 'settings',
  input: nothing,
  output: z.object({
    senders: z.array(
      z.object({ address: z.string(), state: z.enum(['allowed', 'blocked']), since: z.number() }),
    ),
  }),
  async run({ store }, _input, { address }) {
    const entries = await store.read.run('spam.lists', { account: address });
    return {
      senders: entries
        // Networks are for administrators.
        .filter(({ pattern }) => pattern.includes('@'))
        .map(({ pattern, action, createdAt }) => ({
          address: pattern,
          state: action === 'allow' ? ('allowed' as const) : ('blocked' as const),
          since: createdAt,
        })),
    };
  },
});

const set = operation({
  method: 'POST',
  path: '/senders',
  summary: 'Always take mail from an address or @domain, put it into Junk, or neither',
  access: 'settings',
  input: z.strictObject({ address: sender, state: z.enum(['allow', 'block', 'none']) }),
  output: done,
  async run({ store, count }, { address: pattern, state }, who) {
    const args = { actor: selfOf(who), account: who.address, pattern };
    if (state !== 'none') await store.write.run('spam.listAdd', { ...args, action: state });
    else {
      await store.write.run('spam.listRemove', args).catch((error: unknown) => {
        // It is as it was wanted.
        if (!(error instanceof Refusal) || error.kind !== 'not-found') throw error;
      });
    }
    count('senders');
    return OK;
  },
});

export const senders = { list, set };
