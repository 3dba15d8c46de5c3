import type { Clock } from '../../base/clock.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Actor, DkimKey } from '../../data/directory/types.ts';
import type { FlowDeps } from '../deps.ts';
import { defaultHousekeeping, reserveWish } from '../housekeeping/settings.ts';
import { outsideNotices } from '../alerts/outside.ts';
import { alertSettings } from '../alerts/service.ts';
import { noticeMail } from '../notice-mail.ts';
import type { Dns } from '../../mail/dns.ts';
import { carriedOver, changeNotice, changesSince, type Remembered } from './changes.ts';
import { type DoctorReport, runDoctor } from './doctor.ts';
import { doctorFacts, doctorOptions, doctorSettings, firstAdministrator, type HostFacts } from './facts.ts';
import { doctorGauges } from './gauges.ts';
import { rotateStep, type RotationStep } from './rotation.ts';
import type { CheckName, DoctorOptions, MakeResolver } from './types.ts';

/** The doctor of a running server: asked by people, and once a day by itself. */

/** Setting in which the states of the last daily look are kept. */
const SEEN_SETTING = 'doctor.seen';
const SYSTEM: Actor = { name: 'doctor', role: 'system', domainId: undefined };

export interface DoctorService {
  /** Look now; without domains at all of them. */
  run(domains?: readonly string[], only?: readonly CheckName[]): Promise<DoctorReport>;
  /** The daily look: gauges, and a mail to the administrator about what changed. */
  daily(): Promise<void>;
  /** Change the keys of a domain, or go on with it. `atOnce`: not an hour after the records were seen. */
  rotate(domain: string, actor: Actor, atOnce: boolean): Promise<RotationStep>;
  /** What was begun goes on; keys that are old enough are changed where the settings say so. */
  rotations(): Promise<void>;
}

export interface DoctorServiceParts {
  readonly deps: () => FlowDeps;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly host: () => HostFacts;
  /** Resolvers without a memory: the one the server uses, and any. */
  readonly resolver: () => Promise<Dns>;
  readonly makeResolver: MakeResolver;
  readonly makeKeys: (actor: Actor, domain: string) => Promise<readonly Pick<DkimKey, 'selector'>[]>;
  /** For tests. */
  readonly options?: Partial<DoctorOptions> | undefined;
}

export function createDoctorService(parts: DoctorServiceParts): DoctorService {
  const { deps, clock, metrics, host, makeResolver } = parts;
  const gauges = doctorGauges(metrics);

  async function run(domains?: readonly string[], only?: readonly CheckName[]): Promise<DoctorReport> {
    const { store, housekeeping } = deps();
    const facts = await doctorFacts(store, host(), domains, () => clock.now());
    // One definition of too little room: where new mail is put off, the doctor has found a problem.
    const reserve = reserveWish(housekeeping?.settings() ?? defaultHousekeeping);
    const options = { ...doctorOptions(await doctorSettings(store), reserve), ...parts.options };
    const report = await runDoctor({
      facts,
      options,
      clock,
      resolver: await parts.resolver(),
      makeResolver,
      only,
    });
    if (domains === undefined && only === undefined) gauges.set(report, facts);
    return report;
  }

  async function step(
    domain: string,
    actor: Actor,
    options: Parameters<typeof rotateStep>[2],
  ): Promise<RotationStep> {
    const { store } = deps();
    const makeKeys = (name: string): ReturnType<DoctorServiceParts['makeKeys']> =>
      parts.makeKeys(actor, name);
    return rotateStep({ store, clock, dns: await parts.resolver(), makeKeys, actor }, domain, options);
  }

  async function rotations(): Promise<void> {
    const { store, logger } = deps();
    const { dkim_rotate_days: rotateDays } = await doctorSettings(store);
    for (const { name } of await store.read.run('directory.domains', null)) {
      const done = await step(name, SYSTEM, { begin: false, rotateDays });
      if (done.kind === 'nothing' || done.kind === 'waiting') continue;
      logger.info(
        { domain: name, step: done.kind, selectors: done.selectors },
        'dkim: keys are being changed',
      );
    }
  }

  return {
    run,
    daily: () => dailyLook(deps, run),
    rotations,
    rotate: (domain, actor, atOnce) => step(domain, actor, { begin: true, rotateDays: 0, atOnce }),
  };
}

/** What changed since the look before is told, and remembered with the mail that tells it already on its way. */
async function dailyLook(deps: () => FlowDeps, run: () => Promise<DoctorReport>): Promise<void> {
  const { store } = deps();
  if (!(await doctorSettings(store)).daily) return;
  const report = await run();
  const json = await store.read.run('directory.setting', { name: SEEN_SETTING });
  const before = json === undefined ? undefined : (JSON.parse(json) as Remembered);
  const notice = changeNotice(changesSince(before, report), report.hostname);
  if (notice !== undefined) await tell(deps(), notice);
  const value = JSON.stringify(carriedOver(before, report));
  await store.write.run('directory.setSetting', { name: SEEN_SETTING, value });
}

async function tell(deps: FlowDeps, notice: NonNullable<ReturnType<typeof changeNotice>>): Promise<void> {
  const address = await firstAdministrator(deps.store);
  const account =
    address === undefined ? undefined : await deps.store.read.run('directory.account', { address });
  if (account === undefined) return;
  const domain = account.address.slice(account.address.lastIndexOf('@') + 1);
  const to = [{ accountId: account.id, address: account.address }];
  await deps.store.write.run('delivery.accept', noticeMail(deps, domain, to, notice));
  const { mail_to: outside } = await alertSettings(deps);
  for (const mail of await outsideNotices(deps, domain, outside, notice))
    await deps.store.write.run('delivery.accept', mail);
}
