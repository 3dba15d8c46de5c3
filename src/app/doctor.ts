import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import type { FlowDeps } from '../flow/deps.ts';
import type { HostFacts } from '../flow/doctor/facts.ts';
import { createDoctorService, type DoctorService } from '../flow/doctor/service.ts';
import type { DoctorOptions } from '../flow/doctor/types.ts';
import { createResolver } from '../net/dns/resolver.ts';
import { parseDnsServer, readResolvConf } from '../net/dns/resolv-conf.ts';
import { makeDkimKeys } from '../servers/http/admin/dkim-keys.ts';
import type { Config } from './config.ts';
import type { Job } from './jobs.ts';

/** The doctor with its resolvers and its hours. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A server of a zone that does not answer is a finding; it is not waited for as long as for mail. */
const LIMITS = { firstTimeoutMs: 2000, rounds: 2, totalMs: 6000, failureMs: 0, maxTtl: 0, maxNegativeTtl: 0 };

export interface DoctorPart {
  readonly service: DoctorService;
  readonly jobs: readonly Job[];
}

export function createDoctor(parts: {
  readonly deps: () => FlowDeps;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly config: () => Config;
  readonly host: () => HostFacts;
  /** Look by itself every day: for programs, not for the servers of tests, which would ask the real world. */
  readonly watch: boolean;
  readonly options?: Partial<DoctorOptions> | undefined;
}): DoctorPart {
  const { deps, clock, config } = parts;
  const service = createDoctorService({
    ...parts,
    async resolver() {
      const named = config().dns.servers.flatMap((text) => parseDnsServer(text) ?? []);
      const servers = named.length > 0 ? named : await readResolvConf('/etc/resolv.conf');
      return createResolver({ servers, clock, limits: LIMITS });
    },
    makeResolver: (servers) => createResolver({ servers, clock, limits: LIMITS }),
    makeKeys: (actor, domain) =>
      makeDkimKeys({ store: deps().store, clock }, actor, domain, undefined, 'pending'),
  });
  return { service, jobs: doctorJobs(service, parts.watch, () => deps().dns !== undefined) };
}

/** Where no DNS may be asked (a try-out) nothing is looked at. */
function doctorJobs(service: DoctorService, watch: boolean, mayAsk: () => boolean): readonly Job[] {
  return [
    {
      name: 'look at DNS and the server',
      everyMs: DAY,
      async run() {
        if (watch && mayAsk()) await service.daily();
        return false;
      },
    },
    {
      name: 'change DKIM keys',
      everyMs: HOUR,
      async run() {
        if (mayAsk()) await service.rotations();
        return false;
      },
    },
  ];
}
