import type { Clock, Timer } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
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
import { AcmeFailure } from '../../net/acme/failure.ts';
import type { Solver } from '../../net/acme/order.ts';
import { askRenewal, renewalByWindow } from '../../net/acme/renewal.ts';
import type { TlsStore } from '../../net/tls-store.ts';
import { type Authority, fraction, issue, openAuthority } from './issue.ts';
import { asksAt, endsSoon, isFor, needOf, nextLookMs, retryAt } from './schedule.ts';

/** Gets the certificates that are wanted, renews them in time, has them served, and warns of those that end. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Milliseconds after the start when the first look is taken: what proves names has to listen by then. */
const FIRST_LOOK_MS = 1000;
/** Milliseconds until an authority that could not be asked for its wish, or has none, is asked again. */
const ASK_LATER_MS = 6 * HOUR;
/** Milliseconds between two warnings of one certificate. */
const ALARM_EVERY_MS = DAY;

export interface KeeperParts {
  readonly store: Pick<OpenStore, 'read' | 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tls: TlsStore;
  readonly hostname: () => string;
  /** What proves names in the way of the settings. Throws a `Refusal` when it cannot be had. */
  readonly solver: (settings: AcmeSettings, names: readonly string[], signal: AbortSignal) => Promise<Solver>;
  readonly userAgent: string;
  /** Other certificates are served from now on. */
  readonly installed: () => void;
}

/** What became of one certificate that was asked for. */
export interface Renewed {
  readonly name: string;
  readonly notAfter?: number;
  /** Why there is no new one. */
  readonly failure?: string;
}

export interface CertificateState {
  readonly name: string;
  /** Those that are wanted; empty when it is no longer. */
  readonly wanted: readonly string[];
  readonly have: AcmeCertificate | undefined;
}

export interface CertificateKeeper {
  /** Serve what is there, then look after it until `stop`. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The settings that hold. */
  settings(): AcmeSettings;
  /** They are others now. */
  changed(): Promise<void>;
  /** All that are wanted or there. */
  states(): Promise<readonly CertificateState[]>;
  /** Request these now, due or not; without names those that are due or have failed. Refusal 'not-found'. */
  renew(names: readonly string[]): Promise<readonly Renewed[]>;
  /** URL of the terms of service; undefined when the authority names none. Throws an `AcmeFailure`. */
  terms(): Promise<string | undefined>;
  /** What somebody has to do something about, a sentence each. */
  problems(): readonly string[];
}

export function createCertificateKeeper(parts: KeeperParts): CertificateKeeper {
  const { store, clock, logger, tls } = parts;
  const counter = parts.metrics.counter('postern_acme_requests_total', 'Certificates requested by ACME', [
    'outcome',
  ]);
  const stopped = new AbortController();
  const issueParts = { store, clock, userAgent: parts.userAgent, signal: stopped.signal };
  const alarms = new Map<string, number>();
  let settings: AcmeSettings = acmeSettingsSchema.parse({});
  let all: readonly AcmeCertificate[] = [];
  let problems: readonly string[] = [];
  let timer: Timer | undefined;
  /** One thing at a time: orders of one account share its limits. */
  let busy: Promise<unknown> = Promise.resolve();

  parts.metrics.gauge(
    'postern_acme_failing',
    'Certificates whose last request by ACME failed',
    [],
    function collect() {
      this.set(all.filter(({ failures }) => failures > 0).length);
    },
  );
  parts.metrics.gauge(
    'postern_certificates_expiring',
    'Certificates in use that end so soon that renewal must have failed',
    [],
    function collect() {
      this.set(tls.certificates().filter((one) => endsSoon(one, settings.alarm_days, clock.now())).length);
    },
  );

  async function read(): Promise<void> {
    const json = await store.read.run('certificates.settings', null);
    const parsed = acmeSettingsSchema.safeParse(json === undefined ? {} : JSON.parse(json));
    if (parsed.success) settings = parsed.data;
    else
      logger.error({ error: parsed.error.message }, 'acme: the settings cannot be read, those before stay');
    all = await store.read.run('certificates.all', null);
  }

  /** The main certificate first: it is the one for clients that name nobody. */
  function install(): void {
    const order = [parts.hostname(), ...all.map(({ name }) => name)];
    const pairs = all
      .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
      .flatMap(({ issued }) =>
        issued === undefined ? [] : [{ cert: issued.chain, key: issued.privateKey }],
      );
    if (pairs.length === 0) return;
    try {
      tls.install(pairs);
      parts.installed();
    } catch (error) {
      logger.error({ error: errorText(error) }, 'acme: a certificate cannot be served');
    }
  }

  async function wanted(): Promise<WantedCertificate[]> {
    const domains = await store.read.run('directory.domains', null);
    const own = tls
      .certificates()
      .filter(({ certFile, notAfter }) => certFile !== undefined && notAfter > clock.now());
    return wantedCertificates(settings, {
      hostname: parts.hostname(),
      domains: domains.map(({ name }) => name),
      covered: (name) => own.some((one) => isFor(one, name)),
    });
  }

  const haveOf = (name: string): AcmeCertificate | undefined => all.find((one) => one.name === name);

  /** One request; what came of it is kept and told. */
  async function request(authority: Authority, want: WantedCertificate): Promise<Renewed> {
    const { name, names } = want;
    const before = haveOf(name);
    const place = new URL(authority.directory).host;
    try {
      const solver = await parts.solver(settings, names, stopped.signal);
      const issued = await issue(issueParts, authority, settings, want, solver, before);
      const { notAfter, renewAt } = issued;
      const facts = {
        name,
        names,
        authority: place,
        until: notAfter,
        renewAt,
        renewal: before?.issued !== undefined,
      };
      const events = [event('certificate.issued', names, facts)];
      const { directory } = authority;
      await store.write.run('certificates.issued', {
        ...issued,
        name,
        directory,
        askAt: clock.now(),
        events,
      });
      logger.info(
        { names, authority: place, until: new Date(notAfter).toISOString() },
        'acme: new certificate in use',
      );
      counter.inc({ outcome: 'issued' });
      return { name, notAfter };
    } catch (error) {
      if (stopped.signal.aborted) return { name, failure: 'the server stops' };
      return failed(authority.directory, want, error);
    } finally {
      all = await store.read.run('certificates.all', null);
      install();
    }
  }

  async function failed(
    directory: string,
    { name, names }: WantedCertificate,
    error: unknown,
  ): Promise<Renewed> {
    const known = error instanceof AcmeFailure || error instanceof Refusal;
    const reason = known ? error.message : `a mistake of the program: ${errorText(error)}`;
    const [type, wait] = error instanceof AcmeFailure ? [error.type, error.retryAfterMs] : ['', undefined];
    const failures = haveOf(name)?.failures ?? 0;
    const again = retryAt(clock.now(), failures, wait, fraction());
    const authority = new URL(directory).host;
    const facts = { name, names, authority, type, reason, failures: failures + 1, retryAt: again };
    const events = [event('certificate.failed', names, facts)];
    await store.write.run('certificates.failed', { name, directory, reason, retryAt: again, events });
    logger.warn(
      { names, authority, type, reason, retryAt: new Date(again).toISOString() },
      'acme: no certificate',
    );
    if (!known)
      logger.error(
        { error: errorText(error), stack: error instanceof Error ? error.stack : '' },
        'acme: bug',
      );
    counter.inc({ outcome: 'failed' });
    return { name, failure: reason };
  }

  function event(kind: JournalKind, names: readonly string[], data: JournalData): JournalEvent {
    const at = clock.now();
    return { trace: timeId(at), at, kind, data, terms: names.map(terms.host) };
  }

  /** What the authority wishes for those that are to be asked about (RFC 9773 section 4.3). */
  async function askWishes(authority: Authority, wants: readonly WantedCertificate[]): Promise<void> {
    for (const { name } of wants) {
      const have = haveOf(name);
      const now = clock.now();
      if (have?.issued === undefined || have.directory !== authority.directory || (have.askAt ?? 0) > now)
        continue;
      let next = { wish: have.wish, renewAt: have.issued.renewAt, askAt: now + ASK_LATER_MS };
      try {
        const info = await askRenewal(authority.client, have.issued.chain);
        if (info !== undefined) {
          const same = have.wish?.start === info.start && have.wish.end === info.end;
          const renewAt = same ? have.issued.renewAt : renewalByWindow(info, fraction());
          next = { wish: info, renewAt, askAt: now + info.askAgainMs };
        }
      } catch (error) {
        logger.info(
          { name, error: errorText(error) },
          'acme: the authority could not be asked about renewal',
        );
      }
      await store.write.run('certificates.wished', { name, ...next });
    }
    all = await store.read.run('certificates.all', null);
  }

  async function look(): Promise<void> {
    await read();
    const wants = settings.enabled ? await wanted() : [];
    const directory = directoryOf(settings);
    const due = (want: WantedCertificate): boolean => {
      const have = haveOf(want.name);
      const now = clock.now();
      return needOf(want, have, directory, now) !== undefined && (have?.retryAt ?? 0) <= now;
    };
    const asks = wants.some(({ name }) => asksAt(haveOf(name), directory) <= clock.now());
    if (asks || wants.some(due)) {
      await withAuthority(async (authority) => {
        await askWishes(authority, wants);
        for (const want of wants) {
          if (stopped.signal.aborted) return;
          if (due(want)) await request(authority, want);
        }
      }, wants.filter(due));
    }
    await dropOld(wants);
    await warn();
    plan(nextLookMs(wants, all, directory, clock.now()));
  }

  /** An authority that cannot even be opened has failed for all that are due. */
  async function withAuthority(
    run: (authority: Authority) => Promise<void>,
    due: readonly WantedCertificate[],
  ): Promise<readonly Renewed[]> {
    let authority: Authority;
    try {
      authority = await openAuthority(issueParts, settings);
    } catch (error) {
      logger.warn({ error: errorText(error) }, 'acme: the authority cannot be used');
      const outcomes: Renewed[] = [];
      for (const want of due) outcomes.push(await failed(directoryOf(settings), want, error));
      all = await store.read.run('certificates.all', null);
      return outcomes;
    }
    try {
      await run(authority);
      return [];
    } finally {
      authority.close();
    }
  }

  /** Those that nobody wants go when they have ended. */
  async function dropOld(wants: readonly WantedCertificate[]): Promise<void> {
    const now = clock.now();
    const old = all.filter(
      ({ name, issued }) => !wants.some((want) => want.name === name) && (issued?.notAfter ?? 0) < now,
    );
    for (const { name } of old) await store.write.run('certificates.drop', { name });
    if (old.length === 0) return;
    all = await store.read.run('certificates.all', null);
    install();
  }

  /** Of every certificate in use, own files too: journal and log once a day, the status all the time. */
  async function warn(): Promise<void> {
    const now = clock.now();
    const ending = tls.certificates().filter((one) => endsSoon(one, settings.alarm_days, now));
    const events: JournalEvent[] = [];
    for (const { names, notAfter, certFile } of ending) {
      const key = `${names.join(' ')} ${notAfter}`;
      if ((alarms.get(key) ?? Number.NEGATIVE_INFINITY) + ALARM_EVERY_MS > now) continue;
      alarms.set(key, now);
      const facts = { names, until: notAfter, file: certFile ?? '', ended: notAfter <= now };
      events.push(event('certificate.expiring', names, facts));
      logger.error({ names, until: new Date(notAfter).toISOString() }, 'tls: a certificate in use ends soon');
    }
    if (events.length > 0) await store.write.run('certificates.events', { events });
    problems = all.flatMap(({ name, failures, failure }) =>
      failures > 0 && settings.enabled ? [`${name}: no certificate could be got: ${failure ?? ''}`] : [],
    );
  }

  function plan(ms: number): void {
    timer?.cancel();
    if (!stopped.signal.aborted) timer = clock.setTimer(ms, () => void inTurn(look));
  }

  /** A failure of the store or a bug leaves the certificates as they are; there is a next time. */
  function inTurn<T>(run: () => Promise<T>): Promise<T | undefined> {
    const mine = busy.then(run).catch((error: unknown) => {
      logger.error({ error: errorText(error) }, 'acme: certificates could not be looked after');
      plan(HOUR);
      return undefined;
    });
    busy = mine;
    return mine;
  }

  async function renew(names: readonly string[]): Promise<readonly Renewed[]> {
    await read();
    if (!settings.enabled)
      throw new Refusal(
        'conflict',
        'Requesting certificates is off; "postern certificate set enabled true" begins it.',
      );
    const wants = await wanted();
    for (const name of names)
      if (!wants.some((want) => want.name === name))
        throw new Refusal(
          'not-found',
          `There is no certificate "${name}"; "postern certificate list" names them.`,
        );
    const directory = directoryOf(settings);
    const chosen = wants.filter((want) =>
      names.length > 0
        ? names.includes(want.name)
        : needOf(want, haveOf(want.name), directory, clock.now()) !== undefined,
    );
    const outcomes: Renewed[] = [];
    const before = await withAuthority(async (authority) => {
      for (const want of chosen) outcomes.push(await request(authority, want));
    }, chosen);
    await warn();
    // Soon, for the authority's wish about what is new.
    plan(FIRST_LOOK_MS);
    return [...before, ...outcomes];
  }

  return {
    async start() {
      await read();
      install();
      plan(FIRST_LOOK_MS);
    },
    async stop() {
      stopped.abort();
      timer?.cancel();
      await busy;
    },
    settings: () => settings,
    async changed() {
      await read();
      plan(0);
    },
    async states() {
      const wants = await wanted();
      const others = all.filter(({ name }) => !wants.some((want) => want.name === name));
      return [
        ...wants.map((want) => ({ name: want.name, wanted: want.names, have: haveOf(want.name) })),
        ...others.map((have) => ({ name: have.name, wanted: [], have })),
      ];
    },
    async renew(names) {
      let refusal: unknown;
      const outcomes = await inTurn(async () => {
        try {
          return await renew(names);
        } catch (error) {
          refusal = error;
          return [];
        }
      });
      if (refusal !== undefined) throw refusal;
      return outcomes ?? [];
    },
    async terms() {
      const authority = await openAuthority(issueParts, settings);
      try {
        return (await authority.client.directory()).termsOfService;
      } finally {
        authority.close();
      }
    },
    problems: () => problems,
  };
}
