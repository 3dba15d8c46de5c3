import type { MaskedAddress } from '../../data/account/masked.ts';
import { factsOf, type TraceRow } from './facts.ts';
import { ownDeposit } from './own.ts';
import type { SenderFacts } from './evidence.ts';

/** "Why is this here?", for somebody who never met a mail server. */

export interface Filing {
  readonly script?: string;
  readonly line?: number;
  readonly sentence: string;
}

export interface VerdictWords {
  readonly score: number;
  readonly spam: boolean;
  readonly action: string;
  readonly sentence: string;
}

export interface ReasonWords {
  readonly name: string;
  readonly score: number;
  readonly sentence: string;
}

export interface WhyInput {
  readonly address: string;
  /** Events that are the reader's own (`ownRows`). */
  readonly rows: readonly TraceRow[];
  /** The account sent it itself. */
  readonly sent: boolean;
  readonly verdict: VerdictWords | undefined;
  readonly reasons: readonly ReasonWords[];
  readonly filing: Filing | undefined;
  readonly sender: SenderFacts;
  readonly deliveredTo: readonly string[];
  /** Masked addresses of the account that it came to. */
  readonly masked: readonly MaskedAddress[];
  /** Where it lies now; undefined: nowhere, it was deleted. */
  readonly places: readonly { readonly name: string; readonly specialUse: string | undefined }[];
  readonly snoozedUntil: number | undefined;
  /** Milliseconds that histories are kept, where that is known. */
  readonly keptMs: number | undefined;
  readonly receivedAt: number;
  readonly now: number;
}

const DAY_MS = 24 * 3600 * 1000;

/** Sentences, the most telling first. */
export function why(input: WhyInput): string[] {
  const { rows, sent, verdict, deliveredTo } = input;
  const received = verdict !== undefined || deliveredTo.length > 0 || rows.length > 0;
  if (sent)
    return [
      ...placeWords(input),
      'You sent it yourself, or a program that signed in as you did.',
      ...fateWords(rows),
    ];
  if (!received) return [...placeWords(input), ...unknownWords(input)];
  return [
    ...placeWords(input),
    ...(input.filing === undefined ? [] : [input.filing.sentence]),
    ...maskedWords(input),
    ...wayWords(input),
    input.sender.sentence,
    ...(verdict === undefined || input.filing?.script === undefined ? [] : [verdict.sentence]),
    ...input.reasons
      .filter(({ score }) => (verdict?.spam === true ? score > 0 : score < 0))
      // What proves the sender was said in one sentence.
      .filter(({ name }) => !/^(?:DMARC|SPF|DKIM|ARC)_/.test(name) || verdict?.spam === true)
      .slice(0, 3)
      .map(({ sentence }) => sentence),
  ];
}

/** The mailbox where it was put first, as the history tells it. */
function firstMailbox({ rows, address }: WhyInput): string | undefined {
  const row = ownDeposit(rows, address);
  return row === undefined ? undefined : factsOf(row).text('mailbox');
}

function placeWords(input: WhyInput): string[] {
  const { places, rows, verdict, filing, snoozedUntil, now } = input;
  if (snoozedUntil !== undefined && snoozedUntil > now)
    return ['You put it away: it comes back at the time that you have chosen.'];
  const [place] = places;
  if (place === undefined) return ['You deleted it; it can still be brought back.'];
  const first = firstMailbox(input) ?? (verdict === undefined ? undefined : verdict.spam ? 'Junk' : 'INBOX');
  const woken = rows.findLast(({ kind }) => kind === 'message.woken');
  if (woken !== undefined && factsOf(woken).text('mailbox') === place.name)
    return ['You had put it away until a time that has come.'];
  const same = first === place.name || (first === 'Junk' && place.specialUse === '\\Junk');
  if (first !== undefined && !same && !input.sent)
    return [
      `It came into ${nameOf(first)}; you, or one of your programs, moved it to ${nameOf(place.name)}.`,
    ];
  if (filing?.script !== undefined || verdict === undefined) return [];
  return [verdict.sentence];
}

function nameOf(mailbox: string): string {
  return mailbox === 'INBOX' ? 'the inbox' : `"${mailbox}"`;
}

function maskedWords({ masked }: WhyInput): string[] {
  return masked.map(({ address, label, site, state }) => {
    const made = label === '' ? site : label;
    const off = state === 'off' ? ' It is switched off by now.' : '';
    return `It came to your masked address ${address}${made === '' ? '' : `, which you made for ${made}`}.${off}`;
  });
}

/** By which of its addresses it came, when that is not the account's own. */
function wayWords({ address, deliveredTo, masked, rows }: WhyInput): string[] {
  const own = new Set([address.toLowerCase(), ...masked.map((each) => each.address.toLowerCase())]);
  const others = deliveredTo.filter((each) => !own.has(each.toLowerCase()));
  const deposit = ownDeposit(rows, address);
  const via = deposit === undefined ? [] : factsOf(deposit).list('via');
  const catchAll = via.find((each) => each.startsWith('@'));
  if (catchAll !== undefined)
    return [
      `It was for ${others[0] ?? 'an address'} which nobody has; you get what comes to ${catchAll} otherwise.`,
    ];
  return others.slice(0, 1).map((each) => `It was sent to ${each}, and that address leads to you.`);
}

/** What became of it, as the history of a sent message tells. */
function fateWords(rows: readonly TraceRow[]): string[] {
  const words: string[] = [];
  for (const row of rows) {
    const facts = factsOf(row);
    const to = facts.list('to').slice(0, 3).join(', ');
    if (row.kind === 'delivery.delivered') words.push(`It was delivered to ${to}.`);
    if (row.kind === 'delivery.failed') words.push(`It could not be delivered to ${to}.`);
    if (row.kind === 'delivery.bounced') words.push(`It came back from ${to}.`);
  }
  return [...new Set(words)].slice(-5);
}

function unknownWords({ keptMs, receivedAt, now, places }: WhyInput): string[] {
  const days = keptMs === undefined ? undefined : Math.round(keptMs / DAY_MS);
  const [place] = places;
  const draft = place?.specialUse === '\\Drafts';
  const sent = place?.specialUse === '\\Sent';
  if (draft) return ['It is a draft: you, or one of your programs, saved it here.'];
  const by = sent
    ? 'It is a copy that a program of yours put here when it sent the message'
    : 'It did not come by mail: a program of yours put it here, or it was moved in from another server';
  const old =
    keptMs !== undefined && now - receivedAt > keptMs
      ? `, or it is older than the ${days} days that histories are kept`
      : '';
  return [`${by}${old}.`];
}
