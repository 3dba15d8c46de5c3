import { createHmac } from 'node:crypto';

/** The version of the scheme, first octet of every password made by it. */
const VERSION = 4;

/**
 * The password for SES's SMTP endpoint of `region` that belongs to an IAM secret access key; the user name is the access
 * key id. Amazon's published derivation ("Obtaining Amazon SES SMTP credentials"): a chain of HMAC-SHA256 as for a
 * signature of version 4, with a date that never changes. Holds for every region, those that do not exist yet included;
 * a key of temporary credentials has no such password, for there is no place for its session token.
 */
export function sesSmtpPassword(secretAccessKey: string, region: string): string {
  const steps = ['11111111', region, 'ses', 'aws4_request', 'SendRawEmail'];
  let digest = Buffer.from(`AWS4${secretAccessKey}`, 'utf8');
  for (const step of steps) digest = createHmac('sha256', digest).update(step, 'utf8').digest();
  return Buffer.concat([Buffer.of(VERSION), digest]).toString('base64');
}

/** Host name of SES's SMTP endpoint of a region. */
export function sesSmtpHost(region: string): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `email-smtp.${region}.${suffix}`;
}
