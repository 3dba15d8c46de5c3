import type { Clock } from '../../base/clock.ts';
import { fileTrouble, readSmallFile } from '../../base/small-file.ts';
import type { AwsHttp } from './http.ts';
import { toCredentialsError } from './errors.ts';
import { AwsError, type AwsKeys, type AwsSettings } from './types.ts';

/** Keys as the SDK wants them. */
export interface SdkKeys extends AwsKeys {
  readonly expiration?: Date | undefined;
}
export type KeysProvider = () => Promise<SdkKeys>;

/** The same in the form that the SDK's types ask for. */
export function sdkKeys({ accessKeyId, secretAccessKey, sessionToken, expiration }: SdkKeys): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
} {
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(expiration !== undefined && { expiration }),
  };
}

/**
 * Milliseconds a file is believed: the SDK keeps what does not end for ever, and asks anew five minutes before the end, so
 * that a key that was changed in the file holds within as much.
 */
const FILE_MS = 10 * 60_000;
/** Name of our session in CloudTrail when a role is assumed. */
const SESSION_NAME = 'postern';

/**
 * Where the keys come from: those given, the file, or the SDK's chain; then the role, if one is to be assumed. Failures
 * are AwsErrors; an 'unsure' never comes from here, for nothing was asked of the service yet. The SDK asks again when
 * keys are about to expire.
 */
export function keysProvider(settings: AwsSettings, http: AwsHttp, clock: Clock): KeysProvider {
  const first = firstKeys(settings, http, clock);
  if (settings.roleArn === undefined) return first;
  const { roleArn, externalId } = settings;
  let assume: KeysProvider | undefined;
  return async () => {
    try {
      if (assume === undefined) {
        const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
        const provider = fromTemporaryCredentials({
          masterCredentials: async () => sdkKeys(await first()),
          params: {
            RoleArn: roleArn,
            RoleSessionName: SESSION_NAME,
            ...(externalId !== undefined && { ExternalId: externalId }),
          },
          clientConfig: stsConfig(settings, http),
        });
        assume = async () => provider();
      }
      return await assume();
    } catch (error) {
      throw toCredentialsError(error, `the role ${roleArn} could not be assumed`);
    }
  };
}

function firstKeys(settings: AwsSettings, http: AwsHttp, clock: Clock): KeysProvider {
  const { credentials, profile } = settings;
  if (credentials !== undefined && 'file' in credentials)
    return async () => ({
      ...keysOfFile(credentials.file, await readKeysFile(credentials.file)),
      expiration: new Date(clock.now() + FILE_MS),
    });
  if (credentials !== undefined) return () => Promise.resolve(credentials);
  let chain: KeysProvider | undefined;
  return async () => {
    try {
      if (chain === undefined) {
        const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
        const provider = fromNodeProviderChain({
          ...(profile !== undefined && { profile }),
          clientConfig: stsConfig(settings, http),
          logger: quietLogger(),
        });
        chain = async () => provider();
      }
      return await chain();
    } catch (error) {
      throw toCredentialsError(
        error,
        'give them in the environment, a shared file, a credentials file ("key:secret") or by a role',
      );
    }
  };
}

/** Logger that the SDK uses instead of the console: its warnings are about what it does anyway. */
function quietLogger(): Pick<Console, 'trace' | 'debug' | 'info' | 'warn' | 'error'> {
  return {
    trace: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
}

function stsConfig(settings: AwsSettings, http: AwsHttp) {
  return {
    region: settings.region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    requestHandler: http as never,
  };
}

async function readKeysFile(file: string): Promise<string> {
  try {
    return (await readSmallFile(file)).toString('utf8');
  } catch (error) {
    const text = `no AWS credentials: cannot read ${file} (${fileTrouble(error)})`;
    throw new AwsError('auth', text, { cause: error });
  }
}

/** "key:secret", split at the first colon; white space at the end dropped. A third part is a session token. */
export function keysOfFile(file: string, text: string): AwsKeys {
  const line = text.trim();
  const [, accessKeyId, secretAccessKey, sessionToken] =
    /^([\w-]{4,128}):([^\s:]{1,256})(?::([^\s:]{1,3000}))?$/.exec(line) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new AwsError('auth', `no AWS credentials: ${file} does not hold "key:secret" in one line`);
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}
