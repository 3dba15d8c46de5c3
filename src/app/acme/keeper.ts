import { errorText, Refusal } from '../../base/errors.ts';
import { acmeSettingsSchema, type AcmeSettings, directoryOf } from '../../data/certificates/settings.ts';
import type { AcmeCertificate } from '../../data/certificates/types.ts';
import { openAuthority } from './issue.ts';
import { nextLookMs } from './schedule.ts';
import {
  dropOld,
  dueOf,
  haveOf,
  install,
  isDue,
  type Keeping,
  type KeeperParts,
  readAll,
  wantedNow,
} from './keeping.ts';
import { asksNow, askWishes } from './wishes.ts';
import { type Renewed, request, withAuthority } from './request.ts';
import { certificateGauges, warn } from './warn.ts';

export type { KeeperParts } from './keeping.ts';
export type { Renewed } from './request.ts';

/** Gets the certificates that are wanted, renews them in time, has them served, and warns of those that end. */

const HOUR = 3_600_000;
/** Milliseconds after the start when the first look is taken: what proves names has to listen by then. */
const FIRST_LOOK_MS = 1000;

export interface CertificateState {
  readonly name: string;
  /** Those that are wanted; empty when it is no longer. */
  readonly wanted: readonly string[];
  readonly have: AcmeCertificate | undefined;
}

export interface CertificateKeeper {
  /** Serve what is there: before services look whether there is a certificate. */
  prepare(): Promise<void>;
  /** Look after it until `stop`. */
  start(): void;
  stop(): Promise<void>;
  /** The settings that hold. */
  settings(): AcmeSettings;
  /** They are others now. */
  changed(): Promise<void>;
  /** All that are wanted or there. */
  states(): Promise<readonly CertificateState[]>;
  /** Request these now, due or not; without names those that are due or have failed. Refusal 'not-found', 'conflict'. */
  renew(names: readonly string[]): Promise<readonly Renewed[]>;
  /** URL of the terms of service; undefined when the authority names none. Throws an `AcmeFailure`. */
  terms(): Promise<string | undefined>;
  /** What somebody has to do something about, a sentence each. */
  problems(): readonly string[];
}

export function createCertificateKeeper(parts: KeeperParts): CertificateKeeper {
  const keeping = startKeeping(parts);
  certificateGauges(parts.metrics, keeping);
  return {
    async prepare() {
      await readAll(keeping);
      install(keeping);
    },
    start: () => plan(keeping, FIRST_LOOK_MS),
    async stop() {
      keeping.stopped.abort();
      keeping.timer?.cancel();
      await keeping.busy;
    },
    settings: () => keeping.settings,
    async changed() {
      await readAll(keeping);
      plan(keeping, 0);
    },
    states: () => states(keeping),
    renew: (names) => inTurn(keeping, () => renew(keeping, names)),
    async terms() {
      const authority = await openAuthority(keeping, keeping.settings);
      try {
        return (await authority.client.directory()).termsOfService;
      } finally {
        authority.close();
      }
    },
    problems: () => keeping.problems,
  };
}

function startKeeping(parts: KeeperParts): Keeping {
  const stopped = new AbortController();
  const requests = parts.metrics.counter('postern_acme_requests_total', 'Certificates requested by ACME', [
    'outcome',
  ]);
  return {
    ...parts,
    stopped,
    signal: stopped.signal,
    requests,
    alarms: new Map(),
    settings: acmeSettingsSchema.parse({}),
    all: [],
    problems: [],
    timer: undefined,
    busy: Promise.resolve(),
  };
}

/** Look after everything in `ms` milliseconds, in the place of what was planned before. */
function plan(keeping: Keeping, ms: number): void {
  keeping.timer?.cancel();
  if (keeping.signal.aborted) return;
  keeping.timer = keeping.clock.setTimer(ms, () => {
    inTurn(keeping, () => look(keeping)).catch((error: unknown) => {
      // A failure of the store, or a bug: the certificates stay as they are, and there is a next time.
      keeping.logger.error({ error: errorText(error) }, 'acme: certificates could not be looked after');
      plan(keeping, HOUR);
    });
  });
}

/** One thing at a time: orders of one account share its limits. */
function inTurn<T>(keeping: Keeping, run: () => Promise<T>): Promise<T> {
  const mine = keeping.busy.then(run);
  keeping.busy = mine.catch(() => undefined);
  return mine;
}

async function look(keeping: Keeping): Promise<void> {
  await readAll(keeping);
  const { settings, clock } = keeping;
  const wants = settings.enabled ? await wantedNow(keeping) : [];
  const due = dueOf(keeping, wants);
  if (due.length > 0 || asksNow(keeping, wants)) {
    await withAuthority(keeping, due, async (authority) => {
      await askWishes(keeping, authority, wants);
      // Anew, for the authority may have wished for more.
      for (const want of dueOf(keeping, wants))
        if (!keeping.signal.aborted) await request(keeping, authority, want);
    });
  }
  await dropOld(keeping, wants);
  await warn(keeping);
  plan(keeping, nextLookMs(wants, keeping.all, directoryOf(settings), clock.now()));
}

async function renew(keeping: Keeping, names: readonly string[]): Promise<readonly Renewed[]> {
  await readAll(keeping);
  if (!keeping.settings.enabled)
    throw new Refusal(
      'conflict',
      'Requesting certificates is off; "postern certificate set enabled true" begins it.',
    );
  const wants = await wantedNow(keeping);
  const unknown = names.find((name) => !wants.some((want) => want.name === name));
  if (unknown !== undefined)
    throw new Refusal(
      'not-found',
      `There is no certificate "${unknown}"; "postern certificate list" names them.`,
    );
  const chosen = wants.filter((want) =>
    names.length > 0 ? names.includes(want.name) : isDue(keeping, want),
  );
  const outcomes: Renewed[] = [];
  const failed = await withAuthority(keeping, chosen, async (authority) => {
    for (const want of chosen) outcomes.push(await request(keeping, authority, want));
  });
  await warn(keeping);
  // Soon, for the authority's wish about what is new.
  plan(keeping, FIRST_LOOK_MS);
  return [...failed, ...outcomes];
}

async function states(keeping: Keeping): Promise<readonly CertificateState[]> {
  const wants = await wantedNow(keeping);
  const others = keeping.all.filter(({ name }) => !wants.some((want) => want.name === name));
  return [
    ...wants.map(({ name, names }) => ({ name, wanted: names, have: haveOf(keeping, name) })),
    ...others.map((have) => ({ name: have.name, wanted: [], have })),
  ];
}
