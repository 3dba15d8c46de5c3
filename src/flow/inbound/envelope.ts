import type { Refusal } from '../../base/errors.ts';
import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import type { MailParams, SessionFacts } from '../service.ts';
import { receivedField } from '../trace-header.ts';
import type { Reason } from '../spam/types.ts';
import type { Authentication, Evidence } from './authenticate.ts';
import type { TakenElsewhere } from './elsewhere.ts';
import type { Judgement } from './judge.ts';

/** What the pipeline knows of a transaction when the message has arrived. */
export interface Envelope {
  readonly deps: FlowDeps;
  readonly session: SessionFacts;
  readonly reversePath: string;
  readonly params: MailParams;
  readonly trace: string;
  readonly recipients: readonly PlannedRecipient[];
  /** Who sent it, as far as that can be proven; watched the message go by. */
  readonly authentication: Authentication;
  /** What the checks of connection and envelope found. */
  readonly gate: EnvelopeFacts;
  /** Set: another host took it for us. */
  readonly elsewhere?: TakenElsewhere | undefined;
}

/** What was found before the message, asked for at its end. Never rejects for what others say or do not say. */
export interface EnvelopeFacts {
  facts(evidence: Evidence): Promise<readonly Reason[]>;
  /** Lists of domains: those that the text links to and those behind the message. */
  domainFacts(sites: readonly string[], evidence: Evidence): Promise<readonly Reason[]>;
  /** Throws a Refusal (451) for a stranger who is to come back later. */
  greylist(judgement: Judgement): Promise<void>;
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
