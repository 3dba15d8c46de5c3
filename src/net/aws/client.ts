import type { Clock } from '../../base/clock.ts';
import { keysProvider, sdkKeys } from './credentials.ts';
import { toAwsError } from './errors.ts';
import { type AwsHttp, createAwsHttp } from './http.ts';
import { createNoticeQueue } from './notices.ts';
import { createObjectStore } from './objects.ts';
import { createSesV1 } from './ses-v1.ts';
import { createSesV2 } from './ses-v2.ts';
import type { Aws, AwsCaller, AwsSettings } from './types.ts';

/** Attempts the SDK may make of what can be repeated without harm. Sends get one. */
const ATTEMPTS = 3;

/** What the parts of a client share: the settings every client of the SDK is made with. */
export interface SdkBase {
  readonly clock: Clock;
  readonly http: AwsHttp;
  readonly config: SdkConfig;
}

export interface SdkConfig {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: () => Promise<ReturnType<typeof sdkKeys>>;
  /** The SDK's own type of it cannot be named without loading its parts. */
  readonly requestHandler: never;
  readonly maxAttempts: number;
}

/**
 * Amazon's services by the AWS SDK, which is loaded piece by piece when it is first needed. All failures are AwsErrors.
 * Nothing is asked of anybody until the first call.
 */
export function createAws(
  settings: AwsSettings,
  more: { readonly clock: Clock; readonly answerMs?: number },
): Aws {
  const http = createAwsHttp(more.clock, more.answerMs);
  const provider = keysProvider(settings, http, more.clock);
  const base: SdkBase = {
    clock: more.clock,
    http,
    config: {
      region: settings.region,
      ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
      credentials: async () => sdkKeys(await provider()),
      requestHandler: http as never,
      maxAttempts: ATTEMPTS,
    },
  };
  const v1 = createSesV1(base);
  const v2 = createSesV2(base);
  return {
    settings,
    objects: createObjectStore(base),
    notices: createNoticeQueue(base),
    ses: (version) => (version === 1 ? v1 : v2),
    caller: () => caller(base),
    keys: () => provider(),
    close: () => http.destroy(),
  };
}

async function caller({ config }: SdkBase): Promise<AwsCaller> {
  try {
    const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
    const { Account = '', Arn = '' } = await new STSClient(config).send(new GetCallerIdentityCommand({}));
    return { account: Account, arn: Arn };
  } catch (error) {
    throw toAwsError(error, 'STS GetCallerIdentity');
  }
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
