import type { ResolvedTarget } from '../../data/directory/types.ts';
import type { Deposit } from '../../data/mailstore/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import { deliveryFields } from '../trace-header.ts';

/** One accepted recipient of the envelope and where its address leads. */
export interface PlannedRecipient {
  /** As the client gave it, formatted. */
  readonly address: string;
  readonly notify: readonly string[];
  /** "rfc822;user@example.net", xtext-decoded. */
  readonly orcpt: string | undefined;
  readonly targets: readonly ResolvedTarget[];
}

export interface PlannedDeposit {
  readonly deposit: Deposit;
  /** Why it goes where it goes, when that is not the inbox. */
  readonly because?: string;
  /** The mailbox as people know it, where `deposit.mailbox` does not name it. */
  readonly shown?: string;
  /** Address the copy was for, and the recipients of the envelope that led to it. */
  readonly address: string;
  readonly recipients: readonly string[];
  readonly via: readonly string[];
}

export interface PlannedForward {
  readonly address: string;
  readonly recipient: string;
  readonly orcpt: string | undefined;
  readonly notify: readonly string[];
  readonly via: readonly string[];
}

export interface Plan {
  readonly deposits: readonly PlannedDeposit[];
  readonly forwards: readonly PlannedForward[];
  /** Accounts whose Sieve scripts have dealt with it otherwise: thrown away, sent on, stored changed. */
  readonly handled?: ReadonlySet<number>;
}

export interface PlanInput {
  readonly recipients: readonly PlannedRecipient[];
  readonly reversePath: string;
  /** Received and other fields that go into every copy. */
  readonly received: Buffer;
  readonly hidden: Deposit['hidden'];
  readonly nowMs: number;
  readonly trace: string;
  /** Where the copy of an account goes and what is put before it; the inbox, and nothing, when left out. */
  readonly place?: (accountId: number) => Place;
}

/** What was made of the message for one account. */
export interface Place {
  readonly mailbox: Deposit['mailbox'];
  /** Our own fields, in front of Received. */
  readonly fields: Buffer;
  readonly because?: string;
}

/**
 * Alias -> deposit | forward, for each recipient. An account that several recipients lead to gets one copy, and an
 * external address one message: a list and its member together must not double the mail.
 */
export function planDelivery(input: PlanInput): Plan {
  const deposits = new Map<number, PlannedDeposit & { recipients: string[] }>();
  const forwards = new Map<string, PlannedForward>();
  for (const recipient of input.recipients) {
    for (const target of recipient.targets) {
      if (target.kind === 'external') {
        const key = target.address.toLowerCase();
        if (!forwards.has(key)) forwards.set(key, forwardOf(recipient, target));
        continue;
      }
      const known = deposits.get(target.accountId);
      if (known === undefined) deposits.set(target.accountId, depositOf(input, recipient, target));
      else known.recipients.push(recipient.address);
    }
  }
  return { deposits: [...deposits.values()], forwards: [...forwards.values()] };
}

function depositOf(
  input: PlanInput,
  recipient: PlannedRecipient,
  target: ResolvedTarget & { kind: 'account' },
): PlannedDeposit & { recipients: string[] } {
  const place = input.place?.(target.accountId);
  return {
    address: target.address,
    recipients: [recipient.address],
    via: target.via,
    ...(place?.because !== undefined && { because: place.because }),
    deposit: {
      accountId: target.accountId,
      mailbox: place?.mailbox ?? { name: 'INBOX' },
      prefix: Buffer.concat([
        Buffer.from(deliveryFields(input.reversePath, recipient.address)),
        ...(place === undefined ? [] : [place.fields]),
        input.received,
      ]),
      hidden: input.hidden,
      set: { flags: 0, keywords: [] },
      receivedAt: input.nowMs,
      trace: input.trace,
      ignoreQuota: false,
    },
  };
}

function forwardOf(
  recipient: PlannedRecipient,
  target: ResolvedTarget & { kind: 'external' },
): PlannedForward {
  return {
    address: target.address,
    recipient: recipient.address,
    orcpt: recipient.orcpt,
    notify: onwardNotify(recipient),
    via: target.via,
  };
}

/**
 * RFC 3461 5.2.7.3: success of an alias to several ends here, with our 'expanded'; what they are asked for is the rest.
 */
function onwardNotify({ notify, targets }: PlannedRecipient): readonly string[] {
  if (targets.length < 2 || !notify.includes('SUCCESS')) return notify;
  const rest = notify.filter((word) => word !== 'SUCCESS');
  return rest.length === 0 ? ['NEVER'] : rest;
}

/** Where in the plan the one mailbox of a recipient is. */
export function depositIndexes(plan: Plan): (recipient: PlannedRecipient) => number | undefined {
  return ({ targets }) => {
    const [only, second] = targets;
    if (second !== undefined || only?.kind !== 'account') return undefined;
    const index = plan.deposits.findIndex(({ deposit }) => deposit.accountId === only.accountId);
    return index < 0 ? undefined : index;
  };
}

/** Forwards by the recipient they are for: each gets its own message, so that one alias is not shown to another's. */
export function forwardsByRecipient(plan: Plan): ReadonlyMap<string, readonly PlannedForward[]> {
  return Map.groupBy(plan.forwards, ({ recipient }) => recipient);
}

/** Recipients of a queue message, from addresses already known to be syntactically right. */
export function queueRecipients(
  forwards: readonly Pick<PlannedForward, 'address' | 'orcpt' | 'notify'>[],
): Enqueue['recipients'] {
  return forwards.map(({ address, orcpt, notify }) => ({
    address,
    destination: destinationOf(address),
    orcpt,
    notify: notify.join(','),
  }));
}

/** What deliveries are grouped by: the domain, or the address literal, in lower case. */
export function destinationOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
