import { resolve } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import { sesStatus, type SesStatus } from '../../flow/ses-setup/status.ts';
import type { StatusArea, StatusLine, StatusRequest } from '../../flow/ses-setup/types.ts';
import { normalizeDomain } from '../../mail/address/domain.ts';
import { createSetUpReader } from '../../net/aws/inspect.ts';
import type { AwsSettings } from '../../net/aws/types.ts';
import { type Call, type CliCommand, type CliIo, type Outcome, UsageError } from './command.ts';
import { plain, wrap } from './plain-text.ts';
import { resolverOf } from './resolver.ts';
import { checkedRegion, namedDomains } from './ses-place.ts';
import { type ServerPlaces, serverPlaces } from './ses-server.ts';

/** One region to look at, as whom. */
interface Target {
  readonly settings: AwsSettings;
  readonly configurationSets: readonly string[];
  readonly sources: StatusRequest['sources'];
}

const RECEIVE = ['auto', 'ses', 'backup', 'none'] as const;

async function run(call: Call): Promise<Outcome> {
  const receive = RECEIVE.find((one) => one === (call.text('receive') ?? 'auto'));
  if (receive === undefined) throw new UsageError(`--receive takes ${RECEIVE.join(', ')}`);
  const given = call.text('region');
  const region = given === undefined ? undefined : checkedRegion(given);
  const named = await namedDomains(call);
  const server = await placesOf(call, region !== undefined && named.length > 0);
  const domains = named.length > 0 ? named : (server?.domains ?? []);
  if (domains.length === 0)
    throw new Refusal('bad-input', 'There is no domain yet: name one with --domain example.org');
  const host = hostOf(call, server);
  const dns = await resolverOf(call.text('dns'), call.io.clock);
  const results: SesStatus[] = [];
  for (const { settings, configurationSets, sources } of targetsOf(call, region, server)) {
    const reader = createSetUpReader(settings, { clock: call.io.clock });
    const request = { region: settings.region, domains, receive, host, configurationSets, sources };
    try {
      results.push(await sesStatus({ reader, dns, request }));
    } finally {
      reader.close();
    }
  }
  const wrong = results.some(
    ({ caller, lines }) => caller === undefined || lines.some(({ state }) => state === 'problem'),
  );
  return {
    value: { regions: results },
    text: () => results.map((result) => statusText(result, call.io)).join('\n'),
    status: wrong ? 1 : 0,
  };
}

/** `enough`: what was named on the command line does for it, so that a server need not answer. */
async function placesOf(call: Call, enough: boolean): Promise<ServerPlaces | undefined> {
  try {
    return await serverPlaces(call.admin);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (enough) return undefined;
    throw new Refusal(
      error.kind,
      `${error.message}\nWithout a server name what to look at: --region eu-west-1 --domain example.org`,
    );
  }
}

function hostOf(call: Call, server: ServerPlaces | undefined): string | undefined {
  const text = call.text('host');
  if (text === undefined) return server?.host;
  const host = normalizeDomain(text);
  if (host === undefined)
    throw new UsageError(`--host takes a name such as mail.example.org, not "${plain(text)}"`);
  return host;
}

/** The regions of the server's settings, or the one that was named; options go before settings. */
function targetsOf(call: Call, region: string | undefined, server: ServerPlaces | undefined): Target[] {
  const own = (server?.regions ?? []).filter((one) => region === undefined || one.settings.region === region);
  const found =
    own.length > 0
      ? own
      : region === undefined
        ? []
        : [{ settings: { region }, configurationSets: [], sources: [] }];
  const fallback = call.io.env['AWS_REGION'] ?? call.io.env['AWS_DEFAULT_REGION'];
  const targets: readonly Target[] =
    found.length === 0 && fallback !== undefined
      ? [{ settings: { region: checkedRegion(fallback) }, configurationSets: [], sources: [] }]
      : found;
  if (targets.length === 0)
    throw new UsageError('no transport and no source uses SES yet: name a region with --region eu-west-1');
  const set = call.text('configuration-set');
  return targets.map((target) => ({
    ...target,
    settings: withOptions(call, target.settings),
    configurationSets: set === undefined ? target.configurationSets : [set],
  }));
}

function withOptions(call: Call, settings: AwsSettings): AwsSettings {
  const file = call.text('credentials-file');
  const [endpoint, profile, roleArn] = ['endpoint', 'profile', 'role-arn'].map((name) => call.text(name));
  if (endpoint !== undefined && !URL.canParse(endpoint))
    throw new UsageError(`--endpoint takes a URL, not "${plain(endpoint)}"`);
  return {
    ...settings,
    ...(file !== undefined && { credentials: { file: resolve(call.io.cwd, file) } }),
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    ...(roleArn !== undefined && { roleArn }),
  };
}

const AREAS: readonly (readonly [StatusArea, string])[] = [
  ['account', 'Account'],
  ['identity', 'Domains'],
  ['receiving', 'Mail in'],
  ['events', 'What becomes of mail out'],
  ['dns', 'DNS'],
];
const STATES = { ok: 'ok', problem: 'PROBLEM', unknown: 'unknown' } as const;
/** Columns of the state. */
const INDENT = 11;

function statusText({ region, caller, lines }: SesStatus, io: CliIo): string {
  const who = caller === undefined ? '' : `, account ${caller.account} as ${caller.arn}`;
  const parts = AREAS.map(([area, title]) => [title, lines.filter((line) => line.area === area)] as const)
    .filter(([, some]) => some.length > 0)
    .map(([title, some]) => `\n${title}\n${some.map((line) => lineText(line, io.width)).join('')}`);
  const count = (state: StatusLine['state']): number => lines.filter((line) => line.state === state).length;
  const sum = `\n${count('problem')} problem(s), ${count('unknown')} unknown, ${count('ok')} ok\n`;
  return `${plain(`SES in ${region}${who}`)}\n${parts.join('')}${sum}`;
}

/** What is all right is one line; else why it matters and what mends it. */
function lineText({ subject, state, found, why, mend }: StatusLine, width: number): string {
  const indent = ' '.repeat(INDENT);
  const [first = '', ...rest] = wrap(plain(`${subject}: ${found}`), width - INDENT);
  const head = [`  ${STATES[state]}`.padEnd(INDENT) + first, ...rest.map((line) => indent + line)];
  const reason = state === 'ok' ? [] : wrap(plain(why), width - INDENT).map((line) => indent + line);
  // Commands and records are copied: never broken.
  const remedies = mend.map((line) => `${indent}-> ${plain(line)}`);
  return [...head, ...reason, ...remedies].map((line) => `${line}\n`).join('');
}

export const sesStatusCommand: CliCommand = {
  words: ['ses', 'status'],
  summary: 'what Amazon SES and DNS have, compared with what mail needs; how to mend it',
  details:
    'Looks at the account, domains, receipt rules, bucket, topics, queues, configuration sets and DNS records, and changes nothing. Domains, regions and credentials are those of the running server unless they are named. Exit status 0 when there is no problem, else 1.',
  args: [],
  options: {
    region: { value: 'REGION', help: 'region of SES (default: those of the transports and sources)' },
    domain: { value: 'DOMAIN', help: 'a domain of yours (default: those of the server)', many: true },
    'domains-file': { value: 'FILE', help: 'file with one domain a line; # begins a comment' },
    receive: {
      value: 'HOW',
      help: 'ses: SES receives alone; backup: behind our own host; none: not at all; auto (default): by what is there',
    },
    host: { value: 'NAME', help: "our own mail host (default: the server's name)" },
    'configuration-set': { value: 'NAME', help: 'look at this one (default: those in use)' },
    'credentials-file': {
      value: 'FILE',
      help: 'file with "key:secret" (default: as the AWS tools find them)',
    },
    profile: { value: 'NAME', help: 'profile of the AWS files' },
    'role-arn': { value: 'ARN', help: 'role to assume' },
    endpoint: { value: 'URL', help: "instead of Amazon's own: an emulator, a VPC endpoint" },
    dns: { value: 'HOST:PORT', help: "DNS resolver to ask (default: the system's)" },
  },
  example: 'ses status --region eu-west-1 --domain example.org',
  offline: true,
  run,
};
