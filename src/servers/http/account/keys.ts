import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { type CorrespondentKey, MAX_KEY_BYTES, MAX_KEYS } from '../../../data/account/keys.ts';
import { lookUpKey } from './keys-directory.ts';
import { operation } from './operation.ts';
import { done, OK } from './schemas.ts';

/** Keys and certificates of correspondents, by which the web app checks their signatures. */

/** Characters of base64 for so many octets. */
const base64Length = (octets: number): number => Math.ceil(octets / 3) * 4;

const address = z
  .string()
  .trim()
  .max(320)
  .refine((text) => /^[^@\s]+@[^@\s]+$/.test(text), 'an address');
const fingerprint = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/, 'a fingerprint, 40 or 64 hex digits');
const octets = z.base64().min(4).max(base64Length(MAX_KEY_BYTES));
const id = z.coerce.number<number | string>().int().min(1);

const key = z.object({
  id: z.number(),
  kind: z.enum(['pgp', 'smime']),
  address: z.string(),
  fingerprint: z.string(),
  source: z.enum(['given', 'domain', 'autocrypt', 'message']),
  trusted: z.boolean(),
  firstSeen: z.number(),
  changedAt: z.number(),
  size: z.number(),
  octets: z.string().optional(),
});

function shown({ data, ...rest }: CorrespondentKey): z.input<typeof key> {
  return { ...rest, ...(data !== undefined && { octets: Buffer.from(data).toString('base64') }) };
}

const list = operation({
  method: 'GET',
  path: '/keys',
  summary: 'Keys and certificates of correspondents; those of one address with their octets',
  access: 'mail',
  input: z.strictObject({ address: address.optional() }),
  output: z.object({ keys: z.array(key), most: z.number() }),
  async run({ store }, { address: whose }, { accountId }) {
    const keys = await store.read.run('account.keys', {
      accountId,
      ...(whose !== undefined && { address: whose }),
    });
    return { keys: keys.map(shown), most: MAX_KEYS };
  },
});

const show = operation({
  method: 'GET',
  path: '/keys/:id',
  summary: 'One key or certificate of a correspondent with its octets',
  access: 'mail',
  input: z.strictObject({ id }),
  output: key,
  async run({ store }, { id: which }, { accountId }) {
    const found = await store.read.run('account.key', { accountId, id: which });
    if (found === undefined) throw new Refusal('not-found', 'There is no such key.');
    return shown(found);
  },
});

const put = operation({
  method: 'POST',
  path: '/keys',
  summary: 'Keep a key or certificate of a correspondent, or renew one',
  access: 'settings',
  input: z.strictObject({
    kind: z.enum(['pgp', 'smime']),
    address,
    fingerprint,
    octets,
    source: z.enum(['given', 'domain', 'autocrypt', 'message']),
    trusted: z.boolean().default(false),
  }),
  output: key,
  async run({ store, paces, count }, { octets: given, ...rest }, { accountId }) {
    const data = Buffer.from(given, 'base64');
    const kept = await paces.keys.within(accountId, () =>
      store.write.run('account.putKey', { accountId, ...rest, data }),
    );
    count('key');
    return shown(kept);
  },
});

const trust = operation({
  method: 'PUT',
  path: '/keys/:id',
  summary: 'Trust a key for its address, or not any more',
  access: 'settings',
  input: z.strictObject({ id, trusted: z.boolean() }),
  output: key,
  async run({ store, count }, { id: which, trusted }, { accountId }) {
    const kept = await store.write.run('account.trustKey', { accountId, id: which, trusted });
    count('key');
    return shown(kept);
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/keys/:id',
  summary: 'Remove a key or certificate of a correspondent',
  access: 'settings',
  input: z.strictObject({ id }),
  output: done,
  async run({ store }, { id: which }, { accountId }) {
    await store.write.run('account.removeKey', { accountId, id: which });
    return OK;
  },
});

const lookup = operation({
  method: 'POST',
  path: '/keys/lookup',
  summary:
    "Ask an address's domain for its PGP key (Web Key Directory); the domain learns that somebody asks",
  access: 'settings',
  input: z.strictObject({ address }),
  output: z.object({
    found: z.boolean(),
    method: z.enum(['advanced', 'direct']).optional(),
    octets: z.string().optional(),
  }),
  async run(context, { address: whose }, { accountId, revoked }) {
    context.count('key-lookup');
    return context.paces.lookups.within(accountId, async () => {
      const found = await lookUpKey(context, whose, revoked);
      if (found === undefined) return { found: false };
      return { found: true, method: found.method, octets: found.octets.toString('base64') };
    });
  },
});

export const keys = { list, show, put, trust, remove, lookup };
