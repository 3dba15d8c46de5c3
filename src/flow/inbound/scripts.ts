import type { Refusal } from '../../base/errors.ts';
import type { Plan, PlannedRecipient } from '../delivery/plan.ts';
import type { TakenMessage } from '../intake.ts';
import { neededParams } from '../outbound/enqueue.ts';
import { applyScripts } from '../sieve/apply.ts';
import type { ScriptOutcome } from '../sieve/types.ts';
import type { Evidence } from './authenticate.ts';
import { type Envelope, receivedFor } from './envelope.ts';
import type { Findings } from './outcome.ts';

/** What the recipients' Sieve scripts make of a message from others. */
export function scriptsFor(
  envelope: Envelope,
  message: TakenMessage,
  plan: Plan,
  { evidence, judgement }: Findings,
  genuine: boolean,
): Promise<ScriptOutcome> {
  const { deps, session, reversePath, params, trace, recipients, elsewhere } = envelope;
  return applyScripts(deps, {
    trace,
    reversePath,
    auth: params.auth,
    envid: params.envid,
    ret: params.ret,
    open: () => Promise.resolve(message),
    passed: Buffer.alloc(0),
    client: { ip: session.remoteAddress, name: evidence.iprev.name ?? '', helo: session.helo },
    plan,
    recipients,
    // RFC 5429 2.1.1: where the message came by SMTP its own reply refuses it.
    answers: elsewhere !== undefined ? 'none' : session.protocol === 'lmtp' ? 'each' : 'one',
    verdictOf: (accountId) => judgement?.accounts.get(accountId),
    mayTell: genuine,
    forged: !genuine && isForged(evidence),
    onward: {
      prefix: receivedFor(envelope),
      hidden: elsewhere?.hidden ?? [],
      requireTls: params.requireTls,
      originated: false,
      needs: (addresses) => neededParams(message.structure, params, addresses, false),
    },
  });
}

/** What its own domain says is not from there. */
function isForged({ state, spf, dmarc }: Evidence): boolean {
  return state === 'checked' && (spf.result === 'fail' || dmarc.result === 'fail');
}

/** Why the mail of an account behind a recipient was not stored, when its script refused it. */
export function refusalBy({ refusals }: ScriptOutcome, { targets }: PlannedRecipient): Refusal | undefined {
  for (const target of targets) {
    const refusal = target.kind === 'account' ? refusals.get(target.accountId) : undefined;
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Recipients that the sender must not be told of as reached. */
export function refusedByScript(
  recipients: readonly PlannedRecipient[],
  outcome: ScriptOutcome,
): ReadonlySet<PlannedRecipient> {
  return new Set(recipients.filter((recipient) => refusalBy(outcome, recipient) !== undefined));
}
