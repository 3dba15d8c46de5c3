import type { FlowDeps } from '../flow/deps.ts';
import { refreshStsPolicies, type StsOptions } from '../flow/outbound/transports/sts.ts';
import type { Job } from './jobs.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What has to be done for mail that leaves. */
export function sendingJobs(
  deps: () => FlowDeps,
  stopping: AbortSignal,
  stsFetch: StsOptions = {},
): readonly Job[] {
  return [
    {
      // RFC 8461 section 3.3: a policy is fetched again well before it runs out.
      name: 'refresh MTA-STS policies',
      everyMs: DAY,
      async run() {
        await refreshStsPolicies(deps(), stopping, stsFetch);
        return false;
      },
    },
    {
      name: 'forget old policies and quirks of TLS',
      everyMs: DAY,
      async run({ store }) {
        await store.write.run('transport.forget', {});
        return false;
      },
    },
    {
      name: 'forget old refusals of ways, calls and suppressions',
      everyMs: HOUR,
      async run({ store }) {
        await store.write.run('routing.forget', null);
        await store.write.run('suppression.forget', null);
        return false;
      },
    },
  ];
}
