import type { SmtpReply } from '../../base/errors.ts';
import type { MailParams, SessionFacts } from '../service.ts';

/** A message's envelope as the relay took it. */
export interface RelayEnvelope {
  readonly session: SessionFacts;
  /** Confirmed name of the client's address, when it is known by now. */
  readonly reverseName: string | undefined;
  /** '' is the null reverse-path. */
  readonly from: string;
  readonly recipients: readonly string[];
  readonly params: MailParams;
  readonly trace: string;
}

/** Takes one message; `finish` answers for it. */
export interface RelaySink {
  /** Throws a `Refusal`; await a returned promise before the next call. */
  write(chunk: Buffer): void | Promise<void>;
  finish(): Promise<SmtpReply>;
  /** Never throws. */
  abort(): void;
}

/** Where messages go: to SES at once, or into the spool. */
export interface RelayOutlet {
  /** Throws a `Refusal` while no mail can be taken. */
  requireRoom?(): void;
  open(envelope: RelayEnvelope): RelaySink;
}
