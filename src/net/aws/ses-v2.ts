import { lazily, type SdkBase } from './client.ts';
import { toAwsError } from './errors.ts';
import { sendOnce } from './ses-send.ts';
import { PLACEHOLDER } from './ses-body.ts';
import type { SesApi, SesIdentity } from './types.ts';

/** Octets of a message, as SES counts them: attachments in their base64. */
export const SES_V2_BYTES = 40 * 1024 * 1024;
/** Identities of one page, and pages read at most. */
const PAGE = 1000;
const PAGES = 20;

/** SES by its second API. */
export function createSesV2({ config }: SdkBase): SesApi {
  const client = lazily(async () => {
    const ses = await import('@aws-sdk/client-sesv2');
    return {
      ses,
      made: new ses.SESv2Client(config),
      once: new ses.SESv2Client({ ...config, maxAttempts: 1 }),
    };
  });
  return {
    version: 2,
    maxMessageBytes: SES_V2_BYTES,
    async send(message, { signal } = {}) {
      return sendOnce('SES SendEmail', async (use) => {
        const { ses, once } = await client();
        const command = new ses.SendEmailCommand({
          FromEmailAddress: message.from,
          Destination: { ToAddresses: [...message.recipients] },
          Content: { Raw: { Data: PLACEHOLDER } },
          ...(message.configurationSet !== undefined && { ConfigurationSetName: message.configurationSet }),
          ...(message.tags !== undefined && {
            EmailTags: Object.entries(message.tags).map(([Name, Value]) => ({ Name, Value })),
          }),
          ...((message.fromArn ?? message.sourceArn) !== undefined && {
            FromEmailAddressIdentityArn: message.fromArn ?? message.sourceArn,
          }),
          ...(message.returnPathArn !== undefined && {
            FeedbackForwardingEmailAddressIdentityArn: message.returnPathArn,
          }),
        });
        use(command.middlewareStack, message.raw, 'json');
        return (await once.send(command, signal === undefined ? {} : { abortSignal: signal })).MessageId;
      });
    },
    async account() {
      try {
        const { ses, made } = await client();
        const found = await made.send(new ses.GetAccountCommand({}));
        const quota = found.SendQuota;
        return {
          production: found.ProductionAccessEnabled === true,
          sendingEnabled: found.SendingEnabled !== false,
          maxSendRate: quota?.MaxSendRate ?? 1,
          max24HourSend: quota?.Max24HourSend ?? -1,
          sentLast24Hours: quota?.SentLast24Hours ?? 0,
          enforcement: found.EnforcementStatus ?? 'HEALTHY',
        };
      } catch (error) {
        throw toAwsError(error, 'SES GetAccount');
      }
    },
    async identities() {
      try {
        const { ses, made } = await client();
        const found: SesIdentity[] = [];
        let NextToken: string | undefined;
        for (let page = 0; page < PAGES; page++) {
          const answer = await made.send(
            new ses.ListEmailIdentitiesCommand({ PageSize: PAGE, ...(NextToken && { NextToken }) }),
          );
          for (const {
            IdentityName,
            IdentityType,
            SendingEnabled,
            VerificationStatus,
          } of answer.EmailIdentities ?? []) {
            if (IdentityName === undefined) continue;
            found.push({
              name: IdentityName.toLowerCase(),
              kind: IdentityType === 'EMAIL_ADDRESS' ? 'address' : 'domain',
              verified: SendingEnabled ?? VerificationStatus === 'SUCCESS',
            });
          }
          NextToken = answer.NextToken;
          if (NextToken === undefined) break;
        }
        return found;
      } catch (error) {
        throw toAwsError(error, 'SES ListEmailIdentities');
      }
    },
  };
}
