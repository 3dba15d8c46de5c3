import type { ScriptedReply } from '../../data/delivery/scripted.ts';
import { type JournalEvent, terms } from '../../data/journal/types.ts';
import { memoryKey } from '../../data/sieve/memory.ts';
import { parsePath } from '../../mail/address/path.ts';
import { formatAddress } from '../../mail/message/build.ts';
import { destinationOf, type PlannedDeposit } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import {
  type Answering,
  type Notify,
  notifyOctets,
  notifyTarget,
  type Vacation,
  vacationOctets,
} from './compose.ts';
import { depositAt, fccTarget, flagSet, otherMessage } from './filing.ts';
import { ownMail } from './own-mail.ts';
import type { ScriptInput } from './types.ts';
import type { AccountFacts } from './world.ts';

/**
 * Why nobody is answered although the script would (RFC 3834 2, RFC 5230 4.6): the interpreter has asked what the message
 * tells; this is what only its delivery knows. Undefined when an answer may go out.
 */
export function whyNoReply(input: ScriptInput, accountId: number, to: string): string | undefined {
  const verdict = input.verdictOf(accountId);
  if (verdict !== undefined && verdict.action !== 'inbox') return 'the filter takes the message for unwanted';
  if (input.forged) return 'the sender of the envelope is not the one it claims to be';
  if (parsePath(to, { smtputf8: true }).kind !== 'mailbox') return `"${to}" is no address`;
  return undefined;
}

/** What stands in From: what the script wants where the account may write in that name, else the account itself. */
async function authorOf(
  deps: FlowDeps,
  { owner }: AccountFacts,
  wanted: string | undefined,
): Promise<string> {
  const own = formatAddress(owner.displayName, owner.address);
  if (wanted === undefined) return own;
  const named = /^(.*)<([^<>]*)>\s*$/s.exec(wanted);
  const address = (named?.[2] ?? wanted).trim();
  const path = parsePath(address, { smtputf8: true });
  if (path.kind !== 'mailbox') return own;
  const { localPart, domain } = path;
  const { delimiter } = deps.settings;
  const { accountId } = owner;
  if (!(await deps.store.read.run('directory.maySendAs', { accountId, localPart, domain, delimiter })))
    return own;
  return formatAddress((named?.[1] ?? '').trim().replace(/^"(.*)"$/s, '$1'), address);
}

/** The answer of somebody who is away (RFC 5230), to go out once in its period. */
export async function vacationReply(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  facts: AccountFacts,
  action: Vacation,
  by: string,
): Promise<ScriptedReply> {
  const { owner } = facts;
  const { accountId } = owner;
  const domain = destinationOf(owner.address);
  const about = await answering(deps, input, facts, action.from);
  const octets = vacationOctets(deps.clock.now(), about, action);
  const outgoing = await ownMail(deps, { trace: input.trace, accountId, domain, to: action.to, octets });
  return {
    accountId,
    memory: {
      accountId,
      key: memoryKey('vacation', action.handle, action.to.toLowerCase()),
      seconds: action.periodSeconds,
    },
    outgoing,
    copy: await copyOf(deps, input, planned, facts, action.fcc, octets),
    events: [
      actedEvent(deps, input, planned, `${by} answers ${action.to} that ${owner.address} is away`, {
        to: action.to,
        queueId: outgoing.enqueue.queueId,
      }),
    ],
  };
}

async function answering(
  deps: FlowDeps,
  { message, reversePath }: ScriptInput,
  facts: AccountFacts,
  wanted: string | undefined,
): Promise<Answering> {
  const from = await authorOf(deps, facts, wanted);
  return { header: message.header, reversePath, owner: facts.owner.address, from };
}

async function copyOf(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  facts: AccountFacts,
  fcc: Vacation['fcc'],
  octets: Buffer,
): Promise<ScriptedReply['copy']> {
  if (fcc === undefined) return undefined;
  const filed = await fccTarget(facts, fcc);
  const { name } = filed;
  const deposit = depositAt(planned.deposit, filed, flagSet(fcc.flags));
  const because = 'a copy of what was sent, as the script wants';
  return otherMessage(deps, octets, [{ ...planned, because, shown: name, deposit }], input.trace);
}

/** A notification by mail (RFC 5436). Undefined when the method is none that we know. */
export async function notification(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  facts: AccountFacts,
  action: Notify,
  by: string,
): Promise<ScriptedReply[] | undefined> {
  const target = notifyTarget(action);
  if (target === undefined) return undefined;
  const { owner } = facts;
  const { accountId } = owner;
  const domain = destinationOf(owner.address);
  const replies: ScriptedReply[] = [];
  const about = await answering(deps, input, facts, action.from);
  const octets = notifyOctets(deps.clock.now(), about, action, target);
  for (const to of target.recipients) {
    const outgoing = await ownMail(deps, { trace: input.trace, accountId, domain, to, octets });
    replies.push({
      accountId,
      memory: undefined,
      outgoing,
      copy: replies.length === 0 ? await copyOf(deps, input, planned, facts, action.fcc, octets) : undefined,
      events: [
        actedEvent(deps, input, planned, `${by} notifies ${to}`, { to, queueId: outgoing.enqueue.queueId }),
      ],
    });
  }
  return replies;
}

/** What a script did, other than filing: one sentence in the journal. */
export function actedEvent(
  deps: FlowDeps,
  { trace }: Pick<ScriptInput, 'trace'>,
  { address }: Pick<PlannedDeposit, 'address'>,
  what: string,
  more: { readonly [key: string]: string | number } = {},
): JournalEvent {
  const data = { account: address, what: what.slice(0, 500), ...more };
  return {
    trace,
    at: deps.clock.now(),
    kind: 'script.acted',
    data,
    terms: [terms.address(address)],
  };
}
