import type { ReserveWish } from '../../base/disk-reserve.ts';
import type { Store } from '../../data/store.ts';
import type { DkimKey } from '../../data/directory/types.ts';
import type { DomainFacts, SesUse } from '../../mail/dns-records.ts';
import { isPublicAddress } from '../../net/public-address.ts';
import { type RoutingSettings, routingSettingsSchema } from '../outbound/routing/settings.ts';
import { intakeSettingsSchema } from '../ses-inbound/settings.ts';
import { DOCTOR_SETTING, type DoctorSettings, readDoctorSettings } from './settings.ts';
import type { DoctorDomain, DoctorFacts, DoctorListener, DoctorOptions } from './types.ts';

/** What the store and the program know, put together for records and checks. */

/** What the program knows of itself. */
export interface HostFacts {
  readonly hostname: string;
  /** Of the interfaces. */
  readonly addresses: readonly string[];
  readonly adminAddress: string | undefined;
  readonly listeners: readonly DoctorListener[];
  readonly dataDirectory: string;
  /** SHA-256 of the public keys of certificates that name the host, hex. */
  readonly tlsKeys: readonly string[];
  /** All that leaves goes through a relay of the configuration. */
  readonly relayed: boolean;
}

type Reads = Pick<Store, 'read'>;

/** Seconds in a day. */
const DAY_SECONDS = 86_400;
/** Events that are looked through for a visitor. */
const VISITS = 200;
const VISIT_MS = 7 * 24 * 3_600_000;

export async function doctorSettings({ read }: Reads): Promise<DoctorSettings> {
  return readDoctorSettings(await read.run('directory.setting', { name: DOCTOR_SETTING }));
}

/** Address of the account that was made an administrator's first: who reads reports about us. */
export async function firstAdministrator({ read }: Reads): Promise<string | undefined> {
  const all = await read.run('directory.accounts', {});
  return all
    .filter(({ role, status }) => role === 'admin' && status === 'active')
    .toSorted((a, b) => a.createdAt - b.createdAt || a.id - b.id)[0]?.address;
}

/** From what the records of a domain are made. */
export async function domainFacts(store: Reads, host: HostFacts, name: string): Promise<DomainFacts> {
  const settings = await doctorSettings(store);
  const keys = await store.read.run('directory.dkimKeys', { domain: name });
  const inState = (...states: DkimKey['state'][]): DkimKey[] =>
    keys.filter(({ state }) => states.includes(state));
  const { mta_sts: mode, mta_sts_days: days } = settings;
  const ses = await sesUse(store);
  return {
    domain: name,
    hostname: host.hostname,
    addresses: settings.addresses.length > 0 ? settings.addresses : host.addresses,
    adminAddress: host.adminAddress ?? (await firstAdministrator(store)) ?? `postmaster@${name}`,
    // The next key has to be seen in DNS before it is used.
    dkim: inState('active', 'pending').map(recordKey),
    oldDkim: inState('retired', 'revoked').map((key) => ({
      ...recordKey(key),
      revoked: key.state === 'revoked',
    })),
    mtaSts: mode === 'off' ? undefined : { mode, maxAge: days * DAY_SECONDS },
    discovery: settings.autoconfig,
    issuers: settings.issuers,
    tlsKeys: host.tlsKeys,
    ...(ses !== undefined && { ses }),
  };
}

function recordKey({ selector, algorithm, publicKey }: DkimKey): DomainFacts['dkim'][number] {
  return {
    selector,
    algorithm: algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519',
    publicKeyBase64: publicKey,
  };
}

/** Whether SES sends for a domain, and receives: a source that takes mail from a bucket means that it does. */
async function sesUse({ read }: Reads): Promise<SesUse | undefined> {
  const routing = await routingOf(read);
  const intake = intakeSettingsSchema.parse(JSON.parse((await read.run('intake.settings', null)) ?? '{}'));
  const sends = Object.values(routing.transports).some(
    ({ kind }) => kind === 'ses-api' || kind === 'ses-smtp',
  );
  const source = intake.sources.find(({ enabled, bucket }) => enabled && bucket !== '');
  if (!sends && source === undefined) return undefined;
  return { sends, ...(source !== undefined && { receives: { region: source.region, alone: false } }) };
}

async function routingOf(read: Store['read']): Promise<RoutingSettings> {
  return routingSettingsSchema.parse(JSON.parse((await read.run('routing.settings', null)) ?? '{}'));
}

/** Whether any route sends straight to the hosts of others. */
async function sendsDirectly({ read }: Reads, relayed: boolean): Promise<boolean> {
  if (relayed) return false;
  const routing = await routingOf(read);
  if (routing.routes.length === 0) return true;
  const kindOf = (name: string): string => routing.transports[name]?.kind ?? name;
  const catchAll = routing.routes.some(({ match }) => Object.keys(match).length === 0);
  return (
    !catchAll || routing.routes.some(({ transports }) => transports.some((name) => kindOf(name) === 'direct'))
  );
}

/** All that the doctor is told. `only`: one domain; undefined: all that are no other name of one. */
export async function doctorFacts(
  store: Reads,
  host: HostFacts,
  only: readonly string[] | undefined,
  now: () => number,
): Promise<DoctorFacts> {
  const settings = await doctorSettings(store);
  const all = await store.read.run('directory.domains', null);
  const names = all.map(({ name }) => name).filter((name) => only === undefined || only.includes(name));
  const domains: DoctorDomain[] = [];
  for (const name of names) {
    const records = await domainFacts(store, host, name);
    const keys = await store.read.run('directory.dkimKeys', { domain: name });
    domains.push({ name, records, keys });
  }
  return {
    hostname: host.hostname,
    addresses: settings.addresses.length > 0 ? settings.addresses : host.addresses,
    domains,
    listeners: host.listeners,
    dataDirectory: host.dataDirectory,
    sendsDirectly: await sendsDirectly(store, host.relayed),
    visitor: (service) => lastVisitor(store, host.listeners, service, now()),
  };
}

/** The journal knows who brought mail to which port, and who logged in. */
async function lastVisitor(
  { read }: Reads,
  listeners: readonly DoctorListener[],
  service: string,
  now: number,
): Promise<{ ip: string; at: number } | undefined> {
  const ports = listeners.filter((one) => one.service === service).map(({ port }) => port);
  // Logins tell the protocol, not the port: where both of IMAP are open they prove neither.
  if (service === 'imaps' && listeners.some((one) => one.service === 'imap')) return undefined;
  const kind = service === 'imaps' ? 'login.succeeded' : 'message.accepted';
  const rows = await read.run('journal.recent', { from: now - VISIT_MS, to: now + 1, kind, limit: VISITS });
  for (const { data, lastAt } of rows) {
    const { ip, port, protocol } = data;
    const there = service === 'imaps' ? protocol === 'imap' : ports.some((one) => one === port);
    if (there && typeof ip === 'string' && isPublicAddress(ip)) return { ip, at: lastAt };
  }
  return undefined;
}

export function doctorOptions(
  settings: DoctorSettings,
  diskReserve: ReserveWish,
  ca?: string,
): DoctorOptions {
  return {
    lists: settings.lists,
    timeServers: settings.time_servers,
    bigDomains: settings.big_domains,
    diskReserve,
    dnsPort: 53,
    smtpPort: 25,
    httpsPort: 443,
    ca,
    connectMs: 10_000,
  };
}
