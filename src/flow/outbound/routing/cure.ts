import type { Cause, TransportKind } from '../transport.ts';

/**
 * What another way can cure. Trying the next one for every refusal would bring rejected mail in by the back door and
 * spoil its reputation too; docs/queue.md has this table in words.
 */

export interface Way {
  readonly name: string;
  readonly kind: TransportKind;
}

/** What is known when the question is asked. */
export interface Circumstances {
  /** Attempts made before this one. */
  readonly attempts: number;
  /** The way that failed has worked elsewhere within the last hour: the fault is the destination's. */
  readonly worksElsewhere: boolean;
  /** The message must travel by TLS that is verified. */
  readonly requireTls: boolean;
}

/** Whether what `failed` failed for may go well by `next`. */
export function mayCure(cause: Cause, failed: Way, next: Way, about: Circumstances): boolean {
  switch (cause) {
    // Both SES ways send from the same addresses and by the same account.
    case 'reputation':
    case 'quota':
    case 'sender':
      return !(isSes(failed.kind) && isSes(next.kind));
    case 'auth':
    case 'size':
      return true;
    // A destination that is down is down for everybody; a blocked port 25 shows in that nothing works.
    case 'network':
      return !about.worksElsewhere || about.attempts > 0;
    case 'rate':
      return about.attempts > 0 && !(isSes(failed.kind) && isSes(next.kind));
    // A domain's policy that fails at its own hosts may be an attack: another way would only look the other way.
    case 'tls':
      return failed.kind !== 'direct' && !about.requireTls;
    case 'greylisted':
    case 'content':
    case 'recipient':
    case 'policy':
    case 'message':
    case 'ours':
      return false;
  }
}

/** Whether the cause says something of the way at that destination that holds for the next message too. */
export function isWays(cause: Cause): boolean {
  return cause === 'reputation' || cause === 'auth' || cause === 'quota';
}

function isSes(kind: TransportKind): boolean {
  return kind === 'ses-api' || kind === 'ses-smtp';
}
