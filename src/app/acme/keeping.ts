import type { Clock, Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Tracer } from '../../base/tracing.ts';
import {
  acmeSettingsSchema,
  type AcmeSettings,
  directoryOf,
  type WantedCertificate,
  wantedCertificates,
} from '../../data/certificates/settings.ts';
import type { AcmeCertificate } from '../../data/certificates/types.ts';
import { type JournalData, type JournalEvent, type JournalKind, terms } from '../../data/journal/types.ts';
import type { OpenStore } from '../../data/open.ts';
import type { Solver } from '../../net/acme/order.ts';
import type { TlsStore } from '../../net/tls-store.ts';
import { isFor, needOf } from './schedule.ts';

/** What is known of the certificates that are looked after, and what is served of them. */

export interface KeeperParts {
  readonly store: Pick<OpenStore, 'read' | 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer | undefined;
  readonly tls: TlsStore;
  readonly hostname: () => string;
  /** What proves names in the way of the settings. Throws a `Refusal` when it cannot be had. */
  readonly solver: (settings: AcmeSettings, names: readonly string[], signal: AbortSignal) => Promise<Solver>;
  readonly userAgent: string;
  /** Other certificates are served from now on. */
  readonly installed: () => void;
}

export interface Keeping extends KeeperParts {
  readonly stopped: AbortController;
  readonly signal: AbortSignal;
  readonly requests: ReturnType<Metrics['counter']>;
  /** When each certificate that ends was last warned of. */
  readonly alarms: Map<string, number>;
  settings: AcmeSettings;
  all: readonly AcmeCertificate[];
  problems: readonly string[];
  timer: Timer | undefined;
  /** What is being done, and what waits for it. */
  busy: Promise<unknown>;
}

export async function readAll(keeping: Keeping): Promise<void> {
  const { store, logger } = keeping;
  const json = await store.read.run('certificates.settings', null);
  const parsed = acmeSettingsSchema.safeParse(json === undefined ? {} : JSON.parse(json));
  if (parsed.success) keeping.settings = parsed.data;
  else
    logger.error(
      { error: parsed.error.message },
      'acme: the settings cannot be understood, those before stay',
    );
  await readCertificates(keeping);
}

export async function readCertificates(keeping: Keeping): Promise<void> {
  keeping.all = await keeping.store.read.run('certificates.all', null);
}

/** Serve what is there; the main certificate first, as it is the one for clients that name nobody. */
export function install(keeping: Keeping): void {
  const { all, tls, logger } = keeping;
  const order = [keeping.hostname(), ...all.map(({ name }) => name)];
  const pairs = all
    .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
    .flatMap(({ issued }) => (issued === undefined ? [] : [{ cert: issued.chain, key: issued.privateKey }]));
  if (pairs.length === 0) return;
  try {
    tls.install(pairs);
    keeping.installed();
  } catch (error) {
    logger.error({ error: errorText(error) }, 'acme: a certificate cannot be served');
  }
}

/** The certificates that the settings and the domains ask for, without what own files have. */
export async function wantedNow({
  store,
  tls,
  clock,
  settings,
  hostname,
}: Keeping): Promise<WantedCertificate[]> {
  const domains = await store.read.run('directory.domains', null);
  const own = tls
    .certificates()
    .filter(({ certFile, notAfter }) => certFile !== undefined && notAfter > clock.now());
  return wantedCertificates(settings, {
    hostname: hostname(),
    domains: domains.map(({ name }) => name),
    covered: (name) => own.some((one) => isFor(one, name)),
  });
}

export function haveOf({ all }: Keeping, name: string): AcmeCertificate | undefined {
  return all.find((one) => one.name === name);
}

/** Whether it has to be requested, be it that this must wait. */
export function isDue(keeping: Keeping, want: WantedCertificate): boolean {
  const directory = directoryOf(keeping.settings);
  return needOf(want, haveOf(keeping, want.name), directory, keeping.clock.now()) !== undefined;
}

/** Those that have to be requested, and may be. */
export function dueOf(keeping: Keeping, wants: readonly WantedCertificate[]): readonly WantedCertificate[] {
  const now = keeping.clock.now();
  return wants.filter((want) => isDue(keeping, want) && (haveOf(keeping, want.name)?.retryAt ?? 0) <= now);
}

/** Those that nobody wants go when they have ended. */
export async function dropOld(keeping: Keeping, wants: readonly WantedCertificate[]): Promise<void> {
  const now = keeping.clock.now();
  const old = keeping.all.filter(
    ({ name, issued }) => !wants.some((want) => want.name === name) && (issued?.notAfter ?? 0) < now,
  );
  for (const { name } of old) await keeping.store.write.run('certificates.drop', { name });
  if (old.length === 0) return;
  await readCertificates(keeping);
  install(keeping);
}

/** Found by the names of the certificate. */
export function eventOf(
  { clock }: Pick<Keeping, 'clock'>,
  kind: JournalKind,
  names: readonly string[],
  data: JournalData,
): JournalEvent {
  const at = clock.now();
  return { trace: timeId(at), at, kind, data, terms: names.map(terms.host) };
}
