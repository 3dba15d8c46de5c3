import type { Completion } from '../replies.ts';
import type { Session, State } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';

/** One row of the table: a wire command. */
export interface Command {
  /** In capitals; "UID FETCH" for a command behind UID. */
  readonly name: string;
  readonly states: readonly State[];
  /** Capabilities that this command stands for, advertised after login. */
  readonly capabilities?: readonly string[];
  /** The handler reads literals itself, as they come (APPEND). */
  readonly streams?: boolean;
  /** EXPUNGE must not be told during this command (RFC 9051 section 7.5.1). */
  readonly holdsExpunges?: boolean;
  /** It names messages by number, which a client of UIDONLY may not (RFC 9586 section 3.1). */
  readonly byNumber?: boolean;
  /** Read the arguments from behind the name (a space included), act, and say how it ended. */
  readonly run: (session: Session, d: Decoder) => Promise<Outcome> | Outcome;
}

/** Undefined: "OK NAME completed". 'answered': the tagged reply has been given. */
export type Outcome = Completion | 'answered' | undefined;

export const ANY_STATE: readonly State[] = ['not-authenticated', 'authenticated', 'selected'];
export const BEFORE_LOGIN: readonly State[] = ['not-authenticated'];
export const LOGGED_IN: readonly State[] = ['authenticated', 'selected'];
export const SELECTED: readonly State[] = ['selected'];
