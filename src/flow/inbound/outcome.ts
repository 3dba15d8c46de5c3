import type { JournalEvent } from '../../data/journal/types.ts';
import type { Refusal } from '../../base/errors.ts';
import type { Place } from '../delivery/plan.ts';
import { claimingFields } from '../delivery/hidden.ts';
import { dropBody, type TakenMessage } from '../intake.ts';
import { replies } from '../replies.ts';
import type { Reason, Verdict } from '../spam/types.ts';
import type { Evidence } from './authenticate.ts';
import { covers } from './decisions.ts';
import { type ElsewhereCommit, joinedRanges } from './elsewhere.ts';
import { type Envelope, receivedFor } from './envelope.ts';
import type { Judgement } from './judge.ts';
import { accountAddresses, judgedEvent, judgedFields, newCaseNumber } from './judged.ts';

/** What is known of a message when it is decided where it goes. */
export interface Findings {
  readonly evidence: Evidence;
  readonly judgement: Judgement | undefined;
}

const DAY_MS = 24 * 3600 * 1000;
/** Characters of a reason kept with a refused message. */
const REASON_LENGTH = 300;

/** Refused when nobody wants it: SMTP has one answer for all, so while somebody does, the others find it in Junk. */
export function isRefused(
  { recipients, elsewhere }: Envelope,
  { accounts, site, settings }: Judgement,
): boolean {
  // The sender was told 250 elsewhere: without a vault to keep it in, Junk is all there is.
  if (elsewhere !== undefined && settings.vault.days === 0 && accounts.size > 0) return false;
  const forwarded = recipients.some(({ targets }) => targets.some(({ kind }) => kind === 'external'));
  if (forwarded && site.action !== 'refuse') return false;
  return (
    [...accounts.values()].every(({ action }) => action === 'refuse') && (forwarded || accounts.size > 0)
  );
}

/**
 * A domain that wants its forgeries gone, and DNS that did not say whether this is one: the sender comes again, or a
 * forger would only have to pick a name whose servers are slow. Throws 451.
 */
export function deferUnproven({ evidence, settings, ownProgram, forwarder, accounts }: Judgement): void {
  const { result, policy, domain } = evidence.dmarc;
  if (result !== 'temperror' || policy === undefined || policy === 'none') return;
  const welcome = [...accounts.values()].some(({ decidedBy }) => decidedBy?.name === 'ALLOWED');
  if (welcome || forwarder !== undefined) return;
  if (ownProgram || !settings.dmarc.enforce || covers(settings.dmarc.ignore, domain)) return;
  throw replies.unproven(domain);
}

/** The copy of one account: which mailbox, and our fields. */
export function placeOf(
  evidence: Evidence,
  judgement: Judgement | undefined,
  accountId: number,
  hostname: string,
): Place {
  const verdict = judgement?.accounts.get(accountId);
  const fields =
    evidence.state === 'unchecked' && verdict === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([judgedFields(evidence, verdict, hostname), milterFields(judgement)]);
  if (verdict === undefined || verdict.action === 'inbox') return { mailbox: { name: 'INBOX' }, fields };
  return { mailbox: { specialUse: '\\Junk' }, fields, because: becauseOf(verdict) };
}

/** Fields that milters wanted to add; theirs stand for them, not for us. */
function milterFields(judgement: Judgement | undefined): Buffer {
  const added = judgement?.partners.added ?? [];
  const usable = added.filter(({ name }) => !/^(?:x-postern-|x-spam|authentication-results$)/i.test(name));
  return Buffer.from(usable.map(({ name, value }) => `${name}: ${value}\r\n`).join(''), 'utf8');
}

function becauseOf({ decidedBy, reasons, probability }: Verdict): string {
  if (decidedBy !== undefined) return decidedBy.text;
  const first = reasons.find(({ score }) => score > 0);
  const strongest = first === undefined ? '' : `; above all: ${first.text}`;
  // Never quite: 100.0 % would be a promise.
  const percent = Math.min(probability * 100, 99.9).toFixed(1);
  return `the filter is ${percent} % sure that it is unwanted${strongest}`;
}

/** Keep a refused message for a while, with everything that speaks against it, and give the refusal. */
export async function keepRefused(
  envelope: Envelope,
  message: TakenMessage,
  judgement: Judgement,
): Promise<Refusal> {
  const { deps } = envelope;
  const { days } = judgement.settings.vault;
  const verdict = judgement.accounts.values().next().value ?? judgement.site;
  const { elsewhere } = envelope;
  const keeps = judgement.accounts.size > 0 || elsewhere !== undefined;
  const caseNumber = days > 0 && keeps ? newCaseNumber() : undefined;
  const refusal = refusalOf(verdict, caseNumber);
  const event = judgedEvent(envelope, judgement, caseNumber);
  const more = await elsewhere?.commit({ kind: 'set-aside', caseNumber });
  if (caseNumber === undefined) {
    if (more === undefined) deps.recorder.event(event);
    else await settleElsewhere(deps, more, [event]);
    await dropBody(deps.store.bodies, message.blob);
    return refusal;
  }
  await makeRoom(envelope, message.size, judgement.settings.vault.bytes);
  await deps.store.write.run('delivery.accept', {
    blob: message.blob,
    content: message.content,
    deposits: [],
    overQuota: 'junk',
    queue: [],
    events: [event, ...(more?.events ?? [])],
    vault: vaultEntry(envelope, message, judgement, verdict, caseNumber),
    ...(more !== undefined && { intake: more.intake }),
  });
  deps.recorder.committed([event, ...(more?.events ?? [])]);
  return refusal;
}

/** Nobody here gets it and nothing is kept: that is written down where it came from. */
async function settleElsewhere(
  deps: Envelope['deps'],
  { intake: part, notices, events }: ElsewhereCommit,
  first: readonly JournalEvent[],
): Promise<void> {
  const all = [...first, ...events];
  await deps.store.write.run('intake.settle', { part, notices, events: all });
  deps.recorder.committed(all);
}

/** Octets from which room is made at once; an hourly job sees to the smaller ones. */
const LARGE_BYTES = 256 * 1024;
const ROOM_BATCH = 100;

/** Large refused mail must not fill the disk within the hour: the oldest that is kept goes first. */
async function makeRoom({ deps }: Envelope, size: number, bytes: number): Promise<void> {
  if (size < LARGE_BYTES) return;
  const { store, clock } = deps;
  const maxBytes = Math.max(0, bytes - size);
  const { files } = await store.write.run('vault.purge', {
    before: clock.now(),
    maxBytes,
    limit: ROOM_BATCH,
  });
  for (const file of files) await store.bodies.remove(file).catch(() => undefined);
}

function short(reason: Reason): Reason {
  return { ...reason, text: reason.text.slice(0, REASON_LENGTH) };
}

function refusalOf(verdict: Verdict, caseNumber: string | undefined): Refusal {
  const { decidedBy } = verdict;
  return decidedBy === undefined ? replies.spam(caseNumber) : replies.policy(decidedBy.text, caseNumber);
}

function vaultEntry(
  envelope: Envelope,
  message: TakenMessage,
  judgement: Judgement,
  verdict: Verdict,
  caseNumber: string,
) {
  const { deps, session, reversePath, trace } = envelope;
  const { evidence, scanned, settings } = judgement;
  const { hostname } = deps.settings;
  return {
    caseNumber,
    trace,
    kind: 'refused' as const,
    reversePath,
    ip: session.remoteAddress,
    author: scanned?.author ?? evidence.author.address ?? '',
    subject: scanned?.subject ?? '',
    reason: becauseOf(verdict),
    verdict: JSON.stringify({ ...verdict, reasons: verdict.reasons.map(short) }),
    expiresAt: deps.clock.now() + settings.vault.days * DAY_MS,
    received: Buffer.concat([judgedFields(evidence, undefined, hostname), receivedFor(envelope)]),
    hidden: joinedRanges(
      claimingFields(message.structure, message.header, hostname, true),
      envelope.elsewhere?.hidden ?? [],
    ),
    recipients: [...accountAddresses(envelope)].map(([accountId, address]) => ({ accountId, address })),
  };
}
