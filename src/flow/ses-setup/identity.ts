import { recordLine, sesRecords } from '../../mail/ses-template/records.ts';
import type { IdentityFacts, SetUpReader } from '../../net/aws/inspect.ts';
import { attempt, ok, problem, type Topic } from './lines.ts';
import type { StatusLine, StatusParts } from './types.ts';

/** What is known of a domain, for the checks that come after. */
export interface DomainFacts {
  readonly domain: string;
  /** Undefined: it is no identity, or could not be looked at. */
  readonly identity: IdentityFacts | undefined;
  readonly lines: readonly StatusLine[];
}

/** Whether SES lets us send as a domain. */
export async function domainFacts({ reader, request }: StatusParts, domain: string): Promise<DomainFacts> {
  let identity: IdentityFacts | undefined;
  const topic = {
    area: 'identity',
    subject: domain,
    why: 'SES sends only for domains whose owner has proven that they are theirs; other senders get a 554.',
  } as const;
  const lines = await attempt(topic, 'ses:GetEmailIdentity', async () => {
    identity = await reader.identity(domain);
    if (identity === undefined) return [await unknownDomain(reader, topic, domain, request.region)];
    return [
      verified(topic, identity, domain, request.region),
      signing(domain, identity, request.region),
      mailFrom(domain, identity, request.region),
    ];
  });
  return { domain, identity, lines };
}

/** SES sends for the subdomains of a verified domain, too, and signs as that domain. */
async function unknownDomain(
  reader: SetUpReader,
  topic: Topic,
  domain: string,
  region: string,
): Promise<StatusLine> {
  const labels = domain.split('.');
  for (let first = 1; first < labels.length - 1; first++) {
    const parent = labels.slice(first).join('.');
    if ((await reader.identity(parent))?.verified === true)
      return ok(topic, `SES sends for it as a subdomain of ${parent}, which is verified.`);
  }
  return problem(
    topic,
    `SES in ${region} does not know the domain.`,
    `postern ses template --domain ${domain} --region ${region}`,
    `aws sesv2 create-email-identity --email-identity ${domain} --region ${region}`,
  );
}

function dkimRecords(domain: string, { dkim }: IdentityFacts, region: string): string[] {
  return sesRecords({ domain, region, mailFrom: undefined, dkim: dkim.records })
    .filter(({ kind }) => kind === 'dkim')
    .map(recordLine);
}

function verified(topic: Topic, identity: IdentityFacts, domain: string, region: string): StatusLine {
  if (identity.verified) return ok(topic, 'The domain is verified.');
  return problem(topic, 'The domain is not verified yet.', ...dkimRecords(domain, identity, region));
}

function signing(domain: string, identity: IdentityFacts, region: string): StatusLine {
  const topic = {
    area: 'identity',
    subject: `${domain} DKIM`,
    why: 'Receivers trust mail that is signed for the domain of its From field.',
  } as const;
  const { signing: on, status } = identity.dkim;
  if (!on)
    return problem(
      topic,
      'SES does not sign mail of the domain.',
      `aws sesv2 put-email-identity-dkim-attributes --email-identity ${domain} --signing-enabled --region ${region}`,
    );
  if (status === 'SUCCESS') return ok(topic, 'SES signs mail of the domain.');
  return problem(
    topic,
    `The keys are not found in DNS (${status}).`,
    ...dkimRecords(domain, identity, region),
  );
}

function mailFrom(domain: string, { mailFrom: from }: IdentityFacts, region: string): StatusLine {
  const topic = {
    area: 'identity',
    subject: `${domain} MAIL FROM`,
    why: 'With an envelope sender of your own, SPF passes for your domain, not only for Amazon.',
  } as const;
  if (from === undefined)
    return ok(topic, 'Off: SES uses an envelope sender of its own, and DKIM alone speaks for you.');
  if (from.status === 'SUCCESS') return ok(topic, `${from.domain} is in use.`);
  const records = sesRecords({ domain, region, mailFrom: from.domain, dkim: [] });
  const effect = from.refuses
    ? 'SES refuses mail of the domain until it is'
    : 'SES uses its own sender until it is';
  return problem(
    topic,
    `${from.domain} is not found in DNS (${from.status}): ${effect}.`,
    ...records.filter(({ kind }) => kind.startsWith('mail-from')).map(recordLine),
  );
}
