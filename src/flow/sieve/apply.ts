import type { Refusal } from '../../base/errors.ts';
import type { OtherMessage, ScriptedReply } from '../../data/delivery/scripted.ts';
import type { JournalEvent } from '../../data/journal/types.ts';
import type { DepositResult } from '../../data/mailstore/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import { memoryKey } from '../../data/sieve/memory.ts';
import { REPLIES_PER_DAY, type Memory, type Running } from '../../data/sieve/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import type { Plan, PlannedDeposit, PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import type { PlannedNotice } from '../outbound/success.ts';
import { changedDeposits, depositFor, forOthers } from './filing.ts';
import { messageFor } from './message.ts';
import { redirected, redirectedChanged, redirectedWith, whyNotRedirect } from './redirect.ts';
import { rejection, rejectionNotice } from './refuse.ts';
import { actedEvent, notification, vacationReply, whyNoReply } from './reply.ts';
import { runScripts } from './run.ts';
import { failedEvent, troubleNotice } from './trouble.ts';
import type { AccountRun, Changed, DoneAction, ScriptInput, ScriptOutcome } from './types.ts';
import { type AccountFacts, accountFacts, worldOf } from './world.ts';

/** How a refusal can be said: one reply for all, one for each recipient, or none at all. */
export type Answers = 'one' | 'each' | 'none';

export interface ScriptRequest extends Omit<ScriptInput, 'message'> {
  /** The message, read when there is a script to run on it. */
  open(): Promise<ScriptInput['message']>;
  readonly recipients: readonly PlannedRecipient[];
  readonly answers: Answers;
}

/** What is gathered while the scripts of one account after the other run. */
interface Draft {
  readonly deposits: PlannedDeposit[];
  readonly queue: Enqueue[];
  readonly notices: PlannedNotice[];
  readonly events: JournalEvent[];
  readonly others: OtherMessage[];
  readonly replies: ScriptedReply[];
  readonly remember: Memory[];
  readonly redirects: { accountId: number; count: number }[];
  readonly troubles: { memory: Memory; notice: WriteArgs<'delivery.accept'> }[];
  readonly handled: Set<number>;
  readonly rejected: { planned: PlannedDeposit; refusal: Refusal; reason: string; by: string }[];
}

/** Everything about one account's run. */
interface Case {
  readonly deps: FlowDeps;
  readonly input: ScriptInput;
  readonly planned: PlannedDeposit;
  readonly facts: AccountFacts;
  readonly run: AccountRun;
  readonly draft: Draft;
}

/**
 * Let the scripts of all accounts that a plan deposits into say what becomes of the message. Nothing is written: what
 * comes back goes into the commit that answers for the message. Without scripts it is one read of an index.
 */
export async function applyScripts(deps: FlowDeps, request: ScriptRequest): Promise<ScriptOutcome> {
  const { plan } = request;
  const accountIds = plan.deposits.map(({ deposit }) => deposit.accountId);
  const running = accountIds.length === 0 ? [] : await deps.store.read.run('sieve.running', { accountIds });
  if (running.length === 0) {
    return { plan, queue: [], notices: [], events: [], refusals: new Map(), scripted: undefined };
  }
  const input: ScriptInput = { ...request, message: await request.open() };
  const draft: Draft = {
    deposits: [],
    queue: [],
    notices: [],
    events: [],
    others: [],
    replies: [],
    remember: [],
    redirects: [],
    troubles: [],
    handled: new Set(),
    rejected: [],
  };
  for (const planned of plan.deposits) {
    const mine = running.find(({ accountId }) => accountId === planned.deposit.accountId);
    if (mine === undefined) draft.deposits.push(planned);
    else await runFor(deps, input, planned, mine, draft);
  }
  const refusals = await settleRejected(deps, request, input, draft);
  return outcomeOf(plan, draft, refusals);
}

function outcomeOf(plan: Plan, draft: Draft, refusals: ReadonlyMap<number, Refusal>): ScriptOutcome {
  const { deposits, queue, notices, events, others, replies, remember, redirects, troubles, handled } = draft;
  const here = new Set(deposits.map(({ deposit }) => deposit.accountId));
  const settled = new Set([...handled].filter((id) => !here.has(id) && !refusals.has(id)));
  return {
    plan: { deposits, forwards: plan.forwards, handled: settled },
    queue,
    notices,
    events,
    refusals,
    scripted: { taken: settled.size > 0, others, replies, remember, redirects, troubles },
  };
}

async function runFor(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  { accountId, scripts }: Running,
  draft: Draft,
): Promise<void> {
  const owner = await deps.store.read.run('sieve.owner', { accountId, now: deps.clock.now() });
  if (owner === undefined) {
    draft.deposits.push(planned);
    return;
  }
  const facts = accountFacts(deps, owner);
  const recipient = planned.recipients[0] ?? planned.address;
  const verdict = input.verdictOf(accountId);
  const world = worldOf(deps, { facts, verdict, client: input.client, recipient });
  const { reversePath, auth, envid, ret } = input;
  const params = { ...(envid !== undefined && { envid }), ...(ret !== undefined && { ret }) };
  const envelope = { from: reversePath, to: recipient, auth, params };
  const message = messageFor(input.message, planned.deposit);
  const run = await runScripts(deps, scripts, message, { accountId, envelope, world });
  await act({ deps, input, planned, facts, run, draft });
}

/** Turn what the scripts of an account decided into deposits, queue rows and the rest. */
async function act(one: Case): Promise<void> {
  const { deps, input, planned, facts, run, draft } = one;
  const { accountId } = planned.deposit;
  draft.handled.add(accountId);
  draft.remember.push(
    ...run.remember.map(({ key, seconds }) => ({ accountId, key: memoryKey('duplicate', key), seconds })),
  );
  for (const error of run.errors) {
    draft.events.push(failedEvent(deps, input, planned, error));
    const told = troubleNotice(deps, facts, error);
    if (told !== undefined) draft.troubles.push(told);
  }
  const stores = run.actions.filter(({ action }) => action.kind === 'keep' || action.kind === 'fileinto');
  const notSent = await sendOn(one);
  if (stores.length > 0) await store(one, stores, failureText(run));
  else if (notSent !== undefined) await store(one, [keepOf(notSent.by)], `${notSent.by}: ${notSent.why}`);
  for (const each of run.actions) await actOn(one, each);
}

function keepOf(by: string): DoneAction {
  const action = {
    kind: 'keep',
    implicit: true,
    flags: undefined,
    script: '',
    line: 0,
    edits: undefined,
  } as const;
  return { action, by, changed: undefined };
}

/** Why it is in the inbox, where a script failed. */
function failureText({ errors }: AccountRun): string | undefined {
  const error = errors.at(-1);
  if (error === undefined) return undefined;
  return `${error.script} failed${error.line === 0 ? '' : ` at line ${error.line}`}: ${error.message}`.slice(
    0,
    400,
  );
}

/** Deposits: those of the message as it came share its octets, what was changed is another message. */
async function store(
  { deps, input, planned, facts, draft }: Case,
  stores: readonly DoneAction[],
  fallback: string | undefined,
): Promise<void> {
  const { accountId } = planned.deposit;
  const shared: PlannedDeposit[] = [];
  const changed = new Map<NonNullable<Changed>, PlannedDeposit[]>();
  for (const each of stores) {
    const why = each.action.kind === 'keep' ? fallback : undefined;
    const deposit = await depositFor(facts, planned, each, why);
    if (each.changed !== undefined)
      changed.set(each.changed, [...(changed.get(each.changed) ?? []), deposit]);
    else if (deposit.deposit.accountId === accountId) draft.deposits.push(deposit);
    else shared.push(deposit);
  }
  for (const [each, deposits] of changed)
    for (const ofOne of byAccount(deposits))
      draft.others.push(await changedDeposits(deps, input, each, ofOne));
  for (const ofOne of byAccount(shared)) draft.others.push(forOthers(deps, input, ofOne));
}

/** Those into mailboxes of one account make one email of it. */
function byAccount(deposits: readonly PlannedDeposit[]): PlannedDeposit[][] {
  return [...Map.groupBy(deposits, ({ deposit }) => deposit.accountId).values()];
}

/** All redirects; what could not be sent on, if anything. */
async function sendOn({
  deps,
  input,
  planned,
  facts,
  run,
  draft,
}: Case): Promise<{ by: string; why: string } | undefined> {
  let count = 0;
  let failed: { by: string; why: string } | undefined;
  for (const { action, by, changed } of run.actions) {
    if (action.kind !== 'redirect') continue;
    const why = whyNotRedirect(input, facts.owner, action, count);
    if (why !== undefined) {
      failed ??= { by, why: `it is not sent on to ${action.address}, for ${why}` };
      draft.events.push(
        actedEvent(
          deps,
          input,
          planned,
          `${by} wants it sent on to ${action.address}; it is not, for ${why}`,
        ),
      );
      continue;
    }
    count += 1;
    if (changed === undefined) draft.queue.push(await redirected(deps, input, planned, action));
    else if (changed.header !== undefined)
      draft.queue.push(await redirectedWith(deps, input, planned, action, await changed.header()));
    else draft.notices.push(await redirectedChanged(deps, input, planned, action, await changed.octets()));
    draft.events.push(
      actedEvent(deps, input, planned, `sent on to ${action.address} by ${by}`, { to: action.address }),
    );
  }
  if (count > 0) draft.redirects.push({ accountId: planned.deposit.accountId, count });
  return failed;
}

/** What stores nothing and sends nothing on. */
async function actOn(one: Case, { action, by }: DoneAction): Promise<void> {
  const { deps, input, planned, facts, draft } = one;
  switch (action.kind) {
    case 'discard':
      draft.events.push(actedEvent(deps, input, planned, `thrown away by ${by}`));
      break;
    case 'reject':
      draft.rejected.push({ planned, refusal: rejection(action.reason), reason: action.reason, by });
      break;
    case 'vacation': {
      const why = whyNoReply(input, planned.deposit.accountId, action.to) ?? tooMany(facts);
      if (why === undefined) draft.replies.push(await vacationReply(deps, input, planned, facts, action, by));
      else
        draft.events.push(
          actedEvent(
            deps,
            input,
            planned,
            `${by} would answer that its owner is away; it does not, for ${why}`,
          ),
        );
      break;
    }
    case 'notify': {
      const made =
        tooMany(facts) === undefined
          ? await notification(deps, input, planned, facts, action, by)
          : undefined;
      if (made !== undefined) draft.replies.push(...made);
      else
        draft.events.push(
          actedEvent(deps, input, planned, `${by} could not notify ${action.method.slice(0, 200)}`),
        );
      break;
    }
    default:
  }
}

function tooMany({ owner }: AccountFacts): string | undefined {
  if (owner.replies < REPLIES_PER_DAY) return undefined;
  return `the scripts of the account have sent ${REPLIES_PER_DAY} replies today`;
}

/**
 * Who refuses it is told of in the reply where that can be, else by a notification to a sender that is proven; else it is
 * in Junk, for nobody was told that it is not wanted (RFC 5429 2.1, 2.2.1).
 */
async function settleRejected(
  deps: FlowDeps,
  request: ScriptRequest,
  input: ScriptInput,
  draft: Draft,
): Promise<ReadonlyMap<number, Refusal>> {
  const refusals = new Map<number, Refusal>();
  for (const { planned, refusal, reason, by } of draft.rejected) {
    const { accountId } = planned.deposit;
    if (canAnswer(request, draft, accountId)) {
      refusals.set(accountId, refusal);
      deps.recorder.event(actedEvent(deps, input, planned, `refused by ${by}: ${refusal.message}`));
    } else if (input.mayTell && input.reversePath !== '') {
      const address = planned.recipients[0] ?? planned.address;
      const orcpt = request.recipients.find((each) => each.address === address)?.orcpt;
      draft.notices.push(await rejectionNotice(deps, input, { address, orcpt }, accountId, reason));
      draft.events.push(
        actedEvent(
          deps,
          input,
          planned,
          `refused by ${by}; the sender is told by a notification: ${refusal.message}`,
        ),
      );
    } else {
      const because = `${by} refuses it, and the sender cannot be told: it is not proven`;
      const mailbox = { specialUse: '\\Junk' } as const;
      draft.deposits.push({ ...planned, because, deposit: { ...planned.deposit, mailbox } });
    }
  }
  return refusals;
}

function canAnswer({ answers, plan, recipients }: ScriptRequest, draft: Draft, accountId: number): boolean {
  if (answers === 'none') return false;
  // What else the account's scripts did with it would be told twice, or be lost.
  const rejected = new Set(draft.rejected.map(({ planned }) => planned.deposit.accountId));
  const isHere = (id: number): boolean => draft.deposits.some(({ deposit }) => deposit.accountId === id);
  const sends = draft.redirects.some((each) => each.accountId === accountId);
  if (isHere(accountId) || sends) return false;
  if (answers === 'one') {
    if (plan.forwards.length > 0 || draft.deposits.length > 0 || draft.redirects.length > 0) return false;
    return plan.deposits.every(({ deposit }) => rejected.has(deposit.accountId));
  }
  const theirs = recipients.filter(({ targets }) =>
    targets.some((target) => target.kind === 'account' && target.accountId === accountId),
  );
  return theirs.every(({ targets }) => targets.length === 1);
}

/** Nothing refers to the octets: scripts threw the message away, or keep it only as they have changed it. */
export function isNowhere(
  { plan, queue, scripted }: ScriptOutcome,
  results: readonly DepositResult[],
  others: number,
): boolean {
  if (scripted?.taken !== true || queue.length + others + plan.forwards.length > 0) return false;
  if (scripted.others.some(({ blob }) => blob === 'same')) return false;
  return results.every(({ status }) => status !== 'stored');
}
