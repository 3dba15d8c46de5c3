import { errorText } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { Dns } from '../../mail/dns.ts';
import { lookupAddresses } from '../../net/dns/addresses.ts';
import { checkOpenRelay } from './checks/relay.ts';
import { checkAddress, checkName, checkReverseNames } from './checks/host.ts';
import { checkCertificates } from './checks/certificate.ts';
import { checkDkim } from './checks/dkim.ts';
import { checkDisk, checkTime } from './checks/machine.ts';
import { checkDomainDmarc } from './checks/dmarc.ts';
import { checkDomainSpf, checkHelloSpf } from './checks/spf.ts';
import { checkLists } from './checks/lists.ts';
import { checkMx } from './checks/mx.ts';
import { checkOutbound } from './checks/outbound.ts';
import { checkPorts } from './checks/ports.ts';
import { checkAutoconfig, checkCaa, checkSrv } from './checks/services.ts';
import { checkSes } from './checks/ses.ts';
import { checkTlsa } from './checks/tlsa.ts';
import { checkMtaSts, checkTlsReports } from './checks/transport-policies.ts';
import { checkZone } from './checks/zone.ts';
import { unknown } from './lines.ts';
import {
  type CheckName,
  type DoctorDomain,
  type DoctorFacts,
  type DoctorLine,
  type DoctorOptions,
  type DomainCheck,
  type MakeResolver,
  type ServerCheck,
  type World,
} from './types.ts';
import { createZones } from './zones.ts';

/** `postern doctor`: everything that has to be right around a mail server, looked at from where it stands. */

const SERVER_CHECKS: readonly (readonly [CheckName, ServerCheck])[] = [
  ['name', checkName],
  ['address', checkAddress],
  ['reverse', checkReverseNames],
  ['hello-spf', checkHelloSpf],
  ['ports', checkPorts],
  ['certificate', checkCertificates],
  ['tlsa', checkTlsa],
  ['open-relay', checkOpenRelay],
  ['outbound', checkOutbound],
  ['lists', checkLists],
  ['time', checkTime],
  ['disk', checkDisk],
];

const DOMAIN_CHECKS: readonly (readonly [CheckName, DomainCheck])[] = [
  ['zone', checkZone],
  ['mx', checkMx],
  ['spf', checkDomainSpf],
  ['dkim', checkDkim],
  ['dmarc', checkDomainDmarc],
  ['mta-sts', checkMtaSts],
  ['tls-rpt', checkTlsReports],
  ['caa', checkCaa],
  ['srv', checkSrv],
  ['autoconfig', checkAutoconfig],
  ['ses', checkSes],
];

/** Milliseconds for all of it. */
const DOCTOR_MS = 50_000;
/** Domains that are looked at at once. */
const DOMAINS_AT_ONCE = 4;

export interface DoctorParts {
  readonly facts: DoctorFacts;
  readonly options: DoctorOptions;
  readonly clock: Clock;
  /** The resolver that the server uses, without a memory of its own. */
  readonly resolver: Dns;
  /** For asking servers of zones. */
  readonly makeResolver: MakeResolver;
  /** Only these; undefined: all. */
  readonly only?: readonly CheckName[] | undefined;
}

export interface DoctorReport {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly hostname: string;
  readonly domains: readonly string[];
  readonly lines: readonly DoctorLine[];
}

/** Look at everything. Never throws for what is wrong outside; a check that breaks is 'unknown' with its error. */
export async function runDoctor(parts: DoctorParts): Promise<DoctorReport> {
  const { facts, clock, only } = parts;
  const limit = new AbortController();
  const timer = clock.setTimer(DOCTOR_MS, () => limit.abort());
  try {
    const world = await worldOf(parts, limit.signal);
    const wanted = ([name]: readonly [CheckName, unknown]): boolean =>
      only === undefined || only.includes(name);
    const server = SERVER_CHECKS.filter(wanted).map(([name, check]) =>
      within(world, name, undefined, () => check(world)),
    );
    const lines = (await Promise.all(server)).flat();
    for (let at = 0; at < facts.domains.length; at += DOMAINS_AT_ONCE) {
      const some = facts.domains.slice(at, at + DOMAINS_AT_ONCE);
      const found = some.map((domain) => domainLines(world, domain, wanted));
      lines.push(...(await Promise.all(found)).flat());
    }
    return {
      at: clock.now(),
      hostname: facts.hostname,
      domains: facts.domains.map(({ name }) => name),
      lines,
    };
  } finally {
    timer.cancel();
  }
}

async function domainLines(
  world: World,
  domain: DoctorDomain,
  wanted: (row: readonly [CheckName, unknown]) => boolean,
): Promise<DoctorLine[]> {
  const checks = DOMAIN_CHECKS.filter(wanted).map(([name, check]) =>
    within(world, name, domain.name, () => check(world, domain)),
  );
  return (await Promise.all(checks)).flat();
}

/** The lines of a check, or one that says that it did not come to an end. */
async function within(
  { signal }: World,
  check: CheckName,
  domain: string | undefined,
  run: () => Promise<readonly DoctorLine[]>,
): Promise<readonly DoctorLine[]> {
  const topic = {
    check,
    ...(domain !== undefined && { domain }),
    subject: domain ?? 'this server',
    why: 'It was not looked at.',
  };
  const again = 'Try again: postern doctor';
  const late = new Promise<readonly DoctorLine[]>((resolve) => {
    const end = (): void => resolve([unknown(topic, 'The check took too long.', again)]);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    return [unknown(topic, `The check itself failed: ${errorText(error)}.`, again)];
  }
}

async function worldOf(parts: DoctorParts, signal: AbortSignal): Promise<World> {
  const { facts, options, clock, resolver, makeResolver } = parts;
  const zones = createZones({ resolver, makeResolver, dnsPort: options.dnsPort, signal });
  return { facts, options, clock, resolver, zones, signal, addresses: await addressesOf(parts, signal) };
}

/** Behind address translation only DNS says which address is ours. */
async function addressesOf(
  { facts, resolver }: DoctorParts,
  signal: AbortSignal,
): Promise<World['addresses']> {
  if (facts.addresses.length > 0) return { all: facts.addresses, certain: true };
  const found = await lookupAddresses(resolver, facts.hostname, signal);
  return { all: found.status === 'ok' ? [...found.ipv4, ...found.ipv6] : [], certain: false };
}
