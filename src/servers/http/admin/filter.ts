import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { requireAdmin } from '../../../data/directory/permission.ts';
import { filterSettingsSchema } from '../../../flow/spam/settings.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';
import { whatIf } from './what-if.ts';

const shown = z.object({
  /** All settings, defaults filled in. */
  settings: filterSettingsSchema,
  /** Dotted names of those that were changed. */
  changed: z.array(z.string()),
});

async function stored(store: AdminContext['store']): Promise<Stored> {
  const json = await store.read.run('spam.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

const checked = (settings: Stored): Stored =>
  checkedSettings(filterSettingsSchema, settings, 'postern filter show');

const show = operation({
  method: 'GET',
  path: '/filter/settings',
  summary: 'What the site wants of its filter',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  async run({ store }) {
    const own = await stored(store);
    return { settings: filterSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/filter/settings/:name',
  summary: 'Change one setting of the filter; null brings the default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(100), value: z.json() }),
  output: shown,
  async run({ store, filter: hooks }, { name, value }, actor) {
    const path = name.split('.');
    if (path.some((part) => !/^[a-z0-9_]+$/.test(part)))
      throw new Refusal('bad-input', `there is no setting "${name}"`);
    const own = checked(withValue(await stored(store), path, value ?? undefined));
    await store.write.run('spam.saveSettings', { actor, json: JSON.stringify(own) });
    await hooks?.changed();
    return { settings: filterSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const entry = z.object({
  pattern: z.string(),
  action: z.enum(['allow', 'block']),
  note: z.string(),
  createdAt: z.number(),
});

/** Of an account, or of the whole site. */
const whose = { account: z.string().max(320).optional() };

const lists = operation({
  method: 'GET',
  path: '/filter/senders',
  summary: 'Senders that are always taken or never wanted',
  access: 'domain',
  within: ({ account }) => [account],
  input: z.strictObject(whose),
  output: z.object({ entries: z.array(entry) }),
  async run({ store }, { account }, actor) {
    if (account === undefined) requireAdmin(actor);
    return { entries: [...(await store.read.run('spam.lists', { account: account ?? null }))] };
  },
});

const list = operation({
  method: 'POST',
  path: '/filter/senders',
  summary: 'Always take, or never want, an address, @domain or network',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject({
    ...whose,
    pattern: z.string().min(1).max(320),
    action: z.enum(['allow', 'block']),
    note: z.string().max(500).optional(),
  }),
  output: z.object({ pattern: z.string() }),
  run: ({ store }, { account, pattern, action, note }, actor) =>
    store.write.run('spam.listAdd', {
      actor,
      account: account ?? null,
      pattern,
      action,
      ...(note !== undefined && { note }),
    }),
});

const unlist = operation({
  method: 'DELETE',
  path: '/filter/senders/:pattern',
  summary: 'Take a sender off the list',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject({ ...whose, pattern: z.string().min(1).max(320) }),
  output: done,
  async run({ store }, { account, pattern }, actor) {
    await store.write.run('spam.listRemove', { actor, account: account ?? null, pattern });
    return OK;
  },
});

const teach = operation({
  method: 'POST',
  path: '/filter/lessons',
  summary: 'Have a message learned as good or unwanted, for an account or the whole site',
  access: 'administrator',
  input: z.strictObject({ ...whose, label: z.enum(['ham', 'spam']), message: z.base64() }),
  output: done,
  audited: ({ account: whom, label }) => ({
    action: 'filter.teach',
    subject: whom ?? 'the site',
    data: { label },
  }),
  async run({ store, filter: hooks }, { account, label, message }) {
    if (hooks === undefined) throw new Refusal('unavailable', 'No filter is running here.');
    let accountId: number | undefined;
    if (account !== undefined) {
      accountId = (await store.read.run('directory.account', { address: account }))?.id;
      if (accountId === undefined) throw new Refusal('no-such-account', `There is no account ${account}.`);
    }
    await hooks.teach(Buffer.from(message, 'base64'), label, accountId);
    return OK;
  },
});

export const filter = { whatIf, teach, show, set, lists, list, unlist };
