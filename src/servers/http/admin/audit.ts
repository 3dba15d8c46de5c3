import { z } from 'zod';
import type { Said } from '../../../base/words.ts';
import type { Undone } from '../../../data/directory/undo.ts';
import { said } from '../said.ts';
import { whyNot } from './audit-why.ts';
import { type AdminContext, operation } from './operation.ts';

const text = z.string().min(1).max(320).optional();

const list = operation({
  method: 'GET',
  path: '/audit',
  summary: 'Who changed what, newest first; `before` continues a list',
  access: 'administrator',
  input: z.strictObject({
    limit: z.coerce.number<number | string>().int().min(1).max(1000).default(50),
    before: z.coerce.number<number | string>().int().min(1).optional(),
    /** Exactly this person; actions that begin so ("account", "account.role"); part of anything in it. */
    actor: text,
    action: text,
    text,
  }),
  output: z.object({
    rows: z.array(
      z.object({
        id: z.number(),
        at: z.number(),
        actor: z.string(),
        action: z.string(),
        subject: z.string(),
        /** JSON. */
        data: z.string(),
        undo: z.enum(['no', 'possible', 'done']),
        /** Why it cannot be taken back, a sentence. */
        why: z.string().optional(),
        whyWords: said.optional(),
        /** The entry that took it back. */
        undoneBy: z.number().optional(),
      }),
    ),
    /** `before` of the next part. */
    next: z.number().optional(),
  }),
  async run({ store }, { before, ...wanted }) {
    const args = { ...wanted, ...(before !== undefined && { before }) };
    const { rows, next } = await store.read.run('directory.auditSearch', args);
    return {
      rows: rows.map(({ undoable, undone_by: by, ...row }) => ({
        ...row,
        undo: by !== null ? ('done' as const) : undoable === 1 ? ('possible' as const) : ('no' as const),
        ...(by !== null && { undoneBy: by }),
        ...(by === null && undoable !== 1 && whyOf(row.action)),
      })),
      ...(next !== undefined && { next }),
    };
  },
});

function whyOf(action: string): { why: string; whyWords: Said } {
  const whyWords = whyNot(action);
  return { why: whyWords.text, whyWords };
}

const undo = operation({
  method: 'POST',
  path: '/audit/:id/undo',
  summary: 'Take back what an entry of the audit says was done; refused when it was changed since',
  access: 'administrator',
  input: z.strictObject({ id: z.coerce.number<number | string>().int().min(1) }),
  output: z.object({ ok: z.literal(true), id: z.number() }),
  async run(context, { id }, actor) {
    const done = await context.store.write.run('directory.undo', { actor, id });
    await tell(context, done.undone);
    return { ok: true as const, id: done.id };
  },
});

/** Whoever works by a setting or a ban is told of it. */
async function tell(context: AdminContext, undone: Undone): Promise<void> {
  const { store, guard } = context;
  if (undone.kind === 'ban-added') guard?.lifted(undone.ban, undone.subject);
  if (undone.kind === 'ban-lifted') {
    const all = await store.read.run('bans.after', { after: context.clock.now(), limit: 1000 });
    const ban = all.find(({ kind, subject }) => kind === undone.ban && subject === undone.subject);
    if (ban !== undefined) guard?.adopt(ban);
  }
  if (undone.kind === 'exemption') guard?.useExemptions(await store.read.run('bans.exemptions', null));
  if (undone.kind === 'lookup') await context.lookup?.current(true);
  if (undone.kind !== 'setting') return;
  switch (undone.name) {
    case 'filter':
      await context.filter?.changed();
      return;
    case 'routing':
      await context.ways?.settings(true);
      return;
    case 'intake':
      await context.intake?.changed();
      return;
    case 'acme':
      await context.certificates?.changed();
      return;
    case 'housekeeping':
      await context.housekeeping?.changed();
      return;
    case 'journal':
      await context.journal?.changed();
      return;
    default:
  }
}

export const audit = { list, undo };
