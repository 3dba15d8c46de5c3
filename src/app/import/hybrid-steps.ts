import { Refusal } from '../../base/errors.ts';
import { type IntakeSource, intakeSourceSchema } from '../../flow/ses-inbound/settings.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import type { AdminClient } from '../cli/client.ts';
import type { HybridSetup } from './hybrid.ts';
import type { ImportStep } from './steps.ts';

const { domains, accounts, lookup, routing, secrets, intake, importing } = operations;

/** Names of what the import makes here. */
const NAME = 'hybrid';
const TRANSPORT = 'ses';
const ROUTE = 'hybrid-ses';

export interface HybridChoice {
  /** The first is that of people who are named without one. */
  readonly domains: readonly [string, ...string[]];
  readonly bucket: string | undefined;
  readonly topics: readonly string[];
  /** Take mail from the bucket from now on. */
  readonly takeMail: boolean;
}

/** What an import of hybrid-cloud-email does, in this order: what is named later needs what comes before. */
export function hybridSteps(setup: HybridSetup, choice: HybridChoice): readonly ImportStep[] {
  const [primary] = choice.domains;
  return [
    ...choice.domains.map(domainStep),
    ...setup.users.map(({ name, hash }) =>
      accountStep(name.includes('@') ? name : `${name}@${primary}`, hash),
    ),
    ...lookupSteps(setup, choice.domains),
    ...sendSteps(setup),
    ...intakeSteps(setup, choice),
  ];
}

/** A domain of ours; it gets DKIM keys. */
export function domainStep(name: string): ImportStep {
  return {
    what: `domain ${name}, with DKIM keys`,
    async look(admin) {
      const { domains: known } = await admin.call(domains.list, {});
      return known.some((domain) => domain.name === name.toLowerCase()) ? 'same' : 'new';
    },
    apply: (admin) => admin.call(domains.add, { name }),
  };
}

/** An account with the hash it had elsewhere. */
export function accountStep(address: string, hash: string): ImportStep {
  return {
    what: `account ${address}, with its password`,
    async look(admin) {
      try {
        await admin.call(accounts.show, { address });
        // Its password may be another by now, or the same in a better hash: nobody can tell, and it stays.
        return 'same';
      } catch (error) {
        if (error instanceof Refusal && error.kind === 'no-such-account') return 'new';
        throw error;
      }
    },
    apply: (admin) => admin.call(importing.addAccount, { address, hash }),
  };
}

function lookupSteps({ table }: HybridSetup, all: HybridChoice['domains']): readonly ImportStep[] {
  const [primary] = all;
  const names = all.map((name) => name.toLowerCase());
  const login = lookupSetting('login_domain', primary.toLowerCase(), 'people sign in by their names alone');
  if (table === undefined) return [login];
  const { type, text, file } = table;
  const stored: ImportStep = {
    what: `lookup table stored:${NAME} (${type}, from ${file})`,
    async look(admin) {
      const { settings } = await admin.call(lookup.show, {});
      if (settings.stored[NAME] === undefined) return 'new';
      const kept = await admin.call(lookup.text, { name: NAME });
      if (kept.text === text && kept.type === type) return 'same';
      return {
        kept: `it is there with other rules; "postern lookup store ${NAME} ${type}:${file}" replaces them`,
      };
    },
    apply: (admin) => admin.call(lookup.put, { name: NAME, type, text }),
  };
  return [
    stored,
    lookupSetting('primary_domain', primary.toLowerCase(), 'whose people the table names'),
    login,
    lookupSetting('recipients.mode', 'only', 'the table alone says who gets mail'),
    lookupSetting('sender_login.mode', 'only', 'the table alone says who may send as whom'),
    lookupSetting('recipients.domains', names, 'domains it is asked about'),
    lookupSetting('recipients.tables', [`stored:${NAME}`], 'the table is in use'),
  ];
}

/** A setting that nobody has set gets a value. */
function lookupSetting(name: string, value: string | readonly string[], why: string): ImportStep {
  return {
    what: `lookup ${name} = ${typeof value === 'string' ? value : JSON.stringify(value)} (${why})`,
    async look(admin) {
      const { settings, changed } = await admin.call(lookup.show, {});
      const now = leafOf(settings, name);
      if (JSON.stringify(now) === JSON.stringify(value)) return 'same';
      if (!changed.includes(name)) return 'new';
      return { kept: `it is ${JSON.stringify(now)}, and stays so` };
    },
    apply: (admin) => admin.call(lookup.set, { name, value: typeof value === 'string' ? value : [...value] }),
  };
}

function leafOf(settings: object, name: string): unknown {
  return name
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], settings);
}

/** What a way out needs: a region and a key. */
function sendSteps({ region, sendCredentials }: HybridSetup): readonly ImportStep[] {
  if (region === undefined || sendCredentials === undefined) return [];
  const secret = secretStep('hybrid-aws-send', sendCredentials, 'the AWS key that sends');
  const settings = async (admin: AdminClient): Promise<Record<string, string>> => ({
    kind: 'ses-smtp',
    region,
    credentials_file: await secret.path(admin),
  });
  const transport: ImportStep = {
    what: `transport ${TRANSPORT}: Amazon SES by SMTP in ${region}`,
    async look(admin) {
      const found = (await admin.call(routing.show, {})).settings.transports[TRANSPORT];
      if (found === undefined) return 'new';
      const wanted = await settings(admin);
      const same = Object.entries(wanted).every(
        ([name, value]) => (found as Record<string, unknown>)[name] === value,
      );
      return same
        ? 'same'
        : { kept: 'there is another transport of this name; "postern transport list" shows it' };
    },
    apply: async (admin) =>
      admin.call(routing.setTransport, { name: TRANSPORT, settings: await settings(admin) }),
  };
  const route: ImportStep = {
    what: `route ${ROUTE}: what no other route takes leaves by ${TRANSPORT}`,
    async look(admin) {
      const { routes } = (await admin.call(routing.show, {})).settings;
      const found = routes.find(({ name }) => name === ROUTE);
      if (found === undefined) return 'new';
      return found.transports.includes(TRANSPORT)
        ? 'same'
        : { kept: 'it goes another way now, and stays so' };
    },
    apply: (admin) => admin.call(routing.setRoute, { name: ROUTE, match: {}, transports: [TRANSPORT] }),
  };
  return [secret, transport, route];
}

function intakeSteps(setup: HybridSetup, { bucket, topics, takeMail }: HybridChoice): readonly ImportStep[] {
  const { region, mailCredentials, basicAuth, deadLetterQueueUrl, deadLetterInterval } = setup;
  if (region === undefined || bucket === undefined) return [];
  const key =
    mailCredentials === undefined
      ? undefined
      : secretStep('hybrid-aws-mail', mailCredentials, 'the AWS key that fetches mail');
  const basic =
    basicAuth === undefined
      ? undefined
      : secretStep('hybrid-sns-basic-auth', basicAuth, 'what SNS signs in with');
  const wanted = async (admin: AdminClient) => ({
    enabled: takeMail,
    region,
    bucket,
    topic_arns: [...topics],
    ...(deadLetterQueueUrl !== undefined && { dead_letter_queue_url: deadLetterQueueUrl }),
    dead_letter_interval: deadLetterInterval,
    ...(key !== undefined && { credentials_file: await key.path(admin) }),
    ...(basic !== undefined && { basic_auth_file: await basic.path(admin) }),
  });
  // Whether it is switched on is for people to change; who asks for it to be gets it.
  const text = (source: IntakeSource): string => JSON.stringify({ ...source, enabled: true });
  const step: ImportStep = {
    what: `intake ${NAME}: mail from the bucket ${bucket} in ${region}${takeMail ? '' : ' (not switched on)'}`,
    async look(admin) {
      const { sources } = (await admin.call(intake.show, {})).settings;
      const found = sources.find(({ name }) => name === NAME);
      if (found === undefined) return 'new';
      if (text(found) !== text(intakeSourceSchema.parse({ name: NAME, ...(await wanted(admin)) })))
        return { kept: 'it is there with other settings, and stays so' };
      return takeMail && !found.enabled ? 'new' : 'same';
    },
    apply: async (admin) => admin.call(intake.set, { name: `sources.${NAME}`, value: await wanted(admin) }),
  };
  return [...(key === undefined ? [] : [key]), ...(basic === undefined ? [] : [basic]), step];
}

/** A secret in a file of the server; `path`: where that is, or will be. */
function secretStep(
  name: string,
  text: string,
  what: string,
): ImportStep & { path(admin: AdminClient): Promise<string> } {
  const look = (admin: AdminClient) => admin.call(secrets.put, { name, text, look: true });
  return {
    what: `secret ${name}: ${what}`,
    async look(admin) {
      const { state, path } = await look(admin);
      return state === 'other' ? { kept: `${path} is there with another text, and stays so` } : state;
    },
    apply: (admin) => admin.call(secrets.put, { name, text }),
    path: async (admin) => (await look(admin)).path,
  };
}
