import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { checkText } from '../../../flow/sieve/engine.ts';
import { generate } from '../../../flow/sieve/generate.ts';
import {
  forwardSchema,
  ruleSchema,
  type SieveSettings,
  sieveSettingsSchema,
  storedSettings,
  vacationSchema,
} from '../../../flow/sieve/settings.ts';
import type { Principal } from '../../request-login.ts';
import { type AccountContext, operation, selfOf } from './operation.ts';
import { nothing } from './schemas.ts';

/** Vacation, forwards and rules: settings that become a Sieve script, which runs before those that people write. */

async function settingsOf({ store }: AccountContext, accountId: number): Promise<SieveSettings> {
  return storedSettings((await store.read.run('sieve.settings', { accountId }))?.settings);
}

type Changes = { [K in keyof SieveSettings]?: SieveSettings[K] | null };

/** What is named is replaced, null removes it. Refusal 'bad-input' for what the language does not take. */
async function change(context: AccountContext, who: Principal, changes: Changes): Promise<SieveSettings> {
  const { accountId } = who;
  const before = await settingsOf(context, accountId);
  const { vacation = before.vacation, forward = before.forward, rules = before.rules } = changes;
  const next = sieveSettingsSchema.parse({
    rules: rules ?? [],
    ...(vacation && { vacation }),
    ...(forward && { forward }),
  });
  const script = generate(next);
  const { errors } = await checkText(context.scripts, 0, script ?? '');
  const [first] = errors;
  if (first !== undefined) throw new Refusal('bad-input', `That makes no script: ${first.message}`);
  const args = { actor: selfOf(who), accountId, settings: JSON.stringify(next), script };
  await context.store.write.run('sieve.saveSettings', args);
  context.count('rules');
  return next;
}

const vacationAnswer = z.object({ vacation: vacationSchema.nullable() });
const forwardAnswer = z.object({ forward: forwardSchema.nullable() });
const rulesAnswer = z.object({ rules: z.array(ruleSchema) });

const vacation = operation({
  method: 'GET',
  path: '/vacation',
  summary: 'What is answered while you are away',
  access: 'settings',
  input: nothing,
  output: vacationAnswer,
  async run(context, _input, { accountId }) {
    return { vacation: (await settingsOf(context, accountId)).vacation ?? null };
  },
});

const setVacation = operation({
  method: 'PUT',
  path: '/vacation',
  summary: 'Set what is answered while you are away; null: nothing',
  access: 'settings',
  input: z.strictObject({ vacation: vacationSchema.nullable() }),
  output: vacationAnswer,
  async run(context, input, who) {
    return { vacation: (await change(context, who, input)).vacation ?? null };
  },
});

const forward = operation({
  method: 'GET',
  path: '/forward',
  summary: 'Where your mail is sent on to',
  access: 'settings',
  input: nothing,
  output: forwardAnswer,
  async run(context, _input, { accountId }) {
    return { forward: (await settingsOf(context, accountId)).forward ?? null };
  },
});

const setForward = operation({
  method: 'PUT',
  path: '/forward',
  summary: 'Set where your mail is sent on to; null: nowhere',
  access: 'settings',
  input: z.strictObject({ forward: forwardSchema.nullable() }),
  output: forwardAnswer,
  async run(context, input, who) {
    return { forward: (await change(context, who, input)).forward ?? null };
  },
});

const rules = operation({
  method: 'GET',
  path: '/rules',
  summary: 'Your rules, in the order in which they are tried',
  access: 'settings',
  input: nothing,
  output: rulesAnswer,
  async run(context, _input, { accountId }) {
    return { rules: (await settingsOf(context, accountId)).rules };
  },
});

const setRules = operation({
  method: 'PUT',
  path: '/rules',
  summary: 'Replace your rules',
  access: 'settings',
  input: z.strictObject({ rules: z.array(ruleSchema).max(100) }),
  output: rulesAnswer,
  async run(context, input, who) {
    return { rules: (await change(context, who, input)).rules };
  },
});

const generated = operation({
  method: 'GET',
  path: '/scripts/generated',
  summary: 'The Sieve script that vacation, forward and rules become; null where nothing of them runs',
  access: 'settings',
  input: nothing,
  output: z.object({ script: z.string().nullable() }),
  async run(context, _input, { accountId }) {
    return { script: generate(await settingsOf(context, accountId)) ?? null };
  },
});

export const sieve = { vacation, setVacation, forward, setForward, rules, setRules, generated };
