import { Refusal, type SmtpReply } from '../base/errors.ts';
import { type JournalData, type JournalEvent, type JournalKind, terms } from '../data/journal/types.ts';
import type { DepositResult } from '../data/mailstore/types.ts';
import type { Enqueue } from '../data/queue/types.ts';
import type { WriteArgs } from '../data/store.ts';
import type { Plan, PlannedDeposit } from './delivery/plan.ts';
import type { FlowDeps } from './deps.ts';
import type { RefusedAtServer, SessionFacts } from './service.ts';
import { noteReports } from './submission-reports.ts';

/** One event for each deposit of a plan, in their order. */
export function depositEvents(plan: Plan, trace: string, at: number): JournalEvent[] {
  return plan.deposits.map(({ address, recipients, via, deposit, because, shown }) => ({
    trace,
    at,
    kind: 'message.deposited',
    data: {
      account: address,
      recipients: [...recipients],
      via: [...via],
      mailbox: shown ?? mailboxName(deposit.mailbox),
      ...(because !== undefined && { reason: because }),
    },
    terms: [terms.address(address)],
  }));
}

function mailboxName(mailbox: PlannedDeposit['deposit']['mailbox']): string {
  if ('name' in mailbox) return mailbox.name;
  return 'specialUse' in mailbox ? mailbox.specialUse.slice(1) : `number ${mailbox.id}`;
}

export function queuedEvent(queued: Enqueue, at: number): JournalEvent {
  const to = queued.recipients.map(({ address }) => address);
  const { trace, queueId, reversePath, holdReason } = queued;
  const data = { queueId, from: reversePath, to, held: holdReason ?? null };
  return {
    trace,
    at,
    kind: 'message.queued',
    data,
    terms: [terms.queueId(queueId), ...to.map(terms.address)],
  };
}

/**
 * Log and count what a `delivery.accept` has committed. A deposit that did not come about was not recorded; when there
 * is none and nothing was queued, nothing was.
 */
export function acceptCommitted(
  deps: FlowDeps,
  accepted: Pick<
    WriteArgs<'delivery.accept'>,
    'queue' | 'events' | 'depositEvents' | 'settle' | 'scripted' | 'content' | 'deposits'
  >,
  deposits: readonly DepositResult[],
  reply?: SmtpReply,
  /** Which replies of scripts went out. */
  replied: readonly boolean[] = [],
): void {
  const { queue, events, depositEvents = [], settle, scripted } = accepted;
  noteReports(deps, accepted.content, accepted.deposits, deposits);
  const stored = depositEvents.filter((_, i) => deposits[i]?.status === 'stored');
  if (queue.length === 0 && stored.length === 0 && scripted?.taken !== true) return;
  const sent = (scripted?.replies ?? []).flatMap((each, i) => (replied[i] === true ? each.events : []));
  const others = (scripted?.others ?? []).flatMap((each) => each.depositEvents);
  deps.recorder.committed(
    [...events, ...stored, ...others, ...sent, ...(settle?.events ?? [])],
    reply && replyText(reply),
  );
}

/** What the journal keeps of a session: who it was and how it spoke. */
export function sessionData(session: SessionFacts): JournalData {
  return {
    session: session.id,
    protocol: session.protocol,
    ip: session.remoteAddress,
    port: session.localPort,
    helo: session.helo.slice(0, 255),
    tls: session.tls === undefined ? null : `${session.tls.version} ${session.tls.cipher}`,
    login: session.login?.address ?? null,
    ...(session.via !== undefined && { via: session.via }),
  };
}

/** Terms for the network and the addresses of an envelope. */
export function envelopeTerms(session: SessionFacts | undefined, addresses: readonly string[]): string[] {
  const found = addresses.filter((address) => address !== '').map(terms.address);
  if (session !== undefined && session.remoteAddress !== '') found.push(terms.network(session.remoteAddress));
  return found;
}

/** A refusal by the flow: one background event that says what was refused, with which words. */
export function recordRefusal(
  deps: FlowDeps,
  session: SessionFacts,
  kind: JournalKind,
  error: unknown,
  data: { readonly [key: string]: string | number },
  addresses: readonly string[],
  /** Of the message, where it has events of its own. */
  trace = session.id,
): void {
  if (!(error instanceof Refusal)) return;
  deps.recorder.event({
    trace,
    at: deps.clock.now(),
    kind,
    data: { ...sessionData(session), ...data, reply: replyText(error.smtp), reason: error.message },
    terms: envelopeTerms(session, addresses),
  });
}

/** A refusal by the protocol server itself: framing, order, limits, logins. */
export function recordServerRefusal(deps: FlowDeps, session: SessionFacts, what: RefusedAtServer): void {
  const kind = what.stage === 'connect' ? 'connection.refused' : 'session.refused';
  deps.recorder.event({
    trace: session.id,
    at: deps.clock.now(),
    kind,
    data: {
      ...sessionData(session),
      stage: what.stage,
      reply: replyText(what.reply),
      reason: what.reason,
      subject: what.subject ?? null,
      ...(what.from !== undefined && { from: what.from }),
      ...(what.to !== undefined && { to: [...what.to] }),
    },
    terms: envelopeTerms(session, [
      ...(what.subject?.includes('@') === true ? [what.subject] : []),
      ...(what.from === undefined ? [] : [what.from]),
      ...(what.to ?? []),
    ]),
  });
}

export function replyText(reply: SmtpReply | undefined): string {
  if (reply === undefined) return '';
  return `${reply.code} ${reply.enhanced === undefined ? '' : `${reply.enhanced} `}${reply.lines.join(' / ')}`;
}
