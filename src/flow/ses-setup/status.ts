import type { AwsCaller } from '../../net/aws/types.ts';
import { AwsError } from '../../net/aws/types.ts';
import type { RuleSetFacts } from '../../net/aws/inspect.ts';
import { accountLines } from './account.ts';
import { dnsLines, type Receiving } from './dns.ts';
import { eventLines } from './events.ts';
import { type DomainFacts, domainFacts } from './identity.ts';
import { attempt, problem, type Topic, unknown } from './lines.ts';
import { covers, ruleLine, ruleSetLine, storeLines } from './receiving.ts';
import type { StatusLine, StatusParts } from './types.ts';

export interface SesStatus {
  readonly region: string;
  /** Undefined: Amazon did not say who we are. */
  readonly caller: AwsCaller | undefined;
  readonly lines: readonly StatusLine[];
}

/**
 * What exists at Amazon and in DNS, compared with what mail through SES needs. Only reads. What may not be looked at is
 * a line too, with the permission it needs; nothing but faults of the program throws.
 */
export async function sesStatus(parts: StatusParts): Promise<SesStatus> {
  const { request, reader } = parts;
  const { region } = request;
  let caller: AwsCaller;
  try {
    caller = await reader.caller();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { region, caller: undefined, lines: [noCaller(error)] };
  }
  const lines: StatusLine[] = [...(await accountLines(parts))];
  const domains: DomainFacts[] = [];
  // One after the other: Amazon answers few such calls a second.
  for (const domain of request.domains) domains.push(await domainFacts(parts, domain));
  lines.push(...domains.flatMap((facts) => facts.lines));
  const rules = await activeRules(parts);
  const receiving = new Map<string, Receiving>();
  for (const { domain } of domains) receiving.set(domain, await meant(parts, rules.active, domain));
  lines.push(...(await receivingLines(parts, rules, receiving, caller)));
  lines.push(...(await eventLines(parts, domains)));
  const records = domains.map((facts) =>
    dnsLines(parts, facts, receiving.get(facts.domain) ?? { wanted: false, backup: false }),
  );
  lines.push(...(await Promise.all(records)).flat());
  return { region, caller, lines };
}

function noCaller(error: AwsError): StatusLine {
  const topic: Topic = {
    area: 'account',
    subject: 'credentials',
    why: 'Nothing can be looked at without them.',
  };
  if (error.kind !== 'auth') return unknown(topic, error.message, 'Try again: postern ses status');
  return problem(
    topic,
    error.message,
    'Give them as the AWS tools take them (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws/credentials, a role of the machine), or in a file with one line "key:secret": --credentials-file FILE',
  );
}

interface ActiveRules {
  readonly active: RuleSetFacts | undefined;
  /** Names of all rule sets, where they had to be looked for. */
  readonly all: readonly string[];
  /** Why they could not be looked at. */
  readonly unknown: readonly StatusLine[];
}

async function activeRules({ reader, request }: StatusParts): Promise<ActiveRules> {
  if (request.receive === 'none') return { active: undefined, all: [], unknown: [] };
  const topic: Topic = {
    area: 'receiving',
    subject: 'active rule set',
    why: 'It decides on all mail that SES receives.',
  };
  let active: RuleSetFacts | undefined;
  const problems = await attempt(topic, 'ses:DescribeActiveReceiptRuleSet', async () => {
    active = await reader.activeRuleSet();
    return [];
  });
  let all: readonly string[] = [];
  if (active === undefined && problems.length === 0)
    // Only for the name in the command: without the permission it goes without.
    all = await reader.ruleSets().catch((error: unknown) => {
      if (error instanceof AwsError) return [];
      throw error;
    });
  return { active, all, unknown: problems };
}

/** What is meant for a domain, by what was said or by what is there. */
async function meant(
  { request, dns }: StatusParts,
  active: RuleSetFacts | undefined,
  domain: string,
): Promise<Receiving> {
  const { receive, host, region, sources } = request;
  if (receive !== 'auto') return { wanted: receive !== 'none', backup: receive === 'backup' };
  const answer = await dns.query(domain, 'MX');
  const hosts = answer.status === 'ok' ? answer.records.map(({ exchange }) => exchange.toLowerCase()) : [];
  const led = hosts.includes(`inbound-smtp.${region}.amazonaws.com`);
  const ruled = active?.rules.some((rule) => rule.recipients.length > 0 && covers(rule, domain)) === true;
  return {
    wanted: led || ruled || sources.some(({ bucket }) => bucket !== ''),
    backup: host !== undefined && hosts.includes(host.toLowerCase()),
  };
}

async function receivingLines(
  parts: StatusParts,
  { active, all, unknown: problems }: ActiveRules,
  receiving: ReadonlyMap<string, Receiving>,
  caller: AwsCaller,
): Promise<StatusLine[]> {
  const { region } = parts.request;
  const wanted = [...receiving].filter(([, { wanted: yes }]) => yes).map(([domain]) => domain);
  if (problems.length > 0) return wanted.length > 0 ? [...problems] : [];
  if (wanted.length === 0)
    return parts.request.receive === 'auto' && all.length > 0 ? [ruleSetLine(active, all, region)] : [];
  const lines = [ruleSetLine(active, all, region)];
  if (active === undefined) return lines;
  lines.push(...wanted.map((domain) => ruleLine(parts, active, domain)));
  const partition = caller.arn.split(':')[1] ?? 'aws';
  const used = active.rules.filter((rule) => rule.enabled && wanted.some((domain) => covers(rule, domain)));
  const stores = new Map(
    used.flatMap(({ stores: some }) =>
      some.map((store) => [`${store.bucket}/${store.prefix} ${store.topic ?? ''}`, store] as const),
    ),
  );
  for (const store of stores.values())
    lines.push(...(await storeLines(parts, active, store, { account: caller.account, partition })));
  return lines;
}
