import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { caseNumberOf } from '../../../data/vault/case-number.ts';
import type { VaultEntry } from '../../../data/vault/types.ts';
import { toldText } from '../../../flow/explain/say.ts';
import { said } from '../said.ts';
import type { Principal } from '../../request-login.ts';
import { operation, selfOf } from './operation.ts';
import { count, done, OK } from './schemas.ts';

/** Mail for this account that was refused after it had arrived, and is kept for some days. */

/** Octets of a kept message that are shown. */
const SHOWN_BYTES = 64 * 1024;

const entry = z.object({
  case: z.string(),
  from: z.string(),
  subject: z.string(),
  reason: z.string(),
  reasonWords: said.optional(),
  size: z.number(),
  at: z.number(),
  expiresAt: z.number(),
  /** Its addresses of yours. */
  to: z.array(z.string()),
  state: z.enum(['kept', 'released', 'deleted']),
});

const reason = z.object({ name: z.string(), score: z.number(), text: z.string() });
const verdict = z.object({
  action: z.string(),
  probability: z.number(),
  reasons: z.array(reason),
  decidedBy: reason.optional(),
  nearest: z.string().optional(),
});

function shown(found: VaultEntry): z.input<typeof entry> {
  return {
    case: found.caseNumber,
    from: found.author === '' ? found.reversePath : found.author,
    subject: found.subject,
    reason: found.reason,
    reasonWords: toldText(found.reason),
    size: found.size,
    at: found.createdAt,
    expiresAt: found.expiresAt,
    to: found.recipients.map(({ address }) => address),
    state: found.recipients[0]?.state ?? 'kept',
  };
}

const named = z.strictObject({
  case: z
    .string()
    .min(1)
    .max(40)
    .transform((text) => caseNumberOf(text) ?? text),
});

function noSuchCase(): Refusal {
  return new Refusal('not-found', 'There is no such case among your refused mail; its time may be over.');
}

function changeOf(who: Principal, caseNumber: string) {
  return { actor: selfOf(who), caseNumber, accountId: who.accountId };
}

const list = operation({
  method: 'GET',
  path: '/refused',
  summary: 'Mail for you that was refused and is kept for some days, newest first',
  access: 'mail',
  input: z.strictObject({
    limit: count(1, 200, 100),
    before: z.coerce.number<number | string>().int().min(1).optional(),
  }),
  output: z.object({ entries: z.array(entry), next: z.number().optional() }),
  async run({ store }, { limit, before }, { accountId }) {
    const found = await store.read.run('vault.list', {
      scope: { accountId },
      limit,
      ...(before !== undefined && { before }),
    });
    const last = found.length === limit ? found.at(-1)?.id : undefined;
    return { entries: found.map(shown), ...(last !== undefined && { next: last }) };
  },
});

const show = operation({
  method: 'GET',
  path: '/refused/:case',
  summary: 'One refused message: why, and how it begins',
  access: 'mail',
  input: named,
  output: z.object({ entry, verdict: verdict.nullable(), beginning: z.string(), truncated: z.boolean() }),
  async run({ store }, { case: caseNumber }, { accountId }) {
    const found = await store.read.run('vault.get', { caseNumber, scope: { accountId } });
    if (found === undefined) throw noSuchCase();
    const octets = await store.blobs.bytes(found.content.blobId, 0, Math.min(found.size, SHOWN_BYTES));
    const read = verdict.safeParse(JSON.parse(found.verdict));
    return {
      entry: shown(found),
      verdict: read.success ? read.data : null,
      beginning: octets.toString('latin1'),
      truncated: found.size > SHOWN_BYTES,
    };
  },
});

const release = operation({
  method: 'POST',
  path: '/refused/:case/release',
  summary: 'Have a refused message delivered to your inbox, and learned as good mail',
  access: 'mail',
  input: named,
  output: z.object({ delivered: z.number(), emailId: z.string().optional() }),
  async run({ store, count: counted }, { case: caseNumber }, who) {
    const { deposits } = await store.write.run('vault.release', changeOf(who, caseNumber));
    const [first] = deposits;
    counted('release');
    return { delivered: deposits.length, ...(first !== undefined && { emailId: `M${first.emailId}` }) };
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/refused/:case',
  summary: 'Forget a refused message',
  access: 'mail',
  input: named,
  output: done,
  async run({ store }, { case: caseNumber }, who) {
    const { files } = await store.write.run('vault.delete', changeOf(who, caseNumber));
    for (const file of files) await store.bodies.remove(file);
    return OK;
  },
});

export const refused = { list, show, release, remove };
