import type { Clock } from '../../base/clock.ts';
import { told } from './errors.ts';
import { createNoticeQueue } from './notices.ts';
import { createObjectStore } from './objects.ts';
import { callerOf, openSdk } from './sdk.ts';
import { createSesV1 } from './ses-v1.ts';
import { createSesV2 } from './ses-v2.ts';
import type { Aws, AwsSettings } from './types.ts';

/**
 * Amazon's services by the AWS SDK, which is loaded piece by piece when it is first needed. All failures are AwsErrors.
 * Nothing is asked of anybody until the first call.
 */
export function createAws(
  settings: AwsSettings,
  more: { readonly clock: Clock; readonly answerMs?: number },
): Aws {
  const base = openSdk(settings, more);
  const v1 = createSesV1(base);
  const v2 = createSesV2(base);
  return {
    settings,
    objects: createObjectStore(base),
    notices: createNoticeQueue(base),
    ses: (version) => (version === 1 ? v1 : v2),
    caller: () => told('STS GetCallerIdentity', () => callerOf(base.config)),
    keys: () => base.keys(),
    close: () => base.http.destroy(),
  };
}
