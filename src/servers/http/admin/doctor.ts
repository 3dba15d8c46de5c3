import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { isAdmin } from '../../../data/directory/permission.ts';
import { doctorSettingsSchema, DOCTOR_SETTING } from '../../../flow/doctor/settings.ts';
import { CHECKS } from '../../../flow/doctor/types.ts';
import { foundWords, remedyWords, subjectWords } from '../check-words.ts';
import { remedy, said } from '../said.ts';
import { setupWords } from '../setup-words.ts';
import { type AdminContext, operation } from './operation.ts';
import { domainName } from './schemas.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

const line = z.object({
  check: z.enum(CHECKS),
  domain: z.string().exactOptional(),
  subject: z.string(),
  state: z.enum(['ok', 'warning', 'problem', 'unknown']),
  found: z.string(),
  why: z.string(),
  whyWords: said.optional(),
  mend: z.array(z.string()).readonly(),
  /** The same with codes: each sentence of what was found, each line of what mends it. */
  subjectWords: said.optional(),
  foundWords: z.array(said).readonly().optional(),
  mendWords: z.array(remedy).readonly().optional(),
});
type Line = z.input<typeof line>;

function needDoctor({ doctor }: AdminContext): NonNullable<AdminContext['doctor']> {
  if (doctor === undefined) throw new Refusal('unavailable', 'There is no doctor here.');
  return doctor;
}

function inWords<R extends { readonly lines: readonly Line[] }>(report: R): R {
  return {
    ...report,
    lines: report.lines.map((each) => ({
      ...each,
      whyWords: setupWords.of(each.why),
      subjectWords: subjectWords(each.subject),
      foundWords: foundWords(each.found),
      mendWords: each.mend.map(remedyWords),
    })),
  };
}

const run = operation({
  method: 'POST',
  path: '/doctor',
  summary: 'Look at everything around the server that mail needs, and say how to mend what is wrong',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName.optional(), only: z.array(z.enum(CHECKS)).max(50).optional() }),
  output: z.object({
    at: z.number(),
    hostname: z.string(),
    domains: z.array(z.string()).readonly(),
    lines: z.array(line).readonly(),
  }),
  async run(context, { domain, only }, actor) {
    const doctor = needDoctor(context);
    if (domain === undefined) {
      if (!isAdmin(actor)) throw new Refusal('bad-input', 'Say which domain is to be looked at.');
      return inWords(await doctor.run(undefined, only));
    }
    const found = await context.store.read.run('directory.domain', { name: domain });
    if (found === undefined) throw new Refusal('not-found', `${domain} is not one of our domains.`);
    const report = await doctor.run([found.name], only);
    // The server itself is not for those who look after a domain.
    return inWords(
      isAdmin(actor)
        ? report
        : { ...report, lines: report.lines.filter((each) => each.domain !== undefined) },
    );
  },
});

const shown = z.object({
  /** All settings, defaults filled in. */
  settings: doctorSettingsSchema,
  /** Names of those that were changed. */
  changed: z.array(z.string()),
});

async function stored({ store }: AdminContext): Promise<Stored> {
  const json = await store.read.run('directory.setting', { name: DOCTOR_SETTING });
  const all = json === undefined ? {} : (JSON.parse(json) as Stored);
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in doctorSettingsSchema.shape));
}

const show = operation({
  method: 'GET',
  path: '/doctor/settings',
  summary: 'What is published beside the usual records, and what the doctor asks',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  async run(context) {
    const own = await stored(context);
    return { settings: doctorSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/doctor/settings/:name',
  summary: 'Change one setting of the doctor; null brings the default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().regex(/^[a-z0-9_]{1,60}$/), value: z.json() }),
  output: shown,
  async run(context, { name, value }, actor) {
    const changed = withValue(await stored(context), [name], value ?? undefined);
    const own = checkedSettings(doctorSettingsSchema, changed, 'postern doctor settings');
    const args = { actor, name: DOCTOR_SETTING, json: JSON.stringify(own) } as const;
    await context.store.write.run('directory.saveSiteSettings', args);
    return { settings: doctorSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const rotate = operation({
  method: 'POST',
  path: '/domains/:domain/dkim/rotation',
  summary: 'Change the DKIM keys of a domain, or go on with it',
  access: 'administrator',
  input: z.strictObject({ domain: domainName, now: z.boolean().optional() }),
  output: z.object({
    kind: z.enum(['begun', 'waiting', 'changed', 'revoked', 'forgotten', 'nothing']),
    selectors: z.array(z.string()).readonly(),
    reason: z.string().exactOptional(),
  }),
  async run(context, { domain, now }, actor) {
    const found = await context.store.read.run('directory.domain', { name: domain });
    if (found === undefined) throw new Refusal('not-found', `${domain} is not one of our domains.`);
    const step = await needDoctor(context).rotate(found.name, actor, now === true);
    return { selectors: [], ...step };
  },
});

export const doctor = { run, show, set, rotate };
