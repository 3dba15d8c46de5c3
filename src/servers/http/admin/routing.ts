import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { costOf } from '../../../flow/outbound/routing/caps.ts';
import {
  routeSchema,
  routingSettingsSchema,
  type RoutingSettings,
} from '../../../flow/outbound/routing/settings.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { checkedSettings, type Stored, withValue } from './stored-settings.ts';
import { ways } from './ways.ts';

/** Ways to send and the routes that choose among them. */

type Store = AdminContext['store'];

/** As they are written down: defaults are not. */
interface Own {
  readonly transports?: Readonly<Record<string, Stored>>;
  readonly routes?: readonly (Stored & { readonly name: string })[];
}

const wayName = z.string().min(1).max(40);
const stored = z.record(z.string(), z.json());
const shown = z.object({ settings: routingSettingsSchema });

async function own(store: Store): Promise<Own> {
  const json = await store.read.run('routing.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Own);
}

async function save(
  { store, ways }: AdminContext,
  settings: Own,
  actor: Actor,
  what: string,
): Promise<{ settings: RoutingSettings }> {
  const checked = checkedSettings(routingSettingsSchema, { ...settings }, 'postern route show');
  await store.write.run('routing.saveSettings', { actor, json: JSON.stringify(checked), what });
  await ways?.settings(true);
  return { settings: routingSettingsSchema.parse(checked) };
}

const show = operation({
  method: 'GET',
  path: '/routing',
  summary: 'Ways to send, and the routes that choose among them',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  run: async ({ store }) => ({ settings: routingSettingsSchema.parse(await own(store)) }),
});

const set = operation({
  method: 'PUT',
  path: '/routing/settings/:name',
  summary: 'Change a setting of routing that is no transport and no route; null brings the default back',
  access: 'administrator',
  input: z.strictObject({
    name: z.enum(['probe_minutes', 'suppression.enabled', 'suppression.bounce_days']),
    value: z.json(),
  }),
  output: shown,
  async run(context, { name, value }, actor) {
    const before = (await own(context.store)) as Stored;
    return save(context, withValue(before, name.split('.'), value ?? undefined), actor, name);
  },
});

const setTransport = operation({
  method: 'PUT',
  path: '/routing/transports/:name',
  summary: 'Add a way to send, or replace it',
  access: 'administrator',
  input: z.strictObject({ name: wayName, settings: stored, replace: z.boolean().default(false) }),
  output: shown,
  async run(context, { name, settings, replace }, actor) {
    const before = await own(context.store);
    if (name === 'relay')
      throw new Refusal('conflict', '"relay" is the relay of the configuration; take another name.');
    if (name === 'direct' && settings['kind'] !== 'direct')
      throw new Refusal('conflict', '"direct" is delivery to MX hosts; take another name for another kind.');
    if (!replace && before.transports?.[name] !== undefined)
      throw new Refusal(
        'conflict',
        `There is a transport "${name}" already; --replace puts this in its place.`,
      );
    const transports = { ...before.transports, [name]: settings };
    return save(context, { ...before, transports }, actor, `transport ${name}`);
  },
});

const removeTransport = operation({
  method: 'DELETE',
  path: '/routing/transports/:name',
  summary: 'Remove a way to send that no route uses',
  access: 'administrator',
  input: z.strictObject({ name: wayName }),
  output: done,
  async run(context, { name }, actor) {
    const before = await own(context.store);
    const { [name]: gone, ...transports } = before.transports ?? {};
    if (gone === undefined) throw new Refusal('not-found', `There is no transport "${name}".`);
    const user = before.routes?.find((route) => (route['transports'] as string[]).includes(name));
    if (user !== undefined && name !== 'direct') {
      throw new Refusal(
        'conflict',
        `Route "${user.name}" uses the transport "${name}"; change or remove the route first.`,
      );
    }
    await save(context, { ...before, transports }, actor, `transport ${name}`);
    return OK;
  },
});

const setRoute = operation({
  method: 'PUT',
  path: '/routing/routes/:name',
  summary: 'Add a route, or replace it; it comes last, or before another',
  access: 'administrator',
  input: routeSchema.extend({ before: wayName.optional(), replace: z.boolean().default(false) }).strict(),
  output: shown,
  async run(context, { before: follower, replace, ...route }, actor) {
    const settings = await own(context.store);
    const routes = [...(settings.routes ?? [])];
    const index = routes.findIndex(({ name }) => name === route.name);
    if (index !== -1 && !replace)
      throw new Refusal(
        'conflict',
        `There is a route "${route.name}" already; --replace puts this in its place.`,
      );
    const place = follower === undefined ? index : routes.findIndex(({ name }) => name === follower);
    if (follower !== undefined && place === -1)
      throw new Refusal('not-found', `There is no route "${follower}" to stand before.`);
    const at = place === -1 ? routes.length : place;
    routes.splice(at, index === at && index !== -1 ? 1 : 0, route);
    const rest = routes.filter((one, i) => one.name !== route.name || i === at);
    return save(context, { ...settings, routes: rest }, actor, `route ${route.name}`);
  },
});

const removeRoute = operation({
  method: 'DELETE',
  path: '/routing/routes/:name',
  summary: 'Remove a route',
  access: 'administrator',
  input: z.strictObject({ name: wayName }),
  output: done,
  async run(context, { name }, actor) {
    const before = await own(context.store);
    const routes = (before.routes ?? []).filter((route) => route.name !== name);
    if (routes.length === before.routes?.length || before.routes === undefined)
      throw new Refusal('not-found', `There is no route "${name}".`);
    await save(context, { ...before, routes }, actor, `route ${name}`);
    return OK;
  },
});

const usage = operation({
  method: 'GET',
  path: '/routing/usage',
  summary: 'What each way took, by day and month (UTC), with the cost by the prices that are set',
  access: 'administrator',
  input: z.strictObject({ since: z.string().regex(/^\d{4}-\d{2}(-\d{2})?$/) }),
  output: z.object({
    usage: z.array(
      z.object({
        way: z.string(),
        period: z.string(),
        messages: z.number(),
        recipients: z.number(),
        octets: z.number(),
        cost: z.number().optional(),
      }),
    ),
  }),
  async run({ store }, { since }) {
    const settings = routingSettingsSchema.parse(await own(store));
    const rows = await store.read.run('routing.usageSince', { period: since });
    return {
      usage: rows.map((row) => {
        const transport = settings.transports[row.way];
        const paid = transport?.kind === 'ses-api' || transport?.kind === 'ses-smtp';
        return { ...row, ...(paid && { cost: costOf(transport.caps, row) }) };
      }),
    };
  },
});

export const routing = {
  show,
  set,
  setTransport,
  removeTransport,
  setRoute,
  removeRoute,
  ...ways,
  usage,
};
