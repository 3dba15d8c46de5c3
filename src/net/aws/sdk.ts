import type { Clock } from '../../base/clock.ts';
import { keysProvider, sdkKeys } from './credentials.ts';
import { type AwsHttp, createAwsHttp } from './http.ts';
import type { AwsCaller, AwsKeys, AwsSettings } from './types.ts';

/** Attempts the SDK may make of what can be repeated without harm. Sends get one. */
const ATTEMPTS = 3;

/** What the parts of a client share: the settings every client of the SDK is made with. */
export interface SdkBase {
  readonly clock: Clock;
  readonly http: AwsHttp;
  readonly config: SdkConfig;
  readonly keys: () => Promise<AwsKeys>;
}

export interface SdkConfig {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: () => Promise<ReturnType<typeof sdkKeys>>;
  /** The SDK's own type of it cannot be named without loading its parts. */
  readonly requestHandler: never;
  readonly maxAttempts: number;
}

/** Nothing is asked of anybody yet. */
export function openSdk(
  settings: AwsSettings,
  { clock, answerMs }: { readonly clock: Clock; readonly answerMs?: number | undefined },
): SdkBase {
  const http = createAwsHttp(clock, answerMs);
  const keys = keysProvider(settings, http, clock);
  const config: SdkConfig = {
    region: settings.region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    credentials: async () => sdkKeys(await keys()),
    requestHandler: http as never,
    maxAttempts: ATTEMPTS,
  };
  return { clock, http, config, keys };
}

/** As whom we come. Throws what the SDK throws. */
export async function callerOf(config: SdkConfig): Promise<AwsCaller> {
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const { Account = '', Arn = '' } = await new STSClient(config).send(new GetCallerIdentityCommand({}));
  return { account: Account, arn: Arn };
}

/** A client of the SDK, made at its first use. */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    // A module that could not be read (no memory, no descriptors) may be next time.
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
}
