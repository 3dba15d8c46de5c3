/** Begins the reason of every queued message that waits because of its sender, so that a release finds them. */
export const HELD = 'outgoing mail held: ';
/** Days of an account's own volume that say what is usual. */
export const USUAL_DAYS = 30;

export const DAY_MS = 86_400_000;

/** Days since the epoch, UTC. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** What an account sends in a day. */
export interface Volume {
  readonly messages: number;
  readonly recipients: number;
  /** Recipients elsewhere it had never written to. */
  readonly strangers: number;
}

export interface AccountHold {
  readonly reason: string;
  readonly since: number;
}

/** What a submission has to know of its account. */
export interface OutgoingState {
  readonly hold: AccountHold | undefined;
  /** The most of any day of the last 30, today not counted. */
  readonly largest: Volume;
  /** How many of the addresses asked about the account never wrote to. */
  readonly strangers: number;
}

/** An account that is held, or has messages that are. */
export interface HeldAccount {
  readonly account: string;
  /** Undefined: single messages only. */
  readonly hold: AccountHold | undefined;
  readonly messages: number;
  readonly recipients: number;
  /** When the oldest of them came. */
  readonly oldest: number | undefined;
}
