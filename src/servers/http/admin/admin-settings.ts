import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { Store } from '../../../data/store.ts';
import { operation } from './operation.ts';

/** What is asked of those who administer over the network. */

const SETTING = 'admin';

export const adminSettingsSchema = z.strictObject({
  /** Administrators without a second factor (TOTP, passkey) may only add one. */
  require_second_factor: z.boolean().prefault(false),
});
export type AdminSettings = z.output<typeof adminSettingsSchema>;

const shown = z.object({ settings: adminSettingsSchema });

/** What a later version wrote and this one does not know leaves the defaults. */
export async function adminSettings({ read }: Pick<Store, 'read'>): Promise<AdminSettings> {
  const json = await read.run('directory.setting', { name: SETTING });
  const parsed = adminSettingsSchema.safeParse(json === undefined ? {} : JSON.parse(json));
  return parsed.success ? parsed.data : adminSettingsSchema.parse({});
}

const show = operation({
  method: 'GET',
  path: '/settings/admin',
  summary: 'What is asked of those who administer over the network',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  run: async ({ store }) => ({ settings: await adminSettings(store) }),
});

const set = operation({
  method: 'PUT',
  path: '/settings/admin/:name',
  summary: 'Change what is asked of administrators; null brings the default back',
  access: 'administrator',
  input: z.strictObject({ name: z.enum(['require_second_factor']), value: z.boolean().nullable() }),
  output: shown,
  async run({ store }, { name, value }, actor) {
    const before = await adminSettings(store);
    const next = adminSettingsSchema.safeParse({ ...before, [name]: value ?? undefined });
    if (!next.success) throw new Refusal('bad-input', `${name}: it takes true or false`);
    const json = JSON.stringify(next.data);
    await store.write.run('directory.saveSiteSettings', { actor, name: SETTING, json });
    return { settings: next.data };
  },
});

export const adminAccess = { show, set };
