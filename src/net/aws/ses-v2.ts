import type * as Ses from '@aws-sdk/client-sesv2';
import { told } from './errors.ts';
import { lazily, type SdkBase } from './sdk.ts';
import { PLACEHOLDER } from './ses-body.ts';
import { sendOnce } from './ses-send.ts';
import type { SesAccount, SesApi, SesIdentity, SesMessage } from './types.ts';

/** Octets of a message, as SES counts them: attachments in their base64. */
export const SES_V2_BYTES = 40 * 1024 * 1024;
/** Identities of one page, and pages read at most. */
const PAGE = 1000;
const PAGES = 20;

interface Client {
  readonly ses: typeof Ses;
  readonly made: Ses.SESv2Client;
  /** For what must not be done twice. */
  readonly once: Ses.SESv2Client;
}

/** SES by its second API. */
export function createSesV2({ config }: SdkBase): SesApi {
  const client = lazily(async (): Promise<Client> => {
    const ses = await import('@aws-sdk/client-sesv2');
    return {
      ses,
      made: new ses.SESv2Client(config),
      once: new ses.SESv2Client({ ...config, maxAttempts: 1 }),
    };
  });
  const call = <T>(what: string, work: (client: Client) => Promise<T>): Promise<T> =>
    told(`SES ${what}`, async () => work(await client()));
  return {
    version: 2,
    maxMessageBytes: SES_V2_BYTES,
    send: (message, { signal } = {}) =>
      sendOnce('SES SendEmail', async (use) => {
        const { ses, once } = await client();
        const command = new ses.SendEmailCommand(inputOf(message));
        use(command.middlewareStack, message.raw, 'json');
        return (await once.send(command, signal === undefined ? {} : { abortSignal: signal })).MessageId;
      }),
    account: () => call('GetAccount', account),
    identities: () => call('ListEmailIdentities', identities),
  };
}

function inputOf(message: SesMessage): Ses.SendEmailCommandInput {
  const { from, recipients, configurationSet, tags, fromArn, sourceArn, returnPathArn } = message;
  const arn = fromArn ?? sourceArn;
  return {
    FromEmailAddress: from,
    Destination: { ToAddresses: [...recipients] },
    Content: { Raw: { Data: PLACEHOLDER } },
    ...(configurationSet !== undefined && { ConfigurationSetName: configurationSet }),
    ...(tags !== undefined && {
      EmailTags: Object.entries(tags).map(([Name, Value]) => ({ Name, Value })),
    }),
    ...(arn !== undefined && { FromEmailAddressIdentityArn: arn }),
    ...(returnPathArn !== undefined && { FeedbackForwardingEmailAddressIdentityArn: returnPathArn }),
  };
}

async function account({ ses, made }: Client): Promise<SesAccount> {
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
}

async function identities({ ses, made }: Client): Promise<readonly SesIdentity[]> {
  const found: SesIdentity[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const input = { PageSize: PAGE, ...(NextToken && { NextToken }) };
    const answer = await made.send(new ses.ListEmailIdentitiesCommand(input));
    for (const { IdentityName, IdentityType, SendingEnabled, VerificationStatus } of answer.EmailIdentities ??
      []) {
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
}
