import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { acmeSettingsSchema, directoryOf } from '../../../data/certificates/settings.ts';
import type { AcmeCertificate } from '../../../data/certificates/types.ts';
import { AcmeFailure } from '../../../net/acme/failure.ts';
import { type AdminContext, type CertificateHooks, operation } from './operation.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

/** Certificates in use, and how the server gets them by itself. */

/** Milliseconds that an administrator waits for what comes of a request. */
const RENEW_WAIT_MS = 45_000;

const LISTING = 'postern certificate show';

function hooksOf({ certificates: hooks }: AdminContext): CertificateHooks {
  if (hooks === undefined) throw new Refusal('unavailable', 'This server gets no certificates by itself.');
  return hooks;
}

async function stored(store: AdminContext['store']): Promise<Stored> {
  const json = await store.read.run('certificates.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

const acme = z.object({
  name: z.string(),
  /** Names that are wanted in it; none: it is no longer wanted. */
  wanted: z.array(z.string()),
  directory: z.string().optional(),
  names: z.array(z.string()).optional(),
  notBefore: z.number().optional(),
  notAfter: z.number().optional(),
  renewAt: z.number().optional(),
  /** Why its authority wants it renewed then. */
  explanation: z.string().optional(),
  failures: z.number(),
  failure: z.string().optional(),
  retryAt: z.number().optional(),
});

function shown(
  name: string,
  wanted: readonly string[],
  have: AcmeCertificate | undefined,
): z.input<typeof acme> {
  const { issued, wish, failure, retryAt } = have ?? {};
  return {
    name,
    wanted: [...wanted],
    ...(have !== undefined && { directory: have.directory }),
    ...(issued !== undefined && {
      names: [...issued.names],
      notBefore: issued.notBefore,
      notAfter: issued.notAfter,
      renewAt: issued.renewAt,
    }),
    ...(wish?.explanation !== undefined && { explanation: wish.explanation }),
    failures: have?.failures ?? 0,
    ...(failure !== undefined && { failure }),
    ...(retryAt !== undefined && { retryAt }),
  };
}

const list = operation({
  method: 'GET',
  path: '/certificates',
  summary: 'Certificates from files and by ACME, with their ends and what keeps them from being renewed',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    now: z.number(),
    enabled: z.boolean(),
    /** Those of own files (tls.cert). */
    files: z.array(z.object({ names: z.array(z.string()), notAfter: z.number(), certFile: z.string() })),
    acme: z.array(acme),
  }),
  async run(context) {
    const { store, clock, facts } = context;
    const { enabled } = acmeSettingsSchema.parse(await stored(store));
    const states = await hooksOf(context).states();
    return {
      now: clock.now(),
      enabled,
      files: facts
        .certificates()
        .flatMap(({ names, notAfter, certFile }) =>
          certFile === undefined ? [] : [{ names: [...names], notAfter, certFile }],
        ),
      acme: states
        .filter(({ have }) => enabled || have !== undefined)
        .map(({ name, wanted, have }) => shown(name, wanted, have)),
    };
  },
});

const settings = z.object({
  settings: acmeSettingsSchema,
  /** Dotted names of those that are not as they come. */
  set: z.array(z.string()),
});

const show = operation({
  method: 'GET',
  path: '/certificates/settings',
  summary: 'How certificates are got by ACME',
  access: 'administrator',
  input: z.strictObject({}),
  output: settings,
  async run({ store }) {
    const own = await stored(store);
    return { settings: acmeSettingsSchema.parse(own), set: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/certificates/settings/:name',
  summary: 'Change one setting of ACME by its dotted name; null brings its default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(300), value: z.json() }),
  output: settings,
  async run({ store, certificates: hooks }, { name, value }, actor) {
    const before = await stored(store);
    const wanted = withValue(before, pathOf(name), value ?? undefined);
    const checked = checkedSettings(acmeSettingsSchema, wanted, LISTING);
    await store.write.run('certificates.saveSettings', { actor, json: JSON.stringify(checked), what: name });
    await hooks?.changed();
    return { settings: acmeSettingsSchema.parse(checked), set: leaves(checked) };
  },
});

/** What stands behind "domain_hosts." is a domain, dots and all. */
function pathOf(name: string): string[] {
  const group = 'domain_hosts.';
  return name.startsWith(group) ? ['domain_hosts', name.slice(group.length)] : name.split('.');
}

const renew = operation({
  method: 'POST',
  path: '/certificates/renew',
  summary: 'Request certificates now: those that are named, or all that are due or have failed',
  access: 'administrator',
  input: z.strictObject({ names: z.array(z.string().min(1).max(255)).max(100).default([]) }),
  output: z.object({
    renewed: z.array(
      z.object({ name: z.string(), notAfter: z.number().optional(), failure: z.string().optional() }),
    ),
    /** It takes longer; what comes of it stands in the list and the journal. */
    underWay: z.boolean(),
  }),
  audited: ({ names }) => ({
    action: 'certificate.renew',
    subject: names.join(' ').slice(0, 250) || 'the site',
  }),
  async run(context, { names }) {
    const over = new AbortController();
    const late = context.clock.sleep(RENEW_WAIT_MS, over.signal).then(() => undefined);
    try {
      const renewed = await Promise.race([hooksOf(context).renew(names), late]);
      return { renewed: [...(renewed ?? [])], underWay: renewed === undefined };
    } finally {
      over.abort();
    }
  },
});

const terms = operation({
  method: 'GET',
  path: '/certificates/terms',
  summary: 'Where the terms of service of the authority are',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({ directory: z.string(), url: z.string().optional() }),
  async run(context) {
    const directory = directoryOf(acmeSettingsSchema.parse(await stored(context.store)));
    try {
      const url = await hooksOf(context).terms();
      return { directory, ...(url !== undefined && { url }) };
    } catch (error) {
      if (!(error instanceof AcmeFailure)) throw error;
      throw new Refusal('unavailable', `${directory} cannot be asked: ${error.message}`);
    }
  },
});

export const certificates = { list, show, set, renew, terms };
