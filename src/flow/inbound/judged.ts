import { randomToken } from '../../base/ids.ts';
import { type JournalData, type JournalEvent, terms } from '../../data/journal/types.ts';
import type { Verdict } from '../spam/types.ts';
import { type Evidence, evidenceField } from './authenticate.ts';
import type { Envelope } from './envelope.ts';
import type { Judgement } from './judge.ts';

/** Characters of a case number, without the hyphen: told over the telephone, found by `postern trace`. */
const CASE_HALF = 5;
/** Accounts of one message whose verdicts are kept as values. */
const EACH_MAX = 50;
/** Reasons named in a header field. */
const NAMED = 8;

export function newCaseNumber(): string {
  return `${randomToken(CASE_HALF)}-${randomToken(CASE_HALF)}`.toUpperCase();
}

/** Our fields for the copy of one account: what was proven of its sender, and what the filter makes of it. */
export function judgedFields(evidence: Evidence, verdict: Verdict | undefined, hostname: string): Buffer {
  const results = evidenceField(evidence, hostname);
  return verdict === undefined ? results : Buffer.concat([results, Buffer.from(verdictFields(verdict))]);
}

/**
 * X-Spam-Flag and X-Spam-Status as mail programs and filters of other makers know them; X-Postern-Verdict says the same
 * in full, for filters here: `inbox|junk; probability=0.0123; by=RULE; reasons=A:1.2,B:-0.5`.
 */
function verdictFields(verdict: Verdict): string {
  const { probability, threshold, score, reasons, decidedBy } = verdict;
  const junk = verdict.action !== 'inbox';
  const named = reasons.slice(0, NAMED).map(({ name, score: own }) => `${token(name)}:${own.toFixed(1)}`);
  const list = named.join(',\r\n\t');
  const by = decidedBy === undefined ? '' : ` by=${token(decidedBy.name)};`;
  return (
    `X-Postern-Verdict: ${junk ? 'junk' : 'inbox'}; probability=${probability.toFixed(5)};${by}\r\n\treasons=${list}\r\n` +
    `X-Spam-Status: ${junk ? 'Yes' : 'No'}, score=${score.toFixed(1)} required=${Math.log(threshold / (1 - threshold)).toFixed(1)}\r\n` +
    (junk ? 'X-Spam-Flag: YES\r\n' : '')
  );
}

/** Names of rules are ours, but those of partners and lists are not. */
function token(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 60);
}

/** Each check in a few words for a person who has never met them. */
export function checkTexts(evidence: Evidence): string[] {
  if (evidence.state === 'unchecked') return [];
  const { spf, dkim, dmarc, arc, iprev } = evidence;
  const texts = [
    `Sender's server (SPF): ${spf.result}; ${spf.reason}`,
    ...dkim
      .slice(0, 5)
      .map(
        ({ status, domain, reason }) =>
          `Signature (DKIM)${domain === undefined ? '' : ` of ${domain}`}: ${status}; ${reason}`,
      ),
    `Author (DMARC): ${dmarc.result}; ${dmarc.reason}`,
  ];
  if (arc.status !== 'none') texts.push(`Seals of forwarders (ARC): ${arc.status}; ${arc.reason}`);
  if (iprev.ip !== '') texts.push(`Name of the host: ${iprev.reason}`);
  return texts.map((text) => text.slice(0, 400));
}

/** What the journal keeps of the judgement. */
export function judgedEvent(
  envelope: Envelope,
  judgement: Judgement,
  caseNumber: string | undefined,
): JournalEvent {
  const { accounts, evidence, forwarder, scanned } = judgement;
  const addresses = accountAddresses(envelope);
  const verdicts = [...accounts];
  const [first] = verdicts;
  const agree = verdicts.every(([, { action }]) => action === first?.[1].action);
  const shown = first !== undefined && agree ? first[1] : judgement.site;
  const data: JournalData = {
    checks: [
      ...checkTexts(evidence),
      ...(forwarder === undefined
        ? []
        : [`${forwarder.domain}, a forwarder this site knows, saw ${forwarder.said}`]),
      ...(scanned === undefined ? ['The content could not be judged'] : []),
    ],
    action: shown.action,
    probability: round(shown.probability),
    threshold: round(shown.threshold),
    reasons: shown.reasons.map(({ name, score, text }) =>
      `${signed(score)}  ${text} (${name})`.slice(0, 300),
    ),
    decidedBy: shown.decidedBy?.text ?? null,
    ...(shown.decidedBy !== undefined && { by: shown.decidedBy.name }),
    nearest: shown.nearest ?? null,
    author: evidence.author.address ?? null,
    accounts:
      verdicts.length < 2
        ? []
        : verdicts.map(([id, verdict]) => accountText(addresses.get(id) ?? '', verdict)),
    ...(verdicts.length > 1 && {
      each: verdicts.slice(0, EACH_MAX).map(([id, verdict]) => ownVerdict(addresses.get(id) ?? '', verdict)),
    }),
    ...(caseNumber !== undefined && { case: caseNumber }),
    // Nobody is there to be refused: it was taken elsewhere.
    ...(envelope.elsewhere !== undefined && shown.action === 'refuse' && { aside: true }),
  };
  return {
    trace: envelope.trace,
    at: envelope.deps.clock.now(),
    kind: 'message.judged',
    data,
    terms: [
      ...(evidence.author.address === undefined ? [] : [terms.address(evidence.author.address)]),
      ...(caseNumber === undefined ? [] : [terms.caseNumber(caseNumber)]),
    ],
  };
}

/** Of a message that has to come again before anything is decided. */
export function waitingEvent(envelope: Envelope, judgement: Judgement): JournalEvent {
  const event = judgedEvent(envelope, judgement, undefined);
  return { ...event, data: { ...event.data, waits: true } };
}

/** The first address that leads to each account. */
export function accountAddresses({ recipients }: Pick<Envelope, 'recipients'>): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { address, targets } of recipients) {
    for (const target of targets)
      if (target.kind === 'account' && !found.has(target.accountId)) found.set(target.accountId, address);
  }
  return found;
}

function accountText(address: string, { action, probability }: Verdict): string {
  return `For ${address}: ${action}, ${(probability * 100).toFixed(2)} %`;
}

/** What the filter made of the message for one account, to be reckoned with later (what-if). */
function ownVerdict(to: string, { action, probability, threshold, decidedBy }: Verdict): JournalData {
  return {
    to,
    action,
    probability: round(probability),
    threshold: round(threshold),
    decidedBy: decidedBy?.text ?? null,
    ...(decidedBy !== undefined && { by: decidedBy.name }),
  };
}

function signed(score: number): string {
  return `${score < 0 ? '-' : '+'}${Math.abs(score).toFixed(1)}`;
}

function round(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
