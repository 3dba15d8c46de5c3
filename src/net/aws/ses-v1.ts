import type * as Ses from '@aws-sdk/client-ses';
import { toAwsError, told } from './errors.ts';
import { lazily, type SdkBase } from './sdk.ts';
import { PLACEHOLDER } from './ses-body.ts';
import { sendOnce } from './ses-send.ts';
import { AwsError, type SesAccount, type SesApi, type SesIdentity, type SesMessage } from './types.ts';

/** Octets of a message that the first API takes. */
export const SES_V1_BYTES = 10 * 1024 * 1024;
/** Identities that one call tells the state of. */
const VERIFIED_AT_ONCE = 100;
const PAGE = 1000;
const PAGES = 20;
/** What the sandbox allows; this API has no other word for it. */
const SANDBOX_PER_DAY = 200;

interface Client {
  readonly ses: typeof Ses;
  readonly made: Ses.SESClient;
  /** For what must not be done twice. */
  readonly once: Ses.SESClient;
}

/** SES by its first API: for those who must stay with it. */
export function createSesV1({ config }: SdkBase): SesApi {
  const client = lazily(async (): Promise<Client> => {
    const ses = await import('@aws-sdk/client-ses');
    return { ses, made: new ses.SESClient(config), once: new ses.SESClient({ ...config, maxAttempts: 1 }) };
  });
  const call = <T>(what: string, work: (client: Client) => Promise<T>): Promise<T> =>
    told(`SES ${what}`, async () => work(await client()));
  return {
    version: 1,
    maxMessageBytes: SES_V1_BYTES,
    send: (message, { signal } = {}) =>
      sendOnce('SES SendRawEmail', async (use) => {
        const { ses, once } = await client();
        const command = new ses.SendRawEmailCommand(inputOf(message));
        use(command.middlewareStack, message.raw, 'form');
        return (await once.send(command, signal === undefined ? {} : { abortSignal: signal })).MessageId;
      }),
    account: () => call('GetSendQuota', account),
    identities: () => call('ListIdentities', identities),
  };
}

function inputOf(message: SesMessage): Ses.SendRawEmailCommandInput {
  const { from, recipients, configurationSet, tags, sourceArn, fromArn, returnPathArn } = message;
  return {
    Source: from,
    Destinations: [...recipients],
    RawMessage: { Data: PLACEHOLDER },
    ...(configurationSet !== undefined && { ConfigurationSetName: configurationSet }),
    ...(tags !== undefined && { Tags: Object.entries(tags).map(([Name, Value]) => ({ Name, Value })) }),
    ...(sourceArn !== undefined && { SourceArn: sourceArn }),
    ...(fromArn !== undefined && { FromArn: fromArn }),
    ...(returnPathArn !== undefined && { ReturnPathArn: returnPathArn }),
  };
}

async function account(client: Client): Promise<SesAccount> {
  const { ses, made } = client;
  const quota = await made.send(new ses.GetSendQuotaCommand({}));
  const max24HourSend = quota.Max24HourSend ?? -1;
  return {
    production: max24HourSend === -1 || max24HourSend > SANDBOX_PER_DAY,
    sendingEnabled: await sendingEnabled(client),
    maxSendRate: quota.MaxSendRate ?? 1,
    max24HourSend,
    sentLast24Hours: quota.SentLast24Hours ?? 0,
    enforcement: 'HEALTHY',
  };
}

/** A permission of its own: without it the account is taken to be enabled. */
async function sendingEnabled({ ses, made }: Client): Promise<boolean> {
  try {
    return (await made.send(new ses.GetAccountSendingEnabledCommand({}))).Enabled !== false;
  } catch (error) {
    if (toAwsError(error, 'SES').kind === 'auth') return true;
    throw error;
  }
}

async function identities(client: Client): Promise<readonly SesIdentity[]> {
  const { ses, made } = client;
  const found: SesIdentity[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const input = { MaxItems: PAGE, ...(NextToken && { NextToken }) };
    const answer = await made.send(new ses.ListIdentitiesCommand(input));
    found.push(...(await states(client, answer.Identities ?? [])));
    NextToken = answer.NextToken;
    if (NextToken === undefined) break;
  }
  return found;
}

async function states({ ses, made }: Client, names: readonly string[]): Promise<SesIdentity[]> {
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
