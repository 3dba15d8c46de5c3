import { dayOf, HELD } from '../../data/holds/types.ts';
import { terms } from '../../data/journal/types.ts';
import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import type { TakenMessage } from '../intake.ts';
import type { SessionFacts, SessionLogin } from '../service.ts';
import { type HoldFacts, holdNotices } from './hold-notice.ts';
import { HourlyCounts } from './hourly.ts';
import { VolumeBook, whyUnusual } from './volume.ts';

/** Probability from which the filter counts as sure that an outgoing message is spam. */
const SURE = 0.99;
/** Messages within an hour that the filter is sure of before the account itself is held. */
const SPAM_MESSAGES = 3;

/** The site's wishes; flow/spam/settings.ts `outgoing` has this shape. */
export interface OutgoingSettings {
  readonly hold_unusual: boolean;
  readonly unusual_from: number;
  readonly hold_spam: boolean;
}

/** A submission as it was taken from its client. */
export interface OutgoingMessage {
  readonly session: SessionFacts;
  readonly login: SessionLogin;
  readonly reversePath: string;
  readonly trace: string;
  readonly recipients: readonly PlannedRecipient[];
  readonly message: TakenMessage;
}

/** Probability (0 to 1) that an outgoing message is spam; undefined when nothing can be said. May throw: then as well. */
export type OutgoingVerdict = (message: OutgoingMessage) => Promise<number | undefined>;

export interface OutgoingOptions {
  readonly deps: () => FlowDeps;
  readonly settings: () => OutgoingSettings;
  readonly verdict?: OutgoingVerdict | undefined;
}

export interface OutgoingJudgement {
  /** Set: the message is queued and held, for this reason. */
  readonly holdReason: string | undefined;
  /** It was accepted and is on its way. */
  sent(): void;
  /** It was not accepted after all. */
  takeBack(): void;
}

/** Looks at what accounts of ours send: a stolen password shows by it. */
export interface OutgoingWatch {
  judge(message: OutgoingMessage): Promise<OutgoingJudgement>;
  /** An administrator ended the hold of an account: begin counting anew. */
  released(accountId: number): void;
  /** Store what was counted. Never throws. */
  flush(): Promise<void>;
}

/** One for all submission listeners. Rules: docs/guides/abuse.md. */
export function createOutgoingWatch(options: OutgoingOptions): OutgoingWatch {
  const { store, clock, logger } = options.deps();
  const watch: Watch = {
    ...options,
    hour: new HourlyCounts(clock),
    spam: new HourlyCounts(clock),
    book: new VolumeBook({ store, clock, logger }),
  };
  return {
    judge: (message) => judge(watch, message),
    released(accountId) {
      watch.hour.forget(accountId);
      watch.spam.forget(accountId);
    },
    flush: () => watch.book.flush(),
  };
}

interface Watch extends OutgoingOptions {
  /** Messages, and recipients an account had never written to. */
  readonly hour: HourlyCounts;
  /** Messages that the filter was sure of. */
  readonly spam: HourlyCounts;
  readonly book: VolumeBook;
}

async function judge(watch: Watch, outgoing: OutgoingMessage): Promise<OutgoingJudgement> {
  const { store, clock } = watch.deps();
  const { recipients } = outgoing;
  const { accountId } = outgoing.login;
  const addresses = recipients
    .filter(({ targets }) => targets.some(({ kind }) => kind === 'external'))
    .map(({ address }) => address);
  const state = await store.read.run('holds.state', { accountId, day: dayOf(clock.now()), addresses });
  const takeBack = watch.hour.add(accountId, state.strangers);
  if (isForPostmaster(recipients)) return { holdReason: undefined, sent: () => undefined, takeBack };
  const reason = state.hold?.reason ?? (await whyHeld(watch, outgoing, state.largest));
  return {
    holdReason: reason === undefined ? undefined : `${HELD}${reason}`,
    sent() {
      // What is held counts when it is released: a thief's mail must not become what is usual.
      if (reason === undefined) watch.book.add(accountId, recipients.length, state.strangers);
    },
    takeBack,
  };
}

/** Whoever is held must be able to ask the administrator why. */
function isForPostmaster(recipients: readonly PlannedRecipient[]): boolean {
  return recipients.every(
    ({ address, targets }) =>
      address.toLowerCase().startsWith('postmaster@') && targets.every(({ kind }) => kind === 'account'),
  );
}

/** The reason to hold this message, of an account that is not held yet; the account is, when there is enough of it. */
async function whyHeld(
  watch: Watch,
  outgoing: OutgoingMessage,
  largest: Parameters<typeof whyUnusual>[1]['largest'],
): Promise<string | undefined> {
  const { hold_unusual: unusual, unusual_from: unusualFrom } = watch.settings();
  if (unusual) {
    const { messages, recipients: strangers } = watch.hour.used(outgoing.login.accountId);
    const reason = whyUnusual({ messages, strangers }, { unusualFrom, largest });
    if (reason !== undefined) return holdAccount(watch, outgoing, reason);
  }
  return whySpam(watch, outgoing);
}

async function whySpam(watch: Watch, outgoing: OutgoingMessage): Promise<string | undefined> {
  const { verdict, settings } = watch;
  if (verdict === undefined || !settings().hold_spam) return undefined;
  const probability = await verdict(outgoing).catch((error: unknown) => {
    watch.deps().logger.warn({ trace: outgoing.trace, error: String(error) }, 'outgoing mail was not judged');
    return undefined;
  });
  if (probability === undefined || probability < SURE) return undefined;
  const { accountId } = outgoing.login;
  watch.spam.add(accountId, 0);
  const { messages } = watch.spam.used(accountId);
  if (messages >= SPAM_MESSAGES) {
    return holdAccount(watch, outgoing, `it sent ${messages} messages within an hour that look like spam`);
  }
  const reason = 'the filter is sure that it is spam';
  await tell(watch, { ...factsOf(outgoing, reason), what: 'message' });
  return reason;
}

function factsOf({ login, trace }: OutgoingMessage, reason: string): Omit<HoldFacts, 'what'> {
  return { accountId: login.accountId, address: login.address, trace, reason };
}

/** From now on, whatever the account sends is held; its owner and the administrators are told in the same commit. */
async function holdAccount(watch: Watch, outgoing: OutgoingMessage, reason: string): Promise<string> {
  const deps = watch.deps();
  const { accountId, address } = outgoing.login;
  const at = deps.clock.now();
  const notices = await holdNotices(deps, { ...factsOf(outgoing, reason), what: 'account' });
  const event = {
    trace: outgoing.trace,
    at,
    kind: 'account.held',
    data: { account: address, reason, ip: outgoing.session.remoteAddress, session: outgoing.session.id },
    terms: [terms.address(address)],
  } as const;
  const { isNew } = await deps.store.write.run('holds.set', { accountId, reason, events: [event], notices });
  if (isNew) {
    deps.recorder.committed([event]);
    deps.logger.warn({ account: address, reason }, 'outgoing mail of an account is held');
  }
  return reason;
}

/** Of a single message that is held: told in a commit before the one that takes it. */
async function tell(watch: Watch, facts: HoldFacts): Promise<void> {
  const deps = watch.deps();
  for (const notice of await holdNotices(deps, facts)) {
    await deps.store.write.run('delivery.accept', notice);
  }
}
