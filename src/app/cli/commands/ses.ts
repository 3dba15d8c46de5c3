import { resolve } from 'node:path';
import { Refusal } from '../../../base/errors.ts';
import { fileTrouble, readSmallFile } from '../../../base/small-file.ts';
import { keysOfFile } from '../../../net/aws/credentials.ts';
import { sesSmtpHost, sesSmtpPassword } from '../../../net/aws/ses-smtp-password.ts';
import { AwsError, type AwsKeys } from '../../../net/aws/types.ts';
import { type CliCommand, type CliIo, UsageError } from '../command.ts';

/** The long-term key to make the password from: of the file, else of the environment as AWS's tools have it. */
async function keysFor(io: CliIo, file: string | undefined): Promise<AwsKeys> {
  if (file !== undefined) return fromFile(resolve(io.cwd, file));
  const accessKeyId = io.env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = io.env['AWS_SECRET_ACCESS_KEY'];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new UsageError(
      'name a file that holds "key:secret" with --credentials-file, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  const sessionToken = io.env['AWS_SESSION_TOKEN'];
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

async function fromFile(path: string): Promise<AwsKeys> {
  try {
    return keysOfFile(path, (await readSmallFile(path)).toString('utf8'));
  } catch (error) {
    if (error instanceof AwsError) throw new Refusal('bad-input', error.message);
    throw new Refusal('bad-input', `cannot read ${path}: ${fileTrouble(error)}`);
  }
}

function regionFrom(text: string | undefined, io: CliIo): string {
  const region = text ?? io.env['AWS_REGION'] ?? io.env['AWS_DEFAULT_REGION'];
  if (region === undefined) throw new UsageError('--region is missing: SMTP passwords hold for one region');
  if (!/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region))
    throw new UsageError(`--region takes a region such as eu-west-1, not "${region}"`);
  return region;
}

export const sesCommands: readonly CliCommand[] = [
  {
    words: ['ses', 'smtp-credentials'],
    summary: 'user and password for the SMTP endpoint of Amazon SES, made from an IAM key',
    details:
      'Computed here, nothing is asked of AWS. The secret is read from a file or the environment, never from the command line. The transport "ses-smtp" does the same by itself; this is for other programs.',
    args: [],
    options: {
      region: { value: 'REGION', help: 'region of SES the password is for (default: AWS_REGION)' },
      'credentials-file': {
        value: 'FILE',
        help: 'file with "key:secret" (default: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)',
      },
    },
    example: 'ses smtp-credentials --region eu-west-1 --credentials-file key',
    offline: true,
    async run({ io, text }) {
      const region = regionFrom(text('region'), io);
      const keys = await keysFor(io, text('credentials-file'));
      if (keys.sessionToken !== undefined)
        throw new Refusal(
          'bad-input',
          'these credentials are temporary, and SMTP passwords are made from long-term keys only: make an access key for an IAM user that may ses:SendRawEmail, or send by the API ("ses-api")',
        );
      const value = {
        region,
        host: sesSmtpHost(region),
        user: keys.accessKeyId,
        password: sesSmtpPassword(keys.secretAccessKey, region),
      };
      return {
        value,
        text: () =>
          [
            `host      ${value.host}, port 587 with STARTTLS or 465 with TLS`,
            `user      ${value.user}`,
            `password  ${value.password}`,
            '',
          ].join('\n'),
      };
    },
  },
];
