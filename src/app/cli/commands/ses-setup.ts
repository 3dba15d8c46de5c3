import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Refusal } from '../../../base/errors.ts';
import { isHostName, normalizeDomain } from '../../../mail/address/domain.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { planTemplates, type PlannedTemplate, sizeNote } from '../../../mail/ses-template/plan.ts';
import { templateJson, templateYaml } from '../../../mail/ses-template/render.ts';
import type { Principal } from '../../../mail/ses-template/types.ts';
import { sesStatusCommand } from '../ses-status.ts';
import { checkedRegion, domainsFor } from '../ses-place.ts';
import { type Call, type CliCommand, type Outcome, UsageError } from '../command.ts';
import { fit, plain } from '../plain-text.ts';
import { timeText } from '../quantities.ts';

/** Days that forgotten mail stays in the bucket, unless said otherwise. */
const EXPIRY_DAYS = 365;
/** As today's stacks have it. */
const MAIL_FROM = 'mail';
/** When our own host has that name. */
const OTHER_MAIL_FROM = 'bounces';
const MX_PREFERENCE = 10;

export interface RenderedTemplate {
  readonly file: string;
  readonly region: string;
  readonly stack: string;
  readonly text: string;
}

function wholeNumber(call: Call, option: string, least: number, most: number): number | undefined {
  const text = call.text(option);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < least || number > most)
    throw new UsageError(`--${option} takes a number from ${least} to ${most}, not "${plain(text)}"`);
  return number;
}

function regionsOf(call: Call): string[] {
  const given = call.texts('region');
  const fallback = call.io.env['AWS_REGION'] ?? call.io.env['AWS_DEFAULT_REGION'];
  const regions = given.length > 0 ? given : fallback === undefined ? [] : [fallback];
  if (regions.length === 0) throw new UsageError('--region is missing, such as --region eu-west-1');
  if (new Set(regions).size < regions.length) throw new UsageError('a region is named twice');
  return regions.map(checkedRegion);
}

function principalOf(call: Call): Principal {
  const text = call.text('principal') ?? 'user';
  const externalId = call.text('external-id');
  if (externalId !== undefined && !text.startsWith('arn:'))
    throw new UsageError('--external-id goes with --principal ARN');
  if (call.on('access-key') && text !== 'user')
    throw new UsageError('--access-key goes with --principal user');
  if (text === 'user') return { kind: 'user', accessKey: call.on('access-key') };
  if (text === 'ec2') return { kind: 'ec2' };
  if (!/^arn:aws(?:-[a-z]+){0,2}:iam::\d{12}:(?:root|(?:role|user)\/[\w+=,.@/-]{1,200})$/.test(text))
    throw new UsageError(
      `--principal takes user, ec2, or the ARN of a role or user that may assume the role, not "${plain(text)}"`,
    );
  return { kind: 'role', trust: text, externalId };
}

interface MailFrom {
  readonly label: string;
  readonly notes: readonly string[];
}

/**
 * The subdomain for envelope senders: as it was said, else the one that today's stacks have, unless it is the name of our
 * own host: SPF and MX records of SES would meet ours there.
 */
function mailFromOf(call: Call, domains: readonly string[], host: string | undefined): MailFrom {
  const text = call.text('mail-from')?.toLowerCase();
  if (text !== undefined) {
    if (!/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/.test(text))
      throw new UsageError('--mail-from takes one label such as bounces, or "" for none');
    return { label: text, notes: [] };
  }
  const clash = domains.some((domain) => host === `${MAIL_FROM}.${domain}`);
  if (clash)
    return {
      label: OTHER_MAIL_FROM,
      notes: [
        `Envelope senders are at ${OTHER_MAIL_FROM}.DOMAIN, since ${host ?? ''} is your own host (--mail-from chooses another).`,
      ],
    };
  const notes =
    host === undefined
      ? [
          `Envelope senders are at ${MAIL_FROM}.${domains[0] ?? 'DOMAIN'}, a name that must serve nothing else. If your mail host has it, choose another: --mail-from ${OTHER_MAIL_FROM}`,
        ]
      : [];
  return { label: MAIL_FROM, notes };
}

/** Our own host: as it was said, else the running server's name; undefined when none runs. */
async function ownHost(call: Call): Promise<string | undefined> {
  const text = call.text('host');
  if (text !== undefined) {
    const host = normalizeDomain(text);
    if (host === undefined || !isHostName(host))
      throw new UsageError(`--host takes a name such as mail.example.org, not "${plain(text)}"`);
    return host;
  }
  try {
    return (await call.admin.call(operations.status.get, {})).hostname;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Preference of the MX record that leads to SES. */
function mxOf(call: Call): number | undefined {
  const backup = wholeNumber(call, 'backup-mx', 11, 65_000);
  if (!call.on('send-only')) return backup ?? MX_PREFERENCE;
  if (backup !== undefined) throw new UsageError('--send-only and --backup-mx exclude each other');
  return undefined;
}

async function template(call: Call): Promise<Outcome> {
  const format = call.text('format') ?? 'yaml';
  if (format !== 'yaml' && format !== 'json') throw new UsageError('--format takes yaml or json');
  const mxPreference = mxOf(call);
  if (call.text('backup-mx') !== undefined && call.text('host') === undefined)
    throw new UsageError('--backup-mx needs --host NAME, the mail host that comes first');
  const [regions, domains, host] = [regionsOf(call), await domainsFor(call), await ownHost(call)];
  const mailFrom = mailFromOf(call, domains, host);
  const plan = planTemplates({
    regions,
    domains,
    principal: principalOf(call),
    mailFromSubDomain: mailFrom.label,
    expiryDays: wholeNumber(call, 'expiry-days', 15, 36_500) ?? EXPIRY_DAYS,
    mxPreference,
    // Only a host that was named sends or receives as well; the server's own may be behind blocked ports.
    host: call.text('host') === undefined ? undefined : host,
    perTemplate: wholeNumber(call, 'split', 1, 100),
  });
  const rendered = plan.templates.map((one) => renderOne(one, format));
  const notes = [
    ...mailFrom.notes,
    ...plan.notes,
    ...rendered
      .map(({ file, text }) => sizeNote(file, Buffer.byteLength(text)))
      .filter((note) => note !== undefined),
  ];
  const out = call.text('out');
  if (out !== undefined) await writeAll(resolve(call.io.cwd, out), rendered);
  else if (rendered.length > 1 && format === 'json' && !call.on('json'))
    throw new UsageError(`these are ${rendered.length} templates: name a directory for them with --out DIR`);
  if (!call.on('json')) call.io.err(advice(rendered, notes, mxPreference !== undefined));
  return {
    value: {
      templates: plan.templates.map(({ region, name, template: body }, i) => ({
        region,
        stack: name,
        file: rendered[i]?.file,
        template: body,
      })),
      notes,
    },
    text: () => (out === undefined ? printed(rendered) : written(resolve(call.io.cwd, out), rendered)),
  };
}

function renderOne(
  { region, name, template: body }: PlannedTemplate,
  format: 'yaml' | 'json',
): RenderedTemplate {
  const text = format === 'yaml' ? templateYaml(body) : templateJson(body);
  return { region, stack: name, file: `${name}.${format}`, text };
}

async function writeAll(directory: string, rendered: readonly RenderedTemplate[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const { file, text } of rendered) await writeFile(join(directory, file), text);
}

function printed(rendered: readonly RenderedTemplate[]): string {
  if (rendered.length === 1) return rendered[0]?.text ?? '';
  return rendered.map(({ file, text }) => `---\n# ${file}\n${text}`).join('');
}

function written(directory: string, rendered: readonly RenderedTemplate[]): string {
  return rendered.map(({ file }) => `${plain(join(directory, file))}\n`).join('');
}

/** Beside the templates, not among them: what to do with them. */
function advice(rendered: readonly RenderedTemplate[], notes: readonly string[], receives: boolean): string {
  const deploy = rendered.map(
    ({ file, stack, region }) =>
      `  aws cloudformation deploy --template-file ${file} --stack-name ${stack} --capabilities CAPABILITY_IAM --region ${region}\n` +
      `  aws cloudformation describe-stacks --stack-name ${stack} --query 'Stacks[0].Outputs' --output table --region ${region}\n`,
  );
  return [
    ...notes.map((note) => `Note: ${plain(note)}\n`),
    'Make the stack from a file with the template, then read its outputs (DNS records, names for Postern):\n',
    ...deploy,
    ...(receives
      ? ['Then run the command in the output ActivateReceiptRuleSet: a template cannot do that.\n']
      : []),
    `Tell Postern of the stack: run the commands in the outputs ${receives ? 'AddIntake, ' : ''}AddTransport and AddEvents.\n`,
    'At last see what is missing: postern ses status\n',
  ].join('');
}

export const sesSetUpCommands: readonly CliCommand[] = [
  {
    words: ['ses', 'template'],
    summary: 'a CloudFormation template with all that mail through Amazon SES needs',
    details:
      'Prints a template for the domains named, or for those of the running server; deploy it with the console or the AWS command line. It makes the identities, the bucket, topics and queues for mail that comes in, events of mail that went out, and a user or role that may do no more than that.',
    args: [],
    options: {
      domain: { value: 'DOMAIN', help: 'a domain of yours (default: those of the server)', many: true },
      'domains-file': { value: 'FILE', help: 'file with one domain a line; # begins a comment' },
      region: { value: 'REGION', help: 'region of SES, such as eu-west-1 (default: AWS_REGION)', many: true },
      format: { value: 'FORMAT', help: 'yaml (default) or json' },
      'send-only': { help: 'SES sends, and receives nothing' },
      'backup-mx': {
        value: 'N',
        help: 'SES receives while your own host is down: preference of its MX record, such as 20',
      },
      host: { value: 'NAME', help: 'your own mail host, where it receives or sends as well' },
      'mail-from': {
        value: 'LABEL',
        help: 'subdomain for envelope senders (mail, or bounces where that is your host); it must serve nothing else; "" is off',
      },
      principal: {
        value: 'WHO',
        help: 'user (default), ec2 (role of an instance), or the ARN of who may assume the role',
      },
      'external-id': { value: 'ID', help: 'with an ARN: what it must say when it assumes the role' },
      'access-key': { help: 'with user: make its key in the stack; the secret is in the outputs' },
      'expiry-days': { value: 'N', help: 'days until forgotten mail is deleted from the bucket (365)' },
      split: { value: 'N', help: 'domains a template, at most 100' },
      out: { value: 'DIR', help: 'write files there instead of printing' },
    },
    example: 'ses template --domain example.org --region eu-west-1',
    offline: true,
    run: template,
  },
  sesStatusCommand,
  {
    words: ['ses', 'events'],
    summary: 'what Amazon SES told last of mail that it sent or took for us',
    args: [],
    options: {},
    example: 'ses events',
    async run({ admin, io }) {
      const value = await admin.call(operations.ses.events, {});
      const rows = value.events.map(({ at, kind, data }) => [
        timeText(at, io.timeZone),
        kind,
        plain(JSON.stringify(data)),
      ]);
      const head = ['when', 'what', 'facts'];
      return { value, text: () => (rows.length === 0 ? 'Nothing yet.\n' : lines([head, ...rows], io.width)) };
    },
  },
];

/** Columns of a time, a word and the rest. */
function lines(rows: readonly (readonly string[])[], width: number): string {
  return rows
    .map(([at = '', kind = '', rest = '']) => `${fit(`${at.padEnd(22)}${kind.padEnd(22)}${rest}`, width)}\n`)
    .join('');
}
