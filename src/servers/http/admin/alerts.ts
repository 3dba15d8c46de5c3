import { isIP } from 'node:net';
import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { type AlertSettings, alertSettingsSchema } from '../../../flow/alerts/settings.ts';
import { isPublicAddress } from '../../../net/public-address.ts';
import { type AdminContext, type AlertHooks, operation } from './operation.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

/** Of what administrators are told, and how. */

const LISTING = 'postern alert show';

function hooksOf({ alerts: hooks }: AdminContext): AlertHooks {
  if (hooks === undefined) throw new Refusal('unavailable', 'This server tells nobody of trouble.');
  return hooks;
}

async function stored(store: AdminContext['store']): Promise<Stored> {
  const json = await store.read.run('alerts.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

const shown = z.object({
  /** All settings, defaults filled in. */
  settings: alertSettingsSchema,
  /** Dotted names of those that were changed. */
  changed: z.array(z.string()),
});

const list = operation({
  method: 'GET',
  path: '/alerts',
  summary: 'What is wrong at present, as it was seen within the last minute',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    alerts: z.array(
      z.object({
        key: z.string(),
        kind: z.string(),
        severity: z.enum(['warning', 'critical']),
        summary: z.string(),
        remedy: z.string(),
        since: z.number(),
        toldAt: z.number().optional(),
      }),
    ),
    /** Why the webhook was not taken the last time; '' when it was. */
    webhookProblem: z.string(),
  }),
  async run({ store }) {
    const rows = await store.read.run('alerts.list', null);
    const { webhookProblem = '' } = await store.read.run('alerts.state', null);
    return { alerts: rows.filter(({ clearedAt }) => clearedAt === undefined), webhookProblem };
  },
});

const show = operation({
  method: 'GET',
  path: '/alerts/settings',
  summary: 'Of what administrators are told, and how',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  async run({ store }) {
    const own = await stored(store);
    return { settings: alertSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/alerts/settings/:name',
  summary: 'Change one setting of the alerts; null brings the default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(100), value: z.json() }),
  output: shown,
  async run({ store }, { name, value }, actor) {
    if (!/^[a-z_]+(?:\.[a-z_]+)?$/.test(name))
      throw new Refusal('bad-input', `there is no setting "${name}"; "${LISTING}" lists all`);
    const wanted = withValue(await stored(store), name.split('.'), value ?? undefined);
    const own = checkedSettings(alertSettingsSchema, wanted, LISTING);
    requireOutside(actor, await allowed(store), alertSettingsSchema.parse(own).webhook);
    const json = JSON.stringify(own);
    await store.write.run('directory.saveSiteSettings', { actor, name: 'alerts', json });
    return { settings: alertSettingsSchema.parse(own), changed: leaves(own) };
  },
});

/** Whether the webhook may be in our own network, as it is now. */
async function allowed(store: AdminContext['store']): Promise<boolean> {
  return alertSettingsSchema.parse(await stored(store)).webhook.private;
}

/**
 * Who administers over the network has a password, and must not reach hosts beside the server by it: only the command
 * line on the server says that a webhook may be there. Names are looked at when the webhook is sent (net/webhook.ts).
 */
function requireOutside(
  actor: Actor,
  before: boolean,
  { url, private: inside }: AlertSettings['webhook'],
): void {
  if (actor.role === 'system') return;
  if (inside && !before)
    throw new Refusal(
      'not-permitted',
      'Only the command line of the server lets webhooks go into our own network: postern alert set webhook.private true',
    );
  const host = url === '' ? '' : new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (inside || host === '') return;
  if (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && !isPublicAddress(host)))
    throw new Refusal(
      'not-permitted',
      `${host} is in our own network; the command line of the server may allow that: postern alert set webhook.private true`,
    );
}

const test = operation({
  method: 'POST',
  path: '/alerts/test',
  summary: 'Send a mail and a webhook to see whether they come',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    /** Inboxes here, and addresses elsewhere. */
    mailed: z.array(z.string()),
    queued: z.array(z.string()),
    webhook: z.string().optional(),
  }),
  audited: () => ({ action: 'alerts.test', subject: 'alerts' }),
  async run(context) {
    const { mailed, queued, webhook } = await hooksOf(context).test();
    return { mailed: [...mailed], queued: [...queued], ...(webhook !== undefined && { webhook }) };
  },
});

export const alerts = { list, show, set, test };
