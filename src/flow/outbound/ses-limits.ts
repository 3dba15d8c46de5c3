import type { Clock } from '../../base/clock.ts';
import type { SesAccount, SesApi } from '../../net/aws/types.ts';
import { OR_ADD_A_WAY } from './ses-refusals.ts';
import type { Cause } from './transport.ts';

/** Milliseconds between looks at the account: its rate, its allowance, whether it may send. */
const REFRESH_MS = 180_000;
/** The same while it may not send or has used up its day. */
const RECHECK_MS = 60_000;
/** Milliseconds to wait in line for the rate; beyond it the queue does. */
const WAIT_MAX_MS = 20_000;
/** Milliseconds that one "slower, please" holds the rate down, and how far it may go. */
const SLOW_MS = 60_000;
const SLOWEST = 1 / 16;
/** Recipients a second to go on with after a "slower" when nobody tells us our rate: the sandbox's. */
const UNKNOWN_RATE = 1;
/** Milliseconds that mail waits for the day's allowance: it frees up little by little, as yesterday's mail leaves the 24 hours. */
const QUOTA_PAUSE_MS = 600_000;

export interface NotNow {
  readonly cause: Cause;
  readonly reason: string;
  /** See `Outcome`. */
  readonly advice?: string | undefined;
  readonly pauseMs: number;
}

/** What an SES account may do: recipients a second, recipients in 24 hours, anything at all. */
export interface SesLimits {
  /** Wait for a place for so many recipients; answers why there is none now. */
  take(recipients: number, stopping: AbortSignal): Promise<'go' | 'stopped' | NotNow>;
  /** So many were sent. */
  sent(recipients: number): void;
  /** SES said that we are too fast. Answers the milliseconds to leave it alone. */
  throttled(): number;
  /** SES said that the day's allowance is used up. */
  usedUp(): number;
  /** As far as it is known. */
  account(): SesAccount | undefined;
}

/** `api` undefined: the account cannot be asked; SES itself tells us when it is too much. */
export function createSesLimits(
  api: SesApi | undefined,
  region: string,
  clock: Clock,
  onFailure: (error: unknown) => void = () => undefined,
): SesLimits {
  const bucket = createBucket(clock);
  let sentSince = 0;
  let usedUpUntil = 0;
  const watch = watchAccount(api, clock, onFailure, (found) => {
    if (found !== undefined) sentSince = 0;
    bucket.setRate(watch.account()?.maxSendRate);
  });
  const left = (): number => {
    const account = watch.account();
    if (account === undefined || account.max24HourSend < 0) return Number.POSITIVE_INFINITY;
    return account.max24HourSend - account.sentLast24Hours - sentSince;
  };
  /** Why nothing may go now, as far as the account is known. */
  const against = (recipients: number): NotNow | undefined => {
    const account = watch.account();
    const paused = account && maySend(account, region);
    if (paused !== undefined)
      return { cause: 'auth', reason: paused, advice: OR_ADD_A_WAY, pauseMs: QUOTA_PAUSE_MS };
    if (left() >= recipients && clock.monotonic() >= usedUpUntil) return undefined;
    const many = account === undefined ? 'the' : `the ${account.max24HourSend}`;
    const reason = `${many} recipients that SES in ${region} allows in 24 hours are used up; ask AWS for a higher sending quota`;
    return { cause: 'quota', reason, advice: OR_ADD_A_WAY, pauseMs: QUOTA_PAUSE_MS };
  };

  return {
    async take(recipients, stopping) {
      const account = watch.account();
      await watch.refresh(account !== undefined && (maySend(account, region) !== undefined || left() <= 0));
      if (stopping.aborted) return 'stopped';
      const no = against(recipients) ?? (await inLine(bucket, recipients, region, clock, stopping));
      return stopping.aborted ? 'stopped' : (no ?? 'go');
    },
    sent(recipients) {
      sentSince += recipients;
    },
    throttled: () => bucket.slower(),
    usedUp() {
      usedUpUntil = clock.monotonic() + QUOTA_PAUSE_MS;
      return QUOTA_PAUSE_MS;
    },
    account: watch.account,
  };
}

interface AccountWatch {
  account(): SesAccount | undefined;
  /** Look again if it is time; `blocked`: what is known keeps mail waiting, so sooner. */
  refresh(blocked: boolean): Promise<void>;
}

function watchAccount(
  api: SesApi | undefined,
  clock: Clock,
  onFailure: (error: unknown) => void,
  onLook: (found: SesAccount | undefined) => void,
): AccountWatch {
  let account: SesAccount | undefined;
  let lookedAt: number | undefined;
  let looking: Promise<void> | undefined;
  const look = async (ask: SesApi): Promise<void> => {
    let found: SesAccount | undefined;
    try {
      found = await ask.account();
    } catch (error) {
      onFailure(error);
    }
    account = found ?? account;
    lookedAt = clock.monotonic();
    onLook(found);
  };
  return {
    account: () => account,
    async refresh(blocked) {
      if (api === undefined) return;
      const age = lookedAt === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - lookedAt;
      if (age <= (blocked ? RECHECK_MS : REFRESH_MS)) return;
      looking ??= look(api).finally(() => {
        looking = undefined;
      });
      // What is known is good enough to go on with, unless it keeps mail from going at all.
      if (blocked || lookedAt === undefined) await looking;
    },
  };
}

/** Wait for the turn of so many; answers why that would take too long. */
async function inLine(
  bucket: Bucket,
  recipients: number,
  region: string,
  clock: Clock,
  stopping: AbortSignal,
): Promise<NotNow | undefined> {
  const waitMs = bucket.turn(recipients);
  if (waitMs <= WAIT_MAX_MS) {
    if (waitMs > 0) await clock.sleep(waitMs, stopping);
    return undefined;
  }
  bucket.giveBack(recipients);
  const reason = `SES in ${region} takes no more than ${bucket.rate()} recipients a second from us`;
  return { cause: 'rate', reason, pauseMs: Math.min(Math.ceil(waitMs), QUOTA_PAUSE_MS) };
}

/** Why the account may send nothing at all, with the remedy; undefined: it may. */
function maySend(account: SesAccount, region: string): string | undefined {
  if (account.enforcement === 'SHUTDOWN')
    return `AWS has shut down sending for this account in ${region} after complaints or bounces; see the notice in the AWS Support Center and answer it`;
  if (!account.sendingEnabled)
    return `sending is paused for this SES account in ${region}; see "Account dashboard" in the SES console (AWS pauses accounts under review)`;
  return undefined;
}

interface Bucket {
  setRate(rate: number | undefined): void;
  /** Milliseconds to wait before so many may be sent; they are taken at once. */
  turn(count: number): number;
  giveBack(count: number): void;
  slower(): number;
  /** Recipients a second now. */
  rate(): number;
}

/** A second's worth may go at once; what goes beyond is waited for, in the order of the asking. */
function createBucket(clock: Clock): Bucket {
  let allowed: number | undefined;
  let factor = 1;
  let slowUntil = 0;
  let tokens = 1;
  let at = clock.monotonic();
  const rate = (): number => {
    if (clock.monotonic() >= slowUntil) factor = 1;
    if (allowed === undefined) return factor === 1 ? Number.POSITIVE_INFINITY : UNKNOWN_RATE;
    return Math.max(allowed, 0.01) * factor;
  };
  const fill = (): number => {
    const now = clock.monotonic();
    const perSecond = rate();
    const room = Math.max(1, Number.isFinite(perSecond) ? perSecond : 1);
    tokens = Number.isFinite(perSecond) ? Math.min(room, tokens + ((now - at) / 1000) * perSecond) : room;
    at = now;
    return perSecond;
  };
  return {
    setRate(found) {
      fill();
      if (allowed === undefined && found !== undefined) tokens = Math.max(1, found);
      allowed = found;
    },
    turn(count) {
      const perSecond = fill();
      if (!Number.isFinite(perSecond)) return 0;
      // SES counts recipients, yet a call for more than a second's worth is one call: it goes when its turn has come.
      const need = Math.min(count, Math.max(1, perSecond));
      const waitMs = tokens >= need ? 0 : ((need - tokens) / perSecond) * 1000;
      tokens -= count;
      return waitMs;
    },
    giveBack(count) {
      tokens += count;
    },
    slower() {
      fill();
      factor = Math.max(SLOWEST, factor / 2);
      slowUntil = clock.monotonic() + SLOW_MS;
      tokens = Math.min(tokens, 0);
      return Math.ceil(2000 / factor / 2);
    },
    rate,
  };
}
