import type { SmtpReply } from '../../../base/errors.ts';
import type { RefusedAtServer } from '../../../flow/service.ts';
import type { SmtpProtocol } from '../options.ts';
import type { Session, State } from '../session.ts';

/** One wire command: a row of the table. */
export interface Command {
  /** Upper case. */
  readonly name: string;
  readonly protocols: readonly SmtpProtocol[];
  /** Where it is allowed; elsewhere `otherwise` is the answer. */
  readonly states: readonly State[];
  otherwise?(session: Session): SmtpReply;
  /** Stage under which the journal notes its refusals. */
  readonly stage: RefusedAtServer['stage'];
  readonly argument: 'none' | 'optional' | 'required';
  /** Whether its reply may wait for those of the commands behind it (RFC 2920 section 3.2). */
  readonly grouped: boolean;
  run(session: Session, argument: string): Promise<void> | void;
}

export const EVERY_PROTOCOL: readonly SmtpProtocol[] = ['smtp', 'lmtp', 'submission'];
export const ESMTP_ONLY: readonly SmtpProtocol[] = ['smtp', 'submission'];
export const EVERY_STATE: readonly State[] = ['start', 'ready', 'mail', 'rcpt', 'bdat'];
