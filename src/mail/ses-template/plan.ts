import { anyIdentity } from './access.ts';
import { DOMAINS_PER_TEMPLATE, PARAMETER_BYTES_MAX, sesTemplate } from './template.ts';
import type { CloudFormationTemplate, Principal, SesTemplateOptions } from './types.ts';

/** Octets of a template that is given in a request. By way of S3 (as the console does) it may have 1 MB. */
export const INLINE_BYTES_MAX = 51_200;
export const S3_BYTES_MAX = 1_048_576;

export interface PlannedTemplate {
  readonly region: string;
  /** Name for the stack, and for a file without its ending. */
  readonly name: string;
  readonly template: CloudFormationTemplate;
}

export interface TemplateRequest extends Omit<SesTemplateOptions, 'part'> {
  /** The first has the user or role. */
  readonly regions: readonly string[];
  /** Domains a template, at most. */
  readonly perTemplate?: number | undefined;
}

export interface TemplatePlan {
  readonly templates: readonly PlannedTemplate[];
  /** What to know before they are used, a sentence or two each. */
  readonly notes: readonly string[];
}

/**
 * The templates for any number of domains and regions: one a region, more where CloudFormation's limits are too narrow.
 * @throws Refusal 'bad-input'
 */
export function planTemplates(request: TemplateRequest): TemplatePlan {
  const groups = groupDomains(request.domains, request.perTemplate ?? DOMAINS_PER_TEMPLATE);
  const existing: Principal = { kind: 'existing', type: principalType(request.principal) };
  const templates = request.regions.flatMap((region, r) =>
    groups.map((domains, g): PlannedTemplate => {
      const options: SesTemplateOptions = {
        ...request,
        domains,
        mxPreference: request.mxPreference === undefined ? undefined : request.mxPreference + 10 * r,
        principal: r + g === 0 ? request.principal : existing,
        // SES wants exactly one MX record at such a name, and it leads to one region.
        mailFromSubDomain:
          r === 0 || request.mailFromSubDomain === ''
            ? request.mailFromSubDomain
            : `${request.mailFromSubDomain}-${region}`,
        part: groups.length === 1 ? undefined : { number: g + 1, of: groups.length },
      };
      const number = groups.length === 1 ? '' : `-${g + 1}`;
      return { region, name: `postern-ses-${region}${number}`, template: sesTemplate(options) };
    }),
  );
  return { templates, notes: notes(request, groups.length) };
}

function principalType(principal: Principal): 'user' | 'role' {
  if (principal.kind === 'existing') return principal.type;
  return principal.kind === 'user' ? 'user' : 'role';
}

/** In order; each group within the number and the length of names that a template takes. */
function groupDomains(domains: readonly string[], most: number): string[][] {
  const groups: string[][] = [[]];
  let length = 0;
  for (const domain of domains) {
    const group = groups.at(-1) ?? [];
    if (group.length > 0 && (group.length >= most || length + domain.length + 1 > PARAMETER_BYTES_MAX)) {
      groups.push([domain]);
      length = domain.length;
    } else {
      group.push(domain);
      length += domain.length + 1;
    }
  }
  return groups;
}

function notes(request: TemplateRequest, parts: number): string[] {
  const { domains, host, mailFromSubDomain, regions, principal } = request;
  const type = principalType(principal);
  const clash = domains.find((domain) => host === `${mailFromSubDomain}.${domain}`);
  const all: [boolean, string][] = [
    [
      clash !== undefined,
      `${host} is the name of your own host, and the subdomain for envelope senders of ${clash} as well: two SPF records and an MX record would meet there. Choose another with --mail-from, such as --mail-from bounces.`,
    ],
    [
      parts > 1,
      `There are ${parts} templates a region: deploy the first one first, and give its outputs to the others as parameters of the same name.`,
    ],
    [
      regions.length > 1,
      `IAM knows no regions: the ${type} is in the stack of ${regions[0] ?? ''}; give its name to the others (parameter ${type === 'role' ? 'MailRoleName' : 'MailUserName'}).`,
    ],
    [
      principal.kind === 'user' && principal.accessKey,
      'The secret of the access key stands in the outputs of the stack, for everybody who may read the stack.',
    ],
    [
      anyIdentity(domains.slice(0, request.perTemplate ?? DOMAINS_PER_TEMPLATE)),
      'IAM has no room to name so many domains: the user or role may send as every identity of the account. With --split 50 each template names its own.',
    ],
  ];
  return all.filter(([holds]) => holds).map(([, text]) => text);
}

/** What to know of the size of a template as it was rendered; undefined: it fits everywhere. */
export function sizeNote(name: string, bytes: number): string | undefined {
  if (bytes > S3_BYTES_MAX)
    return `${name} has ${bytes} octets, and CloudFormation takes ${S3_BYTES_MAX}: use --split with fewer domains.`;
  if (bytes > INLINE_BYTES_MAX)
    return `${name} has ${bytes} octets: the console takes it as a file; the command line needs a bucket for it (aws cloudformation deploy --s3-bucket NAME), or fewer domains a template (--split 25).`;
  return undefined;
}
