import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { housekeepingSettingsSchema } from '../../../flow/housekeeping/settings.ts';
import { type AdminContext, operation } from './operation.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

/** What the server does by itself so that disks and mailboxes do not fill. */

const LISTING = 'postern housekeeping show';

const shown = z.object({
  /** All settings, defaults filled in. */
  settings: housekeepingSettingsSchema,
  /** Dotted names of those that were changed. */
  changed: z.array(z.string()),
});

async function stored(store: AdminContext['store']): Promise<Stored> {
  const json = await store.read.run('housekeeping.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

async function save(
  { store, housekeeping: hooks }: AdminContext,
  wanted: Stored,
  actor: Actor,
): Promise<z.input<typeof shown>> {
  const own = checkedSettings(housekeepingSettingsSchema, wanted, LISTING);
  const json = JSON.stringify(own);
  await store.write.run('directory.saveSiteSettings', { actor, name: 'housekeeping', json });
  await hooks?.changed();
  return { settings: housekeepingSettingsSchema.parse(own), changed: leaves(own) };
}

const show = operation({
  method: 'GET',
  path: '/housekeeping/settings',
  summary: 'What the server does by itself so that disks and mailboxes do not fill',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  async run({ store }) {
    const own = await stored(store);
    return { settings: housekeepingSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/housekeeping/settings/:name',
  summary: 'Change one setting of housekeeping, of the site or of one account; null brings the default back',
  access: 'administrator',
  input: z.strictObject({
    name: z.string().min(1).max(100),
    value: z.json(),
    account: z.string().max(320).optional(),
  }),
  output: shown,
  async run(context, { name, value, account }, actor) {
    if (!/^[a-z_]+(?:\.[a-z_]+)?$/.test(name) || ['archive', 'accounts'].includes(name.split('.')[0] ?? ''))
      throw new Refusal('bad-input', `there is no setting "${name}"; "${LISTING}" lists all`);
    const before = await stored(context.store);
    const wanted = value ?? undefined;
    if (account === undefined) return save(context, withValue(before, name.split('.'), wanted), actor);
    if (!['trash_days', 'junk_days'].includes(name))
      throw new Refusal('bad-input', 'an account has trash_days and junk_days of its own, nothing else');
    const found = await context.store.read.run('directory.account', { address: account });
    if (found === undefined) throw new Refusal('no-such-account', `There is no account ${account}.`);
    return save(context, withValue(before, ['accounts', found.address, name], wanted), actor);
  },
});

const archive = operation({
  method: 'PUT',
  path: '/housekeeping/archive/:domain',
  summary: 'Where a copy of all mail of a domain goes; null: nowhere',
  access: 'administrator',
  input: z.strictObject({
    domain: z.string().min(1).max(253),
    address: z.string().min(3).max(320).nullable(),
    direction: z.enum(['inbound', 'outbound', 'both']).default('both'),
  }),
  output: shown,
  async run(context, { domain, address, direction }, actor) {
    const known = await context.store.read.run('directory.domains', null);
    const name = known.find((each) => each.name === domain.toLowerCase())?.name;
    const before = await stored(context.store);
    if (address === null)
      return save(context, withValue(before, ['archive', name ?? domain.toLowerCase()], undefined), actor);
    if (name === undefined) throw new Refusal('not-found', `${domain} is no domain of ours.`);
    if (!/^[^\s@<>]+@[^\s@<>]+$/.test(address))
      throw new Refusal('bad-input', `${address} is no address that mail can be sent to.`);
    return save(context, withValue(before, ['archive', name], { address, direction }), actor);
  },
});

export const housekeeping = { show, set, archive };
