import { lazily, type SdkBase } from './client.ts';
import { toAwsError } from './errors.ts';
import { PLACEHOLDER } from './ses-body.ts';
import { sendOnce } from './ses-send.ts';
import { AwsError, type SesApi, type SesIdentity } from './types.ts';

/** Octets of a message that the first API takes. */
export const SES_V1_BYTES = 10 * 1024 * 1024;
/** Identities that one call tells the state of. */
const VERIFIED_AT_ONCE = 100;
const PAGE = 1000;
const PAGES = 20;
/** What the sandbox allows; this API has no other word for it. */
const SANDBOX_PER_DAY = 200;

/** SES by its first API: for those who must stay with it. */
export function createSesV1({ config }: SdkBase): SesApi {
  const client = lazily(async () => {
    const ses = await import('@aws-sdk/client-ses');
    return { ses, made: new ses.SESClient(config), once: new ses.SESClient({ ...config, maxAttempts: 1 }) };
  });
  type Made = Awaited<ReturnType<typeof client>>;
  return {
    version: 1,
    maxMessageBytes: SES_V1_BYTES,
    async send(message, { signal } = {}) {
      return sendOnce('SES SendRawEmail', async (use) => {
        const { ses, once } = await client();
        const command = new ses.SendRawEmailCommand({
          Source: message.from,
          Destinations: [...message.recipients],
          RawMessage: { Data: PLACEHOLDER },
          ...(message.configurationSet !== undefined && { ConfigurationSetName: message.configurationSet }),
          ...(message.tags !== undefined && {
            Tags: Object.entries(message.tags).map(([Name, Value]) => ({ Name, Value })),
          }),
          ...(message.sourceArn !== undefined && { SourceArn: message.sourceArn }),
          ...(message.fromArn !== undefined && { FromArn: message.fromArn }),
          ...(message.returnPathArn !== undefined && { ReturnPathArn: message.returnPathArn }),
        });
        use(command.middlewareStack, message.raw, 'form');
        return (await once.send(command, signal === undefined ? {} : { abortSignal: signal })).MessageId;
      });
    },
    async account() {
      try {
        const { ses, made } = await client();
        const quota = await made.send(new ses.GetSendQuotaCommand({}));
        const max24HourSend = quota.Max24HourSend ?? -1;
        return {
          production: max24HourSend === -1 || max24HourSend > SANDBOX_PER_DAY,
          sendingEnabled: await sendingEnabled({ ses, made }),
          maxSendRate: quota.MaxSendRate ?? 1,
          max24HourSend,
          sentLast24Hours: quota.SentLast24Hours ?? 0,
          enforcement: 'HEALTHY',
        };
      } catch (error) {
        throw toAwsError(error, 'SES GetSendQuota');
      }
    },
    async identities() {
      try {
        const found: SesIdentity[] = [];
        const { ses, made } = await client();
        let NextToken: string | undefined;
        for (let page = 0; page < PAGES; page++) {
          const answer = await made.send(
            new ses.ListIdentitiesCommand({ MaxItems: PAGE, ...(NextToken && { NextToken }) }),
          );
          found.push(...(await states({ ses, made }, answer.Identities ?? [])));
          NextToken = answer.NextToken;
          if (NextToken === undefined) break;
        }
        return found;
      } catch (error) {
        throw toAwsError(error, 'SES ListIdentities');
      }
    },
  };

  /** A permission of its own: without it the account is taken to be enabled. */
  async function sendingEnabled({ ses, made }: Pick<Made, 'ses' | 'made'>): Promise<boolean> {
    try {
      return (await made.send(new ses.GetAccountSendingEnabledCommand({}))).Enabled !== false;
    } catch (error) {
      if (toAwsError(error, 'SES').kind === 'auth') return true;
      throw error;
    }
  }

  async function states(
    { ses, made }: Pick<Made, 'ses' | 'made'>,
    names: readonly string[],
  ): Promise<SesIdentity[]> {
    const result: SesIdentity[] = [];
    for (let at = 0; at < names.length; at += VERIFIED_AT_ONCE) {
      const some = names.slice(at, at + VERIFIED_AT_ONCE);
      const answer = await made.send(new ses.GetIdentityVerificationAttributesCommand({ Identities: some }));
      if (answer.VerificationAttributes === undefined) throw new AwsError('server', 'SES: an empty answer');
      for (const name of some) {
        result.push({
          name: name.toLowerCase(),
          kind: name.includes('@') ? 'address' : 'domain',
          verified: answer.VerificationAttributes[name]?.VerificationStatus === 'Success',
        });
      }
    }
    return result;
  }
}
