import { resolve } from 'node:path';
import { sizeText } from '../cli/quantities.ts';
import type { HybridChoice } from './hybrid-steps.ts';
import type { HybridSetup } from './hybrid.ts';
import type { LeftOver } from './steps.ts';

/** What an import of hybrid-cloud-email cannot carry over, each with what to do instead. */
export function hybridLeftOvers(
  setup: HybridSetup,
  choice: Pick<HybridChoice, 'bucket' | 'topics' | 'takeMail'>,
  directory: string,
): readonly LeftOver[] {
  return [
    ...setup.left,
    ...outgoing(setup),
    ...incoming(setup, choice),
    ...configuration(setup, directory),
    {
      what: `mail in ${setup.env.get('MAIL_VOLUME') ?? 'the volume'}`,
      why: 'it is copied over IMAP, so that flags and folders come along',
      remedy: 'docs/guides/moving-from-hybrid-cloud-email.md, "Copy the mail"',
    },
  ];
}

function outgoing({ region, sendCredentials }: HybridSetup): LeftOver[] {
  if (region === undefined) {
    return [
      {
        what: 'sending through SES',
        why: 'AWS_REGION is not set',
        remedy: 'Set it in .env and import again, or see docs/guides/routes.md',
      },
    ];
  }
  if (sendCredentials !== undefined) return [];
  return [
    {
      what: 'sending through SES',
      why: 'there is no aws_iam_credentials',
      remedy: 'postern transport add ses ses-smtp with the AWS key in a file, or a role of the machine',
    },
  ];
}

function incoming(
  setup: HybridSetup,
  { bucket, topics, takeMail }: Pick<HybridChoice, 'bucket' | 'topics' | 'takeMail'>,
): LeftOver[] {
  const left: LeftOver[] = [];
  if (setup.region === undefined || bucket === undefined) {
    left.push({
      what: 'mail that SES takes in',
      why: 'the name of the bucket stands nowhere in that directory',
      remedy: 'Import again with --bucket NAME: resource S3MailBucket of the CloudFormation stack',
    });
  } else if (!takeMail) {
    left.push({
      what: 'taking mail from the bucket',
      why: 'two programs must not empty one bucket',
      remedy: 'Stop the old ses-to-lmtp, then import again with --take-mail',
    });
  }
  if (topics.length === 0) {
    left.push({
      what: 'notices of SNS by HTTPS',
      why: 'only notices of known topics are believed, and the topic stands nowhere in that directory',
      remedy:
        'Import with --topic ARN (resource SnsNewMailTopic); without it mail is found by a look into the bucket',
    });
  }
  if (setup.deadLetterQueueUrl === undefined) {
    left.push({
      what: 'the dead-letter queue',
      why: 'DEAD_LETTER_QUEUE_URL is not set',
      remedy: 'None is needed: the bucket is looked through every quarter of an hour',
    });
  }
  return left;
}

/** Levels of Python's logging and ours. */
const LEVELS: Readonly<Record<string, string>> = {
  debug: 'debug',
  warning: 'warn',
  error: 'error',
  critical: 'error',
};

/** Lines for postern.toml: that file is the machine's, and no import changes it. */
function configuration({ env, maxMessageSize }: HybridSetup, directory: string): LeftOver[] {
  const lines: [what: string, line: string][] = [];
  const [certificate, key] = [env.get('SSL_CERT') ?? '', env.get('SSL_KEY') ?? ''];
  if (certificate !== '' && key !== '') {
    const [cert, keyFile] = [resolve(directory, certificate), resolve(directory, key)];
    lines.push(['SSL_CERT, SSL_KEY', `[tls] cert = "${cert}", key = "${keyFile}"`]);
  }
  if (maxMessageSize !== undefined) {
    lines.push([
      'MAX_MESSAGE_SIZE',
      `[limits] message_size = ${maxMessageSize} (${sizeText(maxMessageSize)})`,
    ]);
  }
  const ports: readonly (readonly [variable: string, usual: string, name: string])[] = [
    ['IMAPS_PORT', '993', 'imaps'],
    ['IMAP_STARTTLS_PORT', '143', 'imap'],
    ['SMTP_STARTTLS_PORT', '587', 'submission'],
    ['SNS_ENDPOINT_PORT', '', 'sns'],
  ];
  for (const [variable, usual, name] of ports) {
    const port = (env.get(variable) ?? usual).split(':').at(-1) ?? '';
    if (port !== usual && port !== '') lines.push([variable, `[listen] ${name} = ["*:${port}"]`]);
  }
  const level = LEVELS[(env.get('LOG_LEVEL') ?? '').toLowerCase()];
  if (level !== undefined) lines.push(['LOG_LEVEL', `[log] level = "${level}"`]);
  return lines.map(([what, line]) => ({
    what,
    why: 'it belongs into the configuration of the machine',
    remedy: `In postern.toml: ${line}`,
  }));
}
