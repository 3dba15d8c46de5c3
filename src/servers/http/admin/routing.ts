import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { parseAddress } from '../../../data/directory/address.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { QueueMessage } from '../../../data/queue/types.ts';
import { destinationOf } from '../../../flow/delivery/plan.ts';
import { costOf } from '../../../flow/outbound/routing/caps.ts';
import { headerFacts } from '../../../flow/outbound/routing/facts.ts';
import {
  routeSchema,
  routingSettingsSchema,
  type RoutingSettings,
} from '../../../flow/outbound/routing/settings.ts';
import type { Ways } from '../../../flow/outbound/routing/ways.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { checkedSettings, type Stored, withValue } from './stored-settings.ts';

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
  access: 'store-decides',
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
  access: 'store-decides',
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
  access: 'store-decides',
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
  access: 'store-decides',
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
  access: 'store-decides',
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

const planned = z.object({
  route: z.string(),
  destination: z.string(),
  local: z.boolean(),
  ways: z.array(
    z.object({
      transport: z.string(),
      kind: z.string(),
      /** Why it is passed over now. */
      obstacle: z.string().optional(),
    }),
  ),
  suppressed: z.string().optional(),
});

const test = operation({
  method: 'POST',
  path: '/routing/test',
  summary: 'Which route and ways a message would take now; nothing is sent',
  access: 'administrator',
  input: z.strictObject({
    address: z.string().min(3).max(320),
    from: z.string().max(320).optional(),
    account: z.string().max(320).optional(),
    size: z.int().min(0).default(10_000),
    origin: z.enum(['submission', 'forward', 'dsn', 'report']).default('submission'),
    /** Header fields as they would stand in the message, a line each. */
    headers: z.array(z.string().max(1000)).max(50).default([]),
  }),
  output: planned,
  async run({ store, ways, clock }, input) {
    const running = needWays(ways);
    const address = parseAddress(input.address);
    if (address === undefined) throw new Refusal('bad-input', `"${input.address}" is not an address.`);
    const destination = destinationOf(input.address);
    const local = (await store.read.run('directory.domain', { name: destination })) !== undefined;
    const facts = testFacts(input, clock.now());
    const plan = await running.plan(facts, destination, 1);
    const [entry] = await store.read.run('suppression.of', { addresses: [input.address], now: clock.now() });
    return {
      route: plan.route,
      destination,
      local,
      ways: plan.ways.map(({ transport, obstacle }) => ({
        transport: transport.name,
        kind: transport.kind,
        ...(obstacle !== undefined && { obstacle: obstacle.reason }),
      })),
      ...(entry !== undefined && { suppressed: `${entry.reason}: ${entry.detail}` }),
    };
  },
});

function testFacts(input: z.output<typeof test.input>, now: number): Parameters<Ways['plan']>[0] {
  const from = input.from ?? input.account ?? '';
  const lines = [...(from === '' ? [] : [`From: ${from}`]), ...input.headers, '', ''].join('\r\n');
  return {
    message: { ...NO_MESSAGE, size: input.size, origin: input.origin, reversePath: from, createdAt: now },
    account: input.account,
    ...headerFacts(Buffer.from(lines, 'utf8')),
  };
}

const NO_MESSAGE: QueueMessage = {
  id: 0,
  queueId: '',
  trace: '',
  blobId: 0,
  blobSize: 0,
  prefix: Buffer.alloc(0),
  hidden: [],
  size: 0,
  accountId: undefined,
  origin: 'submission',
  reversePath: '',
  mayBounce: true,
  ret: undefined,
  envid: undefined,
  body: '7BIT',
  smtputf8: false,
  requireTls: false,
  originated: true,
  messageId: undefined,
  createdAt: 0,
  warnAt: undefined,
  expiresAt: undefined,
  holdReason: undefined,
};

function needWays(ways: Ways | undefined): Ways {
  if (ways === undefined) throw new Refusal('unavailable', 'Nothing is sent from here.');
  return ways;
}

const refused = operation({
  method: 'GET',
  path: '/routing/refusals',
  summary: 'Ways that destinations refuse at present, and when they are tried again',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    refusals: z.array(
      z.object({
        way: z.string(),
        destination: z.string(),
        cause: z.string(),
        reply: z.string(),
        since: z.number(),
        until: z.number(),
        failures: z.number(),
      }),
    ),
  }),
  run: async ({ store }) => ({ refusals: await store.read.run('routing.allRefusals', null) }),
});

const retry = operation({
  method: 'DELETE',
  path: '/routing/refusals/:way/:destination',
  summary: 'Forget that a destination refuses a way: the next message tries it',
  access: 'administrator',
  input: z.strictObject({ way: wayName, destination: z.string().min(1).max(253) }),
  output: done,
  async run({ store }, { way, destination }) {
    await store.write.run('routing.accept', { way, destination });
    return OK;
  },
});

const stepOut = z.object({
  step: z.string(),
  host: z.string().optional(),
  result: z.enum(['ok', 'note', 'problem']),
  text: z.string(),
});

const probe = operation({
  method: 'POST',
  path: '/routing/probe',
  summary: 'Go the direct way to an address up to RCPT, and send nothing',
  access: 'administrator',
  input: z.strictObject({ address: z.string().min(3).max(320), from: z.string().max(320).optional() }),
  output: z.object({
    address: z.string(),
    steps: z.array(stepOut),
    deliverable: z.boolean(),
    transcript: z.array(z.string()),
  }),
  async run({ ways }, { address, from }) {
    const { steps, transcript, ...report } = await needWays(ways).probe(address, from ?? '');
    return { ...report, steps: [...steps], transcript: [...transcript] };
  },
});

const hosts = operation({
  method: 'GET',
  path: '/routing/hosts',
  summary: 'What is remembered of other hosts: slowed down, odd TLS, MTA-STS policies',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    slowed: z.array(
      z.object({
        way: z.string(),
        group: z.string(),
        sessions: z.number(),
        limit: z.number(),
        pausedMs: z.number(),
        reply: z.string().optional(),
      }),
    ),
    quirks: z.array(z.object({ host: z.string(), quirk: z.string(), reason: z.string(), until: z.number() })),
    policies: z.array(
      z.object({
        domain: z.string(),
        mode: z.string().optional(),
        expiresAt: z.number().optional(),
        problem: z.string().optional(),
      }),
    ),
  }),
  async run({ store, ways }) {
    const quirks = await store.read.run('transport.quirks', { after: '' });
    const policies = await store.read.run('transport.allSts', { after: '' });
    return {
      slowed: [...(ways?.slowed() ?? [])],
      quirks: [...quirks],
      policies: policies.map(({ domain, policy, failed }) => ({
        domain,
        ...(policy !== undefined && { mode: policy.mode, expiresAt: policy.expiresAt }),
        ...(failed !== undefined && { problem: failed.reason }),
      })),
    };
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
  test,
  refused,
  retry,
  probe,
  hosts,
  usage,
};
