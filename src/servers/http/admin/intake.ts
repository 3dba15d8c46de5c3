import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { IntakeObject } from '../../../data/intake/types.ts';
import type { IntakeSettings } from '../../../flow/ses-inbound/settings.ts';
import { intakeSettings } from './intake-settings.ts';
import { type AdminContext, done, type IntakeHooks, OK, operation } from './operation.ts';

/** Objects and problems that are listed unless told otherwise, and at most. */
const LIST_DEFAULT = 50;
const LIST_MAX = 1000;

function hooksOf({ intake }: AdminContext): IntakeHooks {
  if (intake === undefined) throw new Refusal('unavailable', 'Nothing is taken in here.');
  return intake;
}

const state = z.enum(['waiting', 'guessed', 'done', 'gone', 'stuck']);
const object = z.object({
  source: z.string(),
  bucket: z.string(),
  key: z.string(),
  state,
  trace: z.string(),
  toldBy: z.string(),
  receivedAt: z.number(),
  attempts: z.number(),
  size: z.number().optional(),
  nextAt: z.number().optional(),
  reason: z.string(),
  recipients: z.array(z.string()).optional(),
  settledAt: z.number().optional(),
  removedAt: z.number().optional(),
});

function shownObject(row: IntakeObject): z.input<typeof object> {
  const given = Object.entries(row).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as z.input<typeof object>;
}

const status = operation({
  method: 'GET',
  path: '/intake/status',
  summary: 'Mail that SES took for us: sources, how each is reached, what waits',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    now: z.number(),
    sources: z.array(
      z.object({
        name: z.string(),
        bucket: z.string(),
        region: z.string(),
        problem: z.string(),
        ways: z.array(z.object({ way: z.string(), okAt: z.number().optional(), problem: z.string() })),
      }),
    ),
    counts: z.array(z.object({ state, count: z.number() })),
    problems: z.number(),
    /** When SES received what waits longest. */
    oldest: z.number().optional(),
    alarmSince: z.number().optional(),
  }),
  async run(context) {
    const hooks = hooksOf(context);
    const { store, clock } = context;
    const [counts, { total }, oldest] = await Promise.all([
      store.read.run('intake.counts', null),
      store.read.run('intake.problems', { limit: 1 }),
      hooks.oldest(),
    ]);
    const { alarmSince } = hooks;
    return {
      now: clock.now(),
      sources: hooks.status().map(({ ways, ...source }) => ({
        ...source,
        ways: ways.map(({ way, okAt, problem }) => ({ way, problem, ...(okAt !== undefined && { okAt }) })),
      })),
      counts: counts.map(({ state: name, count }) => ({ state: name, count })),
      problems: total,
      ...(oldest !== undefined && { oldest }),
      ...(alarmSince !== undefined && { alarmSince }),
    };
  },
});

const list = operation({
  method: 'GET',
  path: '/intake/objects',
  summary: 'Messages in buckets: those that wait or are stuck, or all',
  access: 'administrator',
  input: z.strictObject({
    state: state.optional(),
    all: z.stringbool().optional(),
    limit: z.coerce.number<number | string>().int().min(1).max(LIST_MAX).optional(),
  }),
  output: z.object({ objects: z.array(object) }),
  async run({ store }, { state: wanted, all = false, limit = LIST_DEFAULT }) {
    const states =
      wanted !== undefined ? [wanted] : all ? [null] : (['stuck', 'waiting', 'guessed'] as const);
    const found: IntakeObject[] = [];
    for (const each of states) found.push(...(await store.read.run('intake.list', { state: each, limit })));
    return { objects: found.slice(0, limit).map(shownObject) };
  },
});

const problems = operation({
  method: 'GET',
  path: '/intake/problems',
  summary: 'Notices that could not be understood, the newest first',
  access: 'administrator',
  input: z.strictObject({ limit: z.coerce.number<number | string>().int().min(1).max(LIST_MAX).optional() }),
  output: z.object({
    total: z.number(),
    problems: z.array(
      z.object({
        id: z.number(),
        source: z.string(),
        toldBy: z.string(),
        firstAt: z.number(),
        lastAt: z.number(),
        count: z.number(),
        reason: z.string(),
        body: z.string(),
      }),
    ),
  }),
  async run({ store }, { limit = LIST_DEFAULT }) {
    const { total, problems: found } = await store.read.run('intake.problems', { limit });
    return { total, problems: [...found] };
  },
});

const forget = operation({
  method: 'DELETE',
  path: '/intake/problems/:id',
  summary: 'Forget a notice that could not be understood',
  access: 'administrator',
  input: z.strictObject({ id: z.coerce.number<number | string>().int() }),
  output: done,
  async run({ store }, { id }, actor) {
    if (await store.write.run('intake.forgetProblem', { actor, id })) return OK;
    throw new Refusal('not-found', `There is no problem ${id}.`);
  },
});

/** The sources that may hold a key; its prefix may be left out. */
async function placesOf(
  { store }: AdminContext,
  settings: IntakeSettings,
  key: string,
  name: string | undefined,
) {
  const sources = settings.sources.filter(
    (source) => source.enabled && source.bucket !== '' && (name === undefined || source.name === name),
  );
  const candidates = sources.flatMap(({ name: source, bucket, prefix }) =>
    [...new Set([key, `${prefix}${key}`])].map((each) => ({ source, bucket, key: each })),
  );
  for (const each of candidates)
    if ((await store.read.run('intake.object', { bucket: each.bucket, key: each.key })) !== undefined)
      return each;
  const [source] = sources;
  if (source === undefined) throw new Refusal('not-found', 'There is no source that could hold it.');
  if (sources.length > 1)
    throw new Refusal('bad-input', `${key} was not heard of yet: say of which source it is (--source)`);
  const whole = key.startsWith(source.prefix) ? key : `${source.prefix}${key}`;
  return { source: source.name, bucket: source.bucket, key: whole };
}

const retry = operation({
  method: 'POST',
  path: '/intake/retry',
  summary:
    'Take in one message now, whatever was tried before; for recipients that are named, or as SES told',
  access: 'administrator',
  input: z.strictObject({
    key: z.string().min(1).max(1024),
    source: z.string().max(40).optional(),
    to: z.array(z.string().min(3).max(998)).max(100).optional(),
  }),
  output: z.object({
    source: z.string(),
    key: z.string(),
    outcome: z.enum(['taken', 'waiting', 'gone', 'setup', 'stuck']),
    again: z.boolean().optional(),
    reason: z.string().optional(),
    nextAt: z.number().optional(),
    trace: z.string().optional(),
  }),
  audited: ({ key, to = [] }) => ({
    action: 'intake.retry',
    subject: key.slice(0, 250),
    ...(to.length > 0 && { data: { to: to.join(' ') } }),
  }),
  async run(context, { key, source, to }) {
    const hooks = hooksOf(context);
    const place = await placesOf(context, hooks.settings, key, source);
    const taken = await hooks.takeIn(place.source, {
      key: place.key,
      by: 'admin',
      ...(to !== undefined && { recipients: to }),
    });
    const known = await context.store.read.run('intake.object', { bucket: place.bucket, key: place.key });
    return {
      ...taken,
      source: place.source,
      key: place.key,
      ...(known !== undefined && { trace: known.object.trace }),
    };
  },
});

const sweep = operation({
  method: 'POST',
  path: '/intake/sweep',
  summary: 'Look through the buckets now, and take in what nobody told of',
  access: 'administrator',
  input: z.strictObject({ source: z.string().max(40).optional() }),
  output: z.object({
    sources: z.array(
      z.object({ name: z.string(), objects: z.number(), untold: z.number(), problem: z.string().optional() }),
    ),
  }),
  audited: ({ source = 'the site' }) => ({ action: 'intake.sweep', subject: source }),
  async run(context, { source }) {
    const results = await hooksOf(context).sweep(source);
    return {
      sources: results.map(({ name, result, problem }) => ({
        name,
        objects: result?.objects ?? 0,
        untold: result?.untold ?? 0,
        ...(problem !== undefined && { problem }),
      })),
    };
  },
});

export const intake = { status, list, problems, forget, retry, sweep, ...intakeSettings };
