import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { domainFacts } from '../../../flow/doctor/facts.ts';
import {
  applyDns,
  applyUndo,
  type DnsPlanDeps,
  planDns,
  planUndo,
  type Wanted,
} from '../../../flow/dns-plan/service.ts';
import { dnsSettingsSchema } from '../../../flow/dns-plan/settings.ts';
import type { DnsPlan } from '../../../flow/dns-plan/types.ts';
import { undoSchema } from '../../../flow/dns-plan/undo.ts';
import { domainRecords } from '../../../mail/dns-records.ts';
import { hostFacts } from './host-facts.ts';
import { type AdminContext, operation } from './operation.ts';
import { domainName } from './schemas.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

/** Records at providers of DNS: what would be changed, changing it, taking it back. */

const LISTING = 'postern dns show';

const line = z.object({
  state: z.enum(['there', 'add', 'remove', 'by-hand', 'left']),
  name: z.string(),
  type: z.string(),
  value: z.string(),
  why: z.string().optional(),
  note: z.string().optional(),
});
const planned = z.object({
  domain: z.string(),
  zones: z.array(z.object({ zone: z.string(), by: z.string(), kind: z.string(), lines: z.array(line) })),
  elsewhere: z.array(line),
  digest: z.string(),
});
const digest = z.string().min(1).max(100);
const done = z.object({ added: z.number(), removed: z.number(), undoFile: z.string().optional() });

function depsOf({ store, clock }: AdminContext): DnsPlanDeps {
  return { store, clock };
}

async function wantedBy(context: AdminContext, name: string, beside: boolean): Promise<Wanted> {
  const domain = await context.store.read.run('directory.domain', { name });
  if (domain === undefined) throw new Refusal('not-found', `${name} is not one of our domains.`);
  const facts = await domainFacts(context.store, hostFacts(context.facts), domain.name);
  return { domain: domain.name, records: domainRecords(facts), beside };
}

function shown({ domain, zones, elsewhere, digest: mark }: DnsPlan): z.input<typeof planned> {
  return {
    domain,
    zones: zones.map(({ zone, by, kind, lines }) => ({ zone, by, kind, lines: [...lines] })),
    elsewhere: [...elsewhere],
    digest: mark,
  };
}

const wantedInput = { domain: domainName, beside: z.boolean().default(false) };

const plan = operation({
  method: 'POST',
  path: '/dns/:domain/plan',
  summary: "What would be changed at the DNS provider so that a domain's records are published",
  access: 'administrator',
  input: z.strictObject(wantedInput),
  output: planned,
  async run(context, { domain, beside }) {
    return shown(await planDns(depsOf(context), await wantedBy(context, domain, beside)));
  },
});

const apply = operation({
  method: 'POST',
  path: '/dns/:domain/apply',
  summary: 'Do what a plan showed, told by its digest; a file that takes it back is written first',
  access: 'administrator',
  input: z.strictObject({ ...wantedInput, digest }),
  output: done,
  async run(context, { domain, beside, digest: mark }, actor) {
    const { dataDirectory } = context.facts;
    const wanted = await wantedBy(context, domain, beside);
    return applyDns(depsOf(context), wanted, { actor, digest: mark, dataDirectory });
  },
});

const undoPlan = operation({
  method: 'POST',
  path: '/dns-undo/plan',
  summary: 'What would be changed to take back what an undo file says was done',
  access: 'administrator',
  input: z.strictObject({ file: undoSchema }),
  output: planned,
  async run(context, { file }) {
    return shown(await planUndo(depsOf(context), file));
  },
});

const undo = operation({
  method: 'POST',
  path: '/dns-undo',
  summary: 'Take back what an undo file says was done',
  access: 'administrator',
  input: z.strictObject({ file: undoSchema, digest }),
  output: done,
  async run(context, { file, digest: mark }, actor) {
    const { dataDirectory } = context.facts;
    return applyUndo(depsOf(context), file, { actor, digest: mark, dataDirectory });
  },
});

const settings = z.object({
  settings: dnsSettingsSchema,
  /** Dotted names of those that are not as they come. */
  set: z.array(z.string()),
});

async function stored({ store }: AdminContext): Promise<Stored> {
  const json = await store.read.run('dns.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

const show = operation({
  method: 'GET',
  path: '/dns',
  summary: 'Who serves which zones, with which credentials file',
  access: 'administrator',
  input: z.strictObject({}),
  output: settings,
  async run(context) {
    const own = await stored(context);
    return { settings: dnsSettingsSchema.parse(own), set: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/dns/settings/:name',
  summary: 'Change one setting of DNS providers ("zones.example.org", "ttl"); null brings its default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(300), value: z.json() }),
  output: settings,
  async run(context, { name, value }, actor) {
    // What stands behind "zones." is a zone, dots and all.
    const path = name.startsWith('zones.') ? ['zones', name.slice('zones.'.length)] : name.split('.');
    const wanted = withValue(await stored(context), path, value ?? undefined);
    const checked = checkedSettings(dnsSettingsSchema, wanted, LISTING);
    await context.store.write.run('dns.saveSettings', { actor, json: JSON.stringify(checked), what: name });
    return { settings: dnsSettingsSchema.parse(checked), set: leaves(checked) };
  },
});

export const dns = { plan, apply, undoPlan, undo, show, set };
