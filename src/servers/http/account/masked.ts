import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { MaskedAddress } from '../../../data/account/masked.ts';
import { operation, selfOf } from './operation.ts';
import { done, nothing, OK } from './schemas.ts';

/** Addresses made for one site each, that can be switched off. */

const masked = z.object({
  id: z.number(),
  address: z.string(),
  label: z.string(),
  site: z.string(),
  state: z.enum(['on', 'off']),
  createdAt: z.number(),
  lastAt: z.number().optional(),
  count: z.number(),
  senders: z.array(
    z.object({
      domain: z.string(),
      count: z.number(),
      firstAt: z.number(),
      lastAt: z.number(),
      expected: z.boolean(),
    }),
  ),
  leaked: z.boolean(),
});

export function shownMasked({ lastAt, senders, ...rest }: MaskedAddress): z.input<typeof masked> {
  return { ...rest, ...(lastAt !== undefined && { lastAt }), senders: [...senders] };
}

export const maskedSchema: typeof masked = masked;

const text = z.string().trim().max(200);
const site = z.string().trim().max(2000);
const id = z.coerce.number<number | string>().int().min(1);

const list = operation({
  method: 'GET',
  path: '/masked',
  summary: 'Your masked addresses: for whom each was made, who writes to it, and whether it leaked',
  access: 'settings',
  input: nothing,
  output: z.object({ addresses: z.array(masked), domains: z.array(z.string()) }),
  async run({ store }, _input, { accountId }) {
    const { addresses, domains } = await store.read.run('account.masked', { accountId });
    return { addresses: addresses.map(shownMasked), domains };
  },
});

const add = operation({
  method: 'POST',
  path: '/masked',
  summary: 'Make a masked address for one site; its name is random',
  access: 'settings',
  input: z.strictObject({ label: text, site: site.optional(), domain: z.string().max(255).optional() }),
  output: masked,
  async run({ store, paces, count }, { label, site: given = '', domain }, who) {
    const { accountId } = who;
    const { domains } = await store.read.run('account.masked', { accountId });
    if (domain !== undefined && !domains.includes(domain.toLowerCase()))
      throw new Refusal('bad-input', `Masked addresses of yours are made in ${domains.join(', ')}.`);
    const made = await paces.masked.within(accountId, () =>
      store.write.run('account.addMasked', { actor: selfOf(who), accountId, label, site: given }),
    );
    count('masked');
    return shownMasked(made);
  },
});

const change = operation({
  method: 'PUT',
  path: '/masked/:id',
  summary: 'Name a masked address anew, or switch it off or on',
  access: 'settings',
  input: z.strictObject({
    id,
    label: text.optional(),
    site: site.optional(),
    state: z.enum(['on', 'off']).optional(),
  }),
  output: masked,
  async run({ store }, { id: which, label, site: given, state }, who) {
    const made = await store.write.run('account.changeMasked', {
      actor: selfOf(who),
      accountId: who.accountId,
      id: which,
      ...(label !== undefined && { label }),
      ...(given !== undefined && { site: given }),
      ...(state !== undefined && { state }),
    });
    if (made === null) throw new Error('a masked address has gone');
    return shownMasked(made);
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/masked/:id',
  summary: 'Remove a masked address for good; nobody will ever get mail to it again',
  access: 'settings',
  input: z.strictObject({ id }),
  output: done,
  async run({ store }, { id: which }, who) {
    const args = { actor: selfOf(who), accountId: who.accountId, id: which, state: 'deleted' as const };
    await store.write.run('account.changeMasked', args);
    return OK;
  },
});

export const masks = { list, add, change, remove };
