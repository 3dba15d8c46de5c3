import type { JournalEvent } from '../../data/journal/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import type { PlaceKind } from '../../data/sieve/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import type { SieveAction } from '../../mail/sieve/types.ts';
import type { Refusal } from '../../base/errors.ts';
import type { Plan } from '../delivery/plan.ts';
import type { TakenMessage } from '../intake.ts';
import type { PlannedNotice } from '../outbound/success.ts';
import type { Verdict } from '../spam/types.ts';

/** A message on its way into mailboxes, as scripts and what they ask for need it. */
export interface ScriptInput {
  readonly trace: string;
  readonly reversePath: string;
  /** MAIL AUTH= as given. */
  readonly auth: string | undefined;
  readonly envid: string | undefined;
  readonly ret: 'FULL' | 'HDRS' | undefined;
  readonly message: Pick<TakenMessage, 'structure' | 'header' | 'octets' | 'size' | 'content'>;
  /** Fields that stood before it when it came to us; empty for mail from others. */
  readonly passed: Buffer;
  readonly client: { readonly ip: string; readonly name: string; readonly helo: string };
  readonly plan: Plan;
  readonly verdictOf: (accountId: number) => Verdict | undefined;
  /** The reverse-path is proven: its owner may be told. */
  readonly mayTell: boolean;
  /** The reverse-path is disproven: nothing automatic goes there. */
  readonly forged: boolean;
  /** How the message goes on to others. */
  readonly onward: Onward;
}

/** How a message is sent on: as it came, so that its signatures hold. */
export interface Onward {
  /** What stands before it, below our Delivered-To. */
  readonly prefix: Buffer;
  readonly hidden: Enqueue['hidden'];
  readonly requireTls: boolean;
  readonly originated: boolean;
  needs(addresses: readonly string[]): Pick<Enqueue, 'body' | 'smtputf8'>;
}

/** A message as it stands when an action of a script wants it: changed (RFC 5293, RFC 5703). */
export interface ChangedMessage {
  /** Set where only the header differs: all of it with the empty line that ends it. The body is as it is stored. */
  readonly header: (() => Promise<Buffer>) | undefined;
  /** All octets. */
  octets(): Promise<Buffer>;
}

/** Undefined: as it came. */
export type Changed = ChangedMessage | undefined;

export interface DoneAction {
  readonly action: SieveAction;
  /** "line 12 of script main" */
  readonly by: string;
  readonly changed: Changed;
}

export interface RunError {
  /** "script main" */
  readonly script: string;
  readonly kind: PlaceKind;
  readonly line: number;
  readonly message: string;
  readonly digest: string;
}

/** What all scripts of one account made of a message. */
export interface AccountRun {
  readonly actions: readonly DoneAction[];
  readonly remember: readonly { readonly key: string; readonly seconds: number }[];
  readonly errors: readonly RunError[];
}

export interface ScriptOutcome {
  /** The plan with what scripts decided; without scripts the same object. */
  readonly plan: Plan;
  readonly queue: readonly Enqueue[];
  readonly notices: readonly PlannedNotice[];
  readonly events: readonly JournalEvent[];
  /** Accounts whose scripts refuse the message, with the words. */
  readonly refusals: ReadonlyMap<number, Refusal>;
  readonly scripted: WriteArgs<'delivery.accept'>['scripted'];
}
