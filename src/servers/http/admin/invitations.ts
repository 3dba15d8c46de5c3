import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Invitation } from '../../../data/directory/types.ts';
import { Refusal } from '../../../base/errors.ts';
import { done, OK, operation } from './operation.ts';
import { address, domainName, quota, role } from './schemas.ts';
import { scopeOf } from './scope.ts';
import { webAddress } from './web-address.ts';

/** Links by which people make accounts of their own. */

const DAY_MS = 86_400_000;
/** Octets of a token. */
const TOKEN_BYTES = 32;

/** What is kept of a token. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

const invitation = z.object({
  id: z.number(),
  address: z.string().optional(),
  domain: z.string(),
  role,
  quota: z.number(),
  note: z.string(),
  createdBy: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
  state: z.enum(['open', 'used', 'expired']),
  usedAt: z.number().optional(),
  usedFor: z.string().optional(),
});

function told({ domainId: _id, ...row }: Invitation, now: number): z.input<typeof invitation> {
  const state = row.usedAt !== undefined ? 'used' : row.expiresAt <= now ? 'expired' : 'open';
  return { ...row, state };
}

const list = operation({
  method: 'GET',
  path: '/invitations',
  summary: 'Invitations of a domain, or of all, newest first',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName.optional() }),
  output: z.object({ invitations: z.array(invitation) }),
  async run({ store, clock }, { domain }, actor) {
    const scope = await scopeOf(store, actor);
    const all = await store.read.run('directory.invitations', domain === undefined ? {} : { domain });
    const own = all.filter((each) => scope.covers(each.domain));
    return { invitations: own.map((each) => told(each, clock.now())) };
  },
});

const add = operation({
  method: 'POST',
  path: '/invitations',
  summary: 'Invite somebody: a link that is good once, for one address or any name in a domain',
  access: 'store-decides',
  within: ({ address: name, domain }) => [name, domain],
  input: z.strictObject({
    address: address.optional(),
    domain: domainName.optional(),
    role: role.default('user'),
    quota: quota.default(0),
    days: z.int().min(1).max(90).default(7),
    note: z.string().max(200).default(''),
  }),
  output: z.object({ invitation, token: z.string(), link: z.string() }),
  async run({ store, clock, facts }, { address: name = null, domain = null, days, ...rest }, actor) {
    if ((name === null) === (domain === null))
      throw new Refusal('bad-input', 'Say either which address the invitation is for, or in which domain.');
    const token = newToken();
    const digest = tokenDigest(token);
    const expiresAt = clock.now() + days * DAY_MS;
    const args = { actor, ...rest, address: name, domain, digest, expiresAt };
    const made = await store.write.run('directory.addInvitation', args);
    const link = `${webAddress(facts)}/#/invitation?token=${token}`;
    return { invitation: told(made, clock.now()), token, link };
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/invitations/:id',
  summary: 'Withdraw an invitation',
  access: 'store-decides',
  input: z.strictObject({ id: z.coerce.number<number | string>().int().min(1) }),
  output: done,
  async run({ store }, { id }, actor) {
    const scope = await scopeOf(store, actor);
    // What is not theirs is not there, for those who look after some domains only.
    const known = await store.read.run('directory.invitations', {});
    if (!known.some((each) => each.id === id && scope.covers(each.domain)))
      throw new Refusal('not-found', 'There is no such invitation.');
    await store.write.run('directory.removeInvitation', { actor, id });
    return OK;
  },
});

export const invitations = { list, add, remove };
