import { createHash } from 'node:crypto';

/** Characters of a logical id, by CloudFormation's quotas. */
const LOGICAL_ID_MAX = 255;
/** Longest suffix that is put behind the id of a domain ("MailReceivingBackupMxDnsRecord"). */
const SUFFIX_MAX = 40;

/**
 * Logical id of a domain: "." is "Dot", "-" is "Dash", so that "example.org" is "exampleDotorg". Normalized domains have
 * no capitals, so no two domains share an id. Very long ones end in a digest.
 */
export function domainId(domain: string): string {
  const id = domain.replaceAll('.', 'Dot').replaceAll('-', 'Dash').replaceAll('_', 'Underscore');
  if (id.length <= LOGICAL_ID_MAX - SUFFIX_MAX) return id;
  const digest = createHash('sha256').update(domain).digest('hex').slice(0, 16);
  return id.slice(0, LOGICAL_ID_MAX - SUFFIX_MAX - digest.length) + digest;
}

/** Where SES puts mail in the bucket. */
export const MAIL_PREFIX = 'new/';
/** The rule that puts it there. */
export const RULE_NAME = 'MailToS3';
