import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { requireAdmin } from '../../../data/directory/permission.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { type Place, SCRIPT_BYTES } from '../../../data/sieve/types.ts';
import { checkText } from '../../../flow/sieve/engine.ts';
import { generate } from '../../../flow/sieve/generate.ts';
import { type SieveSettings, sieveSettingsSchema, storedSettings } from '../../../flow/sieve/settings.ts';
import { SIEVE_EXTENSIONS } from '../../../mail/sieve/index.ts';
import type { ScriptError } from '../../../mail/sieve/types.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { address, domainName } from './schemas.ts';

/** Scripts and settings of Sieve: what happens to mail as it is delivered. */

const WHERE = ['account', 'domain-before', 'domain-after', 'site-before', 'site-after', 'global'] as const;

const where = {
  /** Whose script it is. */
  place: z.enum(WHERE).default('account'),
  account: address.optional(),
  domain: domainName.optional(),
};
const name = z.string().max(256).describe('Name of the script; where there is one only it has none');

const info = z.object({
  name: z.string(),
  active: z.boolean(),
  size: z.number(),
  digest: z.string(),
  createdAt: z.number(),
  changedAt: z.number(),
});
const problem = z.object({ line: z.number(), column: z.number(), message: z.string() });

async function accountId({ store }: AdminContext, account: string | undefined): Promise<number> {
  if (account === undefined) throw new Refusal('bad-input', 'Say whose script it is: account is missing.');
  const found = await store.read.run('directory.account', { address: account });
  if (found === undefined) throw new Refusal('no-such-account', `There is no account ${account}.`);
  return found.id;
}

async function placeOf(
  context: AdminContext,
  input: { place: (typeof WHERE)[number]; account?: string | undefined; domain?: string | undefined },
): Promise<Place> {
  const { place, domain } = input;
  if (place === 'account') return { kind: place, accountId: await accountId(context, input.account) };
  if (place !== 'domain-before' && place !== 'domain-after') return { kind: place };
  if (domain === undefined)
    throw new Refusal('bad-input', 'Say which domain the script is for: domain is missing.');
  return { kind: place, domain };
}

/** Scripts of the site are for administrators. */
function requirePlace(actor: Actor, place: (typeof WHERE)[number]): void {
  if (place === 'site-before' || place === 'site-after' || place === 'global') requireAdmin(actor);
}

/** "line 3, column 7: ..." */
function problemText({ line, column, message }: ScriptError): string {
  return `line ${line}, column ${column}: ${message}`;
}

/** Errors and warnings of a script. */
async function checked(
  { scripts }: AdminContext,
  text: string,
): Promise<{ errors: ScriptError[]; warnings: ScriptError[] }> {
  const { errors, warnings } = await checkText(scripts, 0, text);
  return { errors: [...errors], warnings: [...warnings] };
}

const list = operation({
  method: 'GET',
  path: '/sieve/scripts',
  summary: 'Sieve scripts of an account, a domain or the site',
  access: 'domain',
  within: ({ account, domain }) => [account, domain],
  input: z.strictObject(where),
  output: z.object({ scripts: z.array(info) }),
  async run(context, input, actor) {
    requirePlace(actor, input.place);
    const place = await placeOf(context, input);
    return { scripts: await context.store.read.run('sieve.list', { place }) };
  },
});

const show = operation({
  method: 'GET',
  path: '/sieve/script',
  summary: 'The text of a Sieve script; without a name the one that runs',
  access: 'domain',
  within: ({ account, domain }) => [account, domain],
  input: z.strictObject({ ...where, name: name.optional() }),
  output: z.object({ script: info.extend({ text: z.string() }) }),
  async run(context, input, actor) {
    requirePlace(actor, input.place);
    const place = await placeOf(context, input);
    const { read } = context.store;
    const single = place.kind !== 'account' && place.kind !== 'global';
    const active = async (): Promise<string | undefined> =>
      (await read.run('sieve.list', { place })).find((each) => each.active)?.name;
    const wanted = input.name ?? (single ? '' : await active());
    const script = wanted === undefined ? undefined : await read.run('sieve.script', { place, name: wanted });
    if (script !== undefined) return { script };
    if (input.name === undefined)
      throw new Refusal('not-found', 'No script runs there; "postern sieve list" shows what there is.');
    throw new Refusal('not-found', `There is no script "${input.name}".`);
  },
});

const put = operation({
  method: 'PUT',
  path: '/sieve/script',
  summary: 'Store a Sieve script, over the one of its name; one with errors is refused',
  access: 'store-decides',
  within: ({ account, domain }) => [account, domain],
  input: z.strictObject({
    ...where,
    name: name.default(''),
    text: z.string().max(SCRIPT_BYTES),
    activate: z.boolean().default(false),
  }),
  output: z.object({ script: info, warnings: z.array(problem) }),
  async run(context, input, actor) {
    const place = await placeOf(context, input);
    const { errors, warnings } = await checked(context, input.text);
    if (errors.length > 0)
      throw new Refusal('bad-input', `The script has errors:\n${errors.map(problemText).join('\n')}`);
    const { name: called, text, activate } = input;
    const script = await context.store.write.run('sieve.put', { actor, place, name: called, text, activate });
    return { script, warnings };
  },
});

const activate = operation({
  method: 'PUT',
  path: '/sieve/active',
  summary: 'Which script of an account runs; an empty name: none',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject({ account: address, name }),
  output: done,
  async run(context, input, actor) {
    const place = await placeOf(context, { place: 'account', account: input.account });
    await context.store.write.run('sieve.activate', { actor, place, name: input.name });
    return OK;
  },
});

const rename = operation({
  method: 'POST',
  path: '/sieve/rename',
  summary: 'Give a Sieve script another name',
  access: 'store-decides',
  within: ({ account, domain }) => [account, domain],
  input: z.strictObject({ ...where, name, to: name }),
  output: done,
  async run(context, input, actor) {
    const place = await placeOf(context, input);
    await context.store.write.run('sieve.rename', { actor, place, name: input.name, to: input.to });
    return OK;
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/sieve/script',
  summary: 'Delete a Sieve script; of an account not the one that runs',
  access: 'store-decides',
  within: ({ account, domain }) => [account, domain],
  input: z.strictObject({ ...where, name: name.default('') }),
  output: done,
  async run(context, input, actor) {
    const place = await placeOf(context, input);
    await context.store.write.run('sieve.remove', { actor, place, name: input.name });
    return OK;
  },
});

const check = operation({
  method: 'POST',
  path: '/sieve/check',
  summary: 'What is wrong with a Sieve script, without storing it; and which extensions there are',
  access: 'domain',
  input: z.strictObject({ text: z.string().max(SCRIPT_BYTES) }),
  output: z.object({
    errors: z.array(problem),
    warnings: z.array(problem),
    extensions: z.array(z.string()),
  }),
  run: async (context, { text }) => ({
    ...(await checked(context, text)),
    extensions: [...SIEVE_EXTENSIONS],
  }),
});

async function settingsOf({ store }: AdminContext, id: number): Promise<SieveSettings> {
  return storedSettings((await store.read.run('sieve.settings', { accountId: id }))?.settings);
}

const settingsAnswer = z.object({
  settings: sieveSettingsSchema,
  /** The script that they become; null where nothing of them runs. */
  script: z.string().nullable(),
});

const settings = operation({
  method: 'GET',
  path: '/sieve/settings/:account',
  summary: 'Vacation, forwards and rules of an account, and the Sieve script they become',
  access: 'domain',
  within: ({ account }) => [account],
  input: z.strictObject({ account: address }),
  output: settingsAnswer,
  async run(context, { account }) {
    const found = await settingsOf(context, await accountId(context, account));
    return { settings: found, script: generate(found) ?? null };
  },
});

const setSettings = operation({
  method: 'PUT',
  path: '/sieve/settings/:account',
  summary: 'Set vacation, forwards or rules of an account: what is named is replaced, null removes it',
  access: 'store-decides',
  within: ({ account }) => [account],
  input: z.strictObject({
    account: address,
    vacation: sieveSettingsSchema.shape.vacation.nullable(),
    forward: sieveSettingsSchema.shape.forward.nullable(),
    rules: sieveSettingsSchema.shape.rules.unwrap().optional(),
  }),
  output: settingsAnswer,
  async run(context, { account, ...changes }, actor) {
    const id = await accountId(context, account);
    const before = await settingsOf(context, id);
    const { vacation = before.vacation, forward = before.forward, rules = before.rules } = changes;
    const next = sieveSettingsSchema.parse({
      rules,
      ...(vacation && { vacation }),
      ...(forward && { forward }),
    });
    const script = generate(next);
    const { errors } = await checked(context, script ?? '');
    // An address or a pattern that the language does not take: said as it stands, for whoever set it.
    if (errors.length > 0)
      throw new Refusal('bad-input', `The settings make no script: ${errors.map(problemText).join('; ')}`);
    const args = { actor, accountId: id, settings: JSON.stringify(next), script };
    await context.store.write.run('sieve.saveSettings', args);
    return { settings: next, script: script ?? null };
  },
});

export const sieve = { list, show, put, activate, rename, remove, check, settings, setSettings };
