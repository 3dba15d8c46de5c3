import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { domainsOf, isAdmin, notPermitted } from '../../../data/directory/permission.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { VaultEntry } from '../../../data/vault/types.ts';
import { toldText } from '../../../flow/explain/say.ts';
import { said } from '../said.ts';
import { caseNumberOf } from '../../../data/vault/case-number.ts';
import type { VaultScope } from '../../../data/vault/types.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { address } from './schemas.ts';

/** Octets of a kept message that are shown. */
const SHOWN_BYTES = 64 * 1024;

const entry = z.object({
  id: z.number(),
  caseNumber: z.string(),
  trace: z.string(),
  kind: z.enum(['refused', 'held']),
  size: z.number(),
  reversePath: z.string(),
  ip: z.string(),
  author: z.string(),
  subject: z.string(),
  reason: z.string(),
  reasonWords: said.optional(),
  createdAt: z.number(),
  expiresAt: z.number(),
  recipients: z.array(
    z.object({ accountId: z.number(), address: z.string(), state: z.enum(['kept', 'released', 'deleted']) }),
  ),
});

const caseNumber = z
  .string()
  .min(1)
  .max(40)
  .transform((text) => caseNumberOf(text) ?? text.toUpperCase());

/** What the actor may see: everything, or the mail of their domain. */
function scopeOf(actor: Actor): VaultScope {
  if (isAdmin(actor)) return { all: true };
  const domainIds = domainsOf(actor);
  if (domainIds.length > 0) return { domainIds };
  throw notPermitted();
}

async function accountId({ store }: AdminContext, account: string): Promise<number> {
  const found = await store.read.run('directory.account', { address: account });
  if (found === undefined) throw new Refusal('no-such-account', `There is no account ${account}.`);
  return found.id;
}

function inWords<E extends VaultEntry>(one: E) {
  return { ...one, reasonWords: toldText(one.reason), recipients: [...one.recipients] };
}

function noSuchCase(): Refusal {
  return new Refusal('not-found', 'There is no such case; "postern vault list" shows what is kept.');
}

const list = operation({
  method: 'GET',
  path: '/vault',
  summary: 'Mail that was refused after it had arrived, and is kept for some days, newest first',
  access: 'domain',
  within: ({ account }) => [account],
  input: z.strictObject({
    account: address.optional(),
    limit: z.coerce.number<number | string>().int().min(1).max(1000).default(50),
    before: z.coerce.number<number | string>().int().min(1).optional(),
  }),
  output: z.object({ entries: z.array(entry) }),
  async run(context, { account, limit, before }, actor) {
    const scope = account === undefined ? scopeOf(actor) : { accountId: await accountId(context, account) };
    const found = await context.store.read.run('vault.list', {
      scope,
      limit,
      ...(before !== undefined && { before }),
    });
    return { entries: found.map(inWords) };
  },
});

const show = operation({
  method: 'GET',
  path: '/vault/:caseNumber',
  summary: 'One kept message: why it was refused, and how it begins',
  access: 'domain',
  input: z.strictObject({ caseNumber }),
  output: z.object({ entry, verdict: z.unknown(), beginning: z.string(), truncated: z.boolean() }),
  async run({ store }, input, actor) {
    const found = await store.read.run('vault.get', { caseNumber: input.caseNumber, scope: scopeOf(actor) });
    if (found === undefined) throw noSuchCase();
    const octets = await store.blobs.bytes(found.content.blobId, 0, Math.min(found.size, SHOWN_BYTES));
    return {
      entry: inWords(found),
      verdict: JSON.parse(found.verdict) as unknown,
      beginning: octets.toString('latin1'),
      truncated: found.size > SHOWN_BYTES,
    };
  },
});

const change = { caseNumber, account: address.optional() };

const release = operation({
  method: 'POST',
  path: '/vault/:caseNumber/release',
  summary: 'Deliver a kept message to the inbox, and learn it as good mail',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject(change),
  output: z.object({ delivered: z.number() }),
  async run(context, { caseNumber: number, account }, actor) {
    const { deposits } = await context.store.write.run('vault.release', {
      actor,
      caseNumber: number,
      ...(account !== undefined && { accountId: await accountId(context, account) }),
    });
    return { delivered: deposits.length };
  },
});

const remove = operation({
  method: 'POST',
  path: '/vault/:caseNumber/delete',
  summary: 'Forget a kept message',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject(change),
  output: done,
  async run(context, { caseNumber: number, account }, actor) {
    const { files } = await context.store.write.run('vault.delete', {
      actor,
      caseNumber: number,
      ...(account !== undefined && { accountId: await accountId(context, account) }),
    });
    for (const file of files) await context.store.bodies.remove(file);
    return OK;
  },
});

export const vault = { list, show, release, remove };
