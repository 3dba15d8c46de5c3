import type { Refusal } from '../../base/errors.ts';
import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import type { MailParams, SessionFacts } from '../service.ts';
import { receivedField } from '../trace-header.ts';
import type { DkimTap } from './genuine.ts';

/** What the pipeline knows of a transaction when the message has arrived. */
export interface Envelope {
  readonly deps: FlowDeps;
  readonly session: SessionFacts;
  readonly reversePath: string;
  readonly params: MailParams;
  readonly trace: string;
  readonly recipients: readonly PlannedRecipient[];
  /** Watched the message go by; only where its sender may have to be written to. */
  readonly dkim: DkimTap | undefined;
}

/** Recipients that do not get the message, and why. */
export type Failures = ReadonlyMap<PlannedRecipient, Refusal>;

/** Our Received field for the message of an envelope. */
export function receivedFor({ deps, session, recipients, trace, params }: Envelope): Buffer {
  const field = receivedField({
    session,
    hostname: deps.settings.hostname,
    trace,
    nowMs: deps.clock.now(),
    smtputf8: params.smtputf8,
    recipient: recipients.length === 1 ? recipients[0]?.address : undefined,
  });
  return Buffer.from(field);
}
