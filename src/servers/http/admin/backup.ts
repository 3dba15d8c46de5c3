import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { backupSettingsSchema } from '../../../data/backup/settings.ts';
import type { Backups, Elsewhere, Task } from '../../../flow/backup/service.ts';
import { requireRoom } from './disk-room.ts';
import { type AdminContext, operation } from './operation.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

function backupsOf({ backups }: AdminContext): Backups {
  if (backups === undefined) throw new Refusal('unavailable', 'Nothing is backed up here.');
  return backups;
}

async function stored(store: AdminContext['store']): Promise<Stored> {
  const json = await store.read.run('backup.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

const shown = z.object({ settings: backupSettingsSchema, changed: z.array(z.string()) });

const show = operation({
  method: 'GET',
  path: '/backup/settings',
  summary: 'What is backed up where and when',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  async run({ store }) {
    const own = await stored(store);
    return { settings: backupSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/backup/settings/:name',
  summary: 'Change one setting of the backup; null brings the default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(100), value: z.json() }),
  output: shown,
  async run({ store }, { name, value }, actor) {
    if (!/^[a-z0-9_]+$/.test(name)) throw new Refusal('bad-input', `there is no setting "${name}"`);
    const wanted = withValue(await stored(store), [name], value ?? undefined);
    const own = checkedSettings(backupSettingsSchema, wanted, 'postern backup show');
    await store.write.run('backup.saveSettings', { actor, json: JSON.stringify(own) });
    return { settings: backupSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const problems = z.array(z.string()).readonly();
const drillState = z.object({
  at: z.number(),
  ok: z.boolean(),
  snapshot: z.string(),
  snapshotAt: z.number(),
  mailboxes: z.number(),
  messages: z.number(),
  compared: z.number(),
  tookMs: z.number(),
  problems,
});
export const backupState = z.object({
  triedAt: z.number().optional(),
  success: z
    .object({
      at: z.number(),
      snapshot: z.string(),
      bytes: z.number(),
      added: z.number(),
      emails: z.number(),
      tookMs: z.number(),
      snapshots: z.number(),
      problems,
    })
    .optional(),
  failure: z.object({ at: z.number(), message: z.string() }).optional(),
  drill: drillState.optional(),
});

const created = z.object({
  kind: z.literal('create'),
  snapshot: z.object({
    id: z.string(),
    at: z.number(),
    files: z.number(),
    bytes: z.number(),
    added: z.number(),
    emails: z.number(),
  }),
  problems,
  pruned: z.number(),
  snapshots: z.number(),
});
const drilled = z.object({
  kind: z.literal('drill'),
  snapshot: z.string(),
  snapshotAt: z.number(),
  ok: z.boolean(),
  messages: z.number(),
  bytes: z.number(),
  compared: z.number(),
  problems,
  mailboxes: z
    .array(
      z.object({
        account: z.string(),
        mailbox: z.string(),
        uidvalidity: z.number(),
        messages: z.number(),
        bytes: z.number(),
        sha256: z.string(),
      }),
    )
    .readonly(),
});
const broughtBack = z.object({
  kind: z.literal('restore'),
  restored: z.number(),
  there: z.number(),
  mailboxes: z.array(z.object({ name: z.string(), restored: z.number(), there: z.number() })).readonly(),
  /** Sieve scripts and settings. */
  scripts: z.number(),
});
const task = z.object({
  id: z.string(),
  kind: z.enum(['create', 'drill', 'restore']),
  startedAt: z.number(),
  progress: z.object({ bytes: z.number(), of: z.number() }).optional(),
  end: z
    .discriminatedUnion('ok', [
      z.object({
        ok: z.literal(true),
        result: z.discriminatedUnion('kind', [created, drilled, broughtBack]),
      }),
      z.object({ ok: z.literal(false), message: z.string() }),
    ])
    .optional(),
});

function shownTask({ id, kind, startedAt, progress, end }: Task): z.input<typeof task> {
  const shownEnd =
    end?.ok === true
      ? {
          ok: true as const,
          result: 'kind' in end.result ? end.result : { kind: 'restore' as const, ...end.result },
        }
      : end;
  return {
    id,
    kind,
    startedAt,
    ...(progress !== undefined && { progress }),
    ...(shownEnd !== undefined && { end: shownEnd }),
  };
}

const state = operation({
  method: 'GET',
  path: '/backup/state',
  summary: 'How backups went, and what is at work on them',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({ now: z.number(), state: backupState, target: z.string(), task: task.optional() }),
  async run(context) {
    const backups = backupsOf(context);
    const now = backups.task();
    return {
      now: context.clock.now(),
      state: await backups.state(),
      target: (await backups.settings()).target,
      ...(now !== undefined && { task: shownTask(now) }),
    };
  },
});

/** A place other than the one in the settings. The key travels as it was read: the caller may read what the server may not. */
const elsewhere = z.strictObject({
  place: backupSettingsSchema.pick({
    target: true,
    region: true,
    endpoint: true,
    credentials_file: true,
    profile: true,
    role_arn: true,
  }),
  passphrase: z.string().min(1).max(4096).optional(),
  /** Base64. */
  key: z.string().max(8192).optional(),
});

function elsewhereOf(given: z.output<typeof elsewhere> | undefined): Elsewhere | undefined {
  if (given === undefined) return undefined;
  const { place, passphrase, key } = given;
  if (key !== undefined) return { place, secret: { key: Buffer.from(key, 'base64') } };
  if (passphrase !== undefined) return { place, secret: { passphrase } };
  throw new Refusal('bad-input', 'Backups are encrypted: say with which passphrase or key.');
}

const begun = z.object({ task });

const run = operation({
  method: 'POST',
  path: '/backup/tasks',
  summary: 'Begin a backup or a restore drill',
  access: 'administrator',
  input: z.strictObject({ kind: z.enum(['create', 'drill']), elsewhere: elsewhere.optional() }),
  output: begun,
  audited: ({ kind }) => ({ action: `backup.${kind}`, subject: 'backup' }),
  async run(context, { kind, elsewhere: where }) {
    const backups = backupsOf(context);
    return { task: shownTask(await backups[kind](elsewhereOf(where))) };
  },
});

const restore = operation({
  method: 'POST',
  path: '/backup/restore',
  summary: 'Begin to put mail of a backup back: of an account all, one mailbox, or one message',
  access: 'administrator',
  input: z.strictObject({
    elsewhere: elsewhere.optional(),
    account: z.string().min(3).max(320),
    mailbox: z.string().min(1).max(1000).optional(),
    uid: z.int().min(1).optional(),
    snapshot: z.string().max(100).optional(),
    to: z.string().min(3).max(320).optional(),
    below: z.string().min(1).max(500).optional(),
  }),
  output: begun,
  async run(context, { elsewhere: where, account, mailbox, uid, snapshot, to = account, below }, actor) {
    if (uid !== undefined && mailbox === undefined)
      throw new Refusal('bad-input', 'A UID means something in a mailbox only: name it too.');
    requireRoom(context);
    const backups = backupsOf(context);
    const what = { account, mailbox, uid, snapshot };
    const given = Object.entries(what).filter(([, value]) => value !== undefined);
    await context.store.write.run('backup.note', {
      actor,
      account: to,
      what: Object.fromEntries(given) as Record<string, string | number>,
    });
    return { task: shownTask(await backups.restore({ what, to, below }, elsewhereOf(where))) };
  },
});

export const backup = { show, set, state, run, restore };
