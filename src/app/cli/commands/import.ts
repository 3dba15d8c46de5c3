import { resolve } from 'node:path';
import { Refusal } from '../../../base/errors.ts';
import { readHybrid } from '../../import/hybrid.ts';
import { hybridLeftOvers } from '../../import/hybrid-advice.ts';
import { type HybridChoice, hybridSteps } from '../../import/hybrid-steps.ts';
import { type ImportStep, type LeftOver, runSteps, type StepResult } from '../../import/steps.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import {
  type Argument,
  type Call,
  type CliCommand,
  type Option,
  type Outcome,
  UsageError,
} from '../command.ts';
import { plain } from '../plain-text.ts';
import { directorySources } from './import-directory.ts';
import { importMailCommands } from './import-mail.ts';

/** Another mail system that can be taken over: what its directory means here. */
export interface Source {
  readonly name: string;
  readonly summary: string;
  readonly details: string;
  readonly options: { readonly [name: string]: Option };
  readonly argument?: Argument;
  readonly example: string;
  read(call: Call): Promise<{
    /** What was found and chosen, in sentences. */
    readonly notes: readonly string[];
    readonly steps: readonly ImportStep[];
    readonly left: readonly LeftOver[];
  }>;
}

const domainOption = {
  value: 'DOMAIN',
  help: 'a domain of yours; the first is that of people without one (default: those the table names)',
  many: true,
} as const;

const hybrid: Source = {
  name: 'hybrid-cloud-email',
  summary: 'take over hybrid-cloud-email: users, lookup table, Amazon SES both ways',
  details:
    'DIR is the directory with docker-compose.yml, .env and secrets. Users keep their passwords and may sign in without a domain; the lookup table says who gets mail and who may send as whom, as before. Nothing in DIR is changed, nothing here is overwritten, and a second run changes nothing. docs/guides/moving-from-hybrid-cloud-email.md tells the whole move.',
  options: {
    domain: domainOption,
    bucket: { value: 'NAME', help: 'S3 bucket of received mail (resource S3MailBucket of the stack)' },
    topic: { value: 'ARN', help: 'SNS topic of received mail (resource SnsNewMailTopic)', many: true },
    'take-mail': { help: 'take mail from the bucket from now on: stop the old ses-to-lmtp first' },
  },
  example: 'import hybrid-cloud-email ./hybrid-cloud-email --dry-run',
  async read({ io, arg, text, texts, on }) {
    const directory = resolve(io.cwd, arg(0));
    const setup = await readHybrid(directory);
    const named = texts('domain').length === 0 ? setup.domains : texts('domain');
    const [primary, ...others] = named.map(needDomain);
    if (primary === undefined) {
      throw new Refusal(
        'bad-input',
        'The lookup table names no domain in plain text.\nSay which domains are yours: --domain example.org --domain example.net',
      );
    }
    const choice: HybridChoice = {
      domains: [primary, ...others],
      bucket: text('bucket'),
      topics: texts('topic'),
      takeMail: on('take-mail'),
    };
    const from =
      texts('domain').length === 0
        ? 'the first that the table names; --domain chooses'
        : 'the first --domain';
    return {
      notes: [`${setup.users.length} user(s) found. People without a domain belong to ${primary} (${from}).`],
      steps: hybridSteps(setup, choice),
      left: hybridLeftOvers(setup, choice, directory),
    };
  },
};

function needDomain(text: string): string {
  const name = normalizeDomain(text);
  if (name === undefined) throw new UsageError(`"${plain(text)}" is not a domain name`);
  return name;
}

const SOURCES: readonly Source[] = [hybrid, ...directorySources];

interface Report {
  readonly source: string;
  readonly dryRun: boolean;
  readonly notes: readonly string[];
  readonly steps: readonly StepResult[];
  /** Things that are not carried over, each with its remedy. */
  readonly left: readonly LeftOver[];
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}\n${lines.map((line) => `  ${plain(line)}\n`).join('')}`;
}

function reportText({ dryRun, notes, steps, left }: Report): string {
  const of = (state: StepResult['state']): string[] =>
    steps
      .filter((step) => step.state === state)
      .map(({ what, note }) => (note === '' ? what : `${what}: ${note}`));
  const fresh = of('new');
  return [
    notes.map((note) => `${plain(note)}\n`).join(''),
    section(dryRun ? 'Would be added' : 'Added', fresh),
    fresh.length > 0 || of('failed').length > 0 ? '' : '\nNothing to add.\n',
    section('There already', of('same')),
    section('Left as it is', of('kept')),
    section('FAILED', of('failed')),
    section(
      'Not carried over',
      left.flatMap(({ what, why, remedy }) => [`${what}: ${why}`, `    -> ${remedy}`]),
    ),
    dryRun ? '\nNothing was changed.\n' : '',
  ].join('');
}

async function runImport(source: Source, call: Call): Promise<Outcome> {
  const dryRun = call.on('dry-run');
  const { notes, steps, left } = await source.read(call);
  const value: Report = {
    source: source.name,
    dryRun,
    notes,
    steps: await runSteps(call.admin, steps, dryRun),
    left,
  };
  const failed = value.steps.some(({ state }) => state === 'failed');
  return { value, text: () => reportText(value), status: failed ? 1 : 0 };
}

const directories: readonly CliCommand[] = SOURCES.map((source) => ({
  words: ['import', source.name],
  summary: source.summary,
  details: source.details,
  args: [source.argument ?? { name: 'DIR', help: 'its directory' }],
  options: { ...source.options, 'dry-run': { help: 'show what would be, change nothing' } },
  example: source.example,
  run: (call) => runImport(source, call),
}));

export const importCommands: readonly CliCommand[] = [...directories, ...importMailCommands];
