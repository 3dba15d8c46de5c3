import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { Actor } from '../../../data/directory/types.ts';
import {
  type IntakeSettings,
  intakeSettingsSchema,
  intakeSourceSchema,
} from '../../../flow/ses-inbound/settings.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { checkedSettings, type Stored } from './stored-settings.ts';

/** Where mail waits that SES took for us, and how we are told of it. */

const LISTING = 'postern intake show';
const SOURCE_KEYS: ReadonlySet<string> = new Set(Object.keys(intakeSourceSchema.shape));

const shown = z.object({ settings: intakeSettingsSchema });
const sourceName = z.string().min(1).max(40);

/** As they are written down: defaults are not. */
async function own({ store }: AdminContext): Promise<Stored> {
  const json = await store.read.run('intake.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

function sourcesOf(settings: Stored): Stored[] {
  return (Array.isArray(settings['sources']) ? settings['sources'] : []) as Stored[];
}

async function save(
  context: AdminContext,
  settings: Stored,
  actor: Actor,
): Promise<{ settings: IntakeSettings }> {
  const checked = checkedSettings(intakeSettingsSchema, settings, LISTING);
  await context.store.write.run('intake.saveSettings', { actor, json: JSON.stringify(checked) });
  await context.intake?.changed();
  return { settings: intakeSettingsSchema.parse(checked) };
}

/** A copy with one name set, or removed (undefined): "lag_alarm_minutes", "sources", "sources.NAME", "sources.NAME.KEY". */
function withValue(from: Stored, path: readonly string[], value: unknown): Stored {
  const [name = '', source, key] = path;
  const { [name]: _before, ...others } = from;
  if (source === undefined) return value === undefined ? others : { ...others, [name]: value };
  const sources = sourcesOf(from);
  const index = sources.findIndex((each) => each['name'] === source);
  if (key === undefined && value === undefined)
    return { ...others, [name]: sources.filter((_, place) => place !== index) };
  const { [key ?? '']: _old, ...kept } = sources[index] ?? { name: source };
  const changed =
    key === undefined
      ? { ...record(value), name: source }
      : { ...kept, ...(value !== undefined && { [key]: value }) };
  const all =
    index < 0 ? [...sources, changed] : sources.map((each, place) => (place === index ? changed : each));
  return { ...others, [name]: all };
}

function record(value: unknown): Stored {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Stored) : {};
}

const show = operation({
  method: 'GET',
  path: '/intake/settings',
  summary: 'Where mail waits that SES took for us, and how we are told of it',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  run: async (context) => ({ settings: intakeSettingsSchema.parse(await own(context)) }),
});

const set = operation({
  method: 'PUT',
  path: '/intake/settings/:name',
  summary: 'Change one setting of the intake; null brings the default back, or removes a source',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(100), value: z.json() }),
  output: shown,
  async run(context, { name, value }, actor) {
    const path = name.split('.');
    const [first, , key] = path;
    const isSource = first === 'sources' && (key === undefined || SOURCE_KEYS.has(key));
    if (path.length > 3 || (path.length > 1 && !isSource))
      throw new Refusal('bad-input', `there is no setting "${name}"; "${LISTING}" lists all`);
    return save(context, withValue(await own(context), path, value ?? undefined), actor);
  },
});

const addSource = operation({
  method: 'PUT',
  path: '/intake/sources/:name',
  summary: 'Add a source of the intake, or replace it',
  access: 'administrator',
  input: z.strictObject({
    name: sourceName,
    settings: z.record(z.string(), z.json()),
    replace: z.boolean().default(false),
  }),
  output: shown,
  async run(context, { name, settings, replace }, actor) {
    const before = await own(context);
    if (!replace && sourcesOf(before).some((each) => each['name'] === name))
      throw new Refusal('conflict', `There is a source "${name}" already; --replace puts this in its place.`);
    return save(context, withValue(before, ['sources', name], settings), actor);
  },
});

const removeSource = operation({
  method: 'DELETE',
  path: '/intake/sources/:name',
  summary: 'Remove a source of the intake; what is in its bucket stays there',
  access: 'administrator',
  input: z.strictObject({ name: sourceName }),
  output: done,
  async run(context, { name }, actor) {
    const before = await own(context);
    if (!sourcesOf(before).some((each) => each['name'] === name))
      throw new Refusal('not-found', `There is no source "${name}".`);
    await save(context, withValue(before, ['sources', name], undefined), actor);
    return OK;
  },
});

export const intakeSettings = { show, set, addSource, removeSource };
