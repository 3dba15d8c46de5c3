import type { MaskedAddress } from '../../data/account/masked.ts';
import { factsOf, type TraceRow } from './facts.ts';
import { ownDeposit } from './own.ts';
import { type Arg, type Said, sayWhy } from './say.ts';
import type { SenderFacts } from './evidence.ts';

/** "Why is this here?", for somebody who never met a mail server. */

export interface Filing {
  readonly script?: string;
  readonly line?: number;
  readonly words: Said;
}

export interface VerdictWords {
  readonly score: number;
  readonly spam: boolean;
  readonly action: string;
  readonly words: Said;
}

export interface ReasonWords {
  readonly name: string;
  readonly score: number;
  readonly words: Said;
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
export function why(input: WhyInput): Said[] {
  const { rows, sent, verdict, deliveredTo } = input;
  const received = verdict !== undefined || deliveredTo.length > 0 || rows.length > 0;
  if (sent) return [...placeWords(input), sayWhy('sent'), ...fateWords(rows)];
  if (!received) return [...placeWords(input), unknownWords(input)];
  return [
    ...placeWords(input),
    // Without a script it is the filter's verdict once more.
    ...(input.filing === undefined || (input.filing.script === undefined && verdict !== undefined)
      ? []
      : [input.filing.words]),
    ...maskedWords(input),
    ...wayWords(input),
    input.sender.words,
    ...(verdict === undefined || input.filing?.script === undefined ? [] : [verdict.words]),
    ...input.reasons
      .filter(({ score }) => (verdict?.spam === true ? score > 0 : score < 0))
      // What proves the sender was said in one sentence.
      .filter(({ name }) => !/^(?:DMARC|SPF|DKIM|ARC)_/.test(name) || verdict?.spam === true)
      .map(({ words }) => words)
      .filter(({ code }) => code === '' || code !== toldCode(verdict))
      .slice(0, 3),
  ];
}

/** What the verdict names already. */
function toldCode(verdict: VerdictWords | undefined): string | undefined {
  const reason = verdict?.words.args?.['reason'];
  return typeof reason === 'object' && 'code' in reason ? reason.code : undefined;
}

/** The mailbox where it was put first, as the history tells it. */
function firstMailbox({ rows, address }: WhyInput): string | undefined {
  const row = ownDeposit(rows, address);
  return row === undefined ? undefined : factsOf(row).text('mailbox');
}

function placeWords(input: WhyInput): Said[] {
  const { places, rows, verdict, filing, snoozedUntil, now } = input;
  if (snoozedUntil !== undefined && snoozedUntil > now) return [sayWhy('snoozed')];
  const [place] = places;
  if (place === undefined) return [sayWhy('deleted')];
  const first = firstMailbox(input) ?? (verdict === undefined ? undefined : verdict.spam ? 'Junk' : 'INBOX');
  const woken = rows.findLast(({ kind }) => kind === 'message.woken');
  if (woken !== undefined && factsOf(woken).text('mailbox') === place.name) return [sayWhy('woken')];
  const same = first === place.name || (first === 'Junk' && place.specialUse === '\\Junk');
  if (first !== undefined && !same && !input.sent)
    return [sayWhy('moved', { from: nameOf(first), to: nameOf(place.name) })];
  if (filing?.script !== undefined || verdict === undefined) return [];
  return [verdict.words];
}

function nameOf(mailbox: string): Arg {
  return mailbox === 'INBOX' ? sayWhy('inbox') : sayWhy('mailbox', { name: mailbox });
}

function maskedWords({ masked }: WhyInput): Said[] {
  return masked.map(({ address, label, site: host, state }) => {
    const site = label === '' ? host : label;
    if (site === '') return sayWhy(state === 'off' ? 'maskedOff' : 'masked', { address });
    return sayWhy(state === 'off' ? 'maskedForOff' : 'maskedFor', { address, site });
  });
}

/** By which of its addresses it came, when that is not the account's own. */
function wayWords({ address, deliveredTo, masked, rows }: WhyInput): Said[] {
  const own = new Set([address.toLowerCase(), ...masked.map((each) => each.address.toLowerCase())]);
  const others = deliveredTo.filter((each) => !own.has(each.toLowerCase()));
  const deposit = ownDeposit(rows, address);
  const via = deposit === undefined ? [] : factsOf(deposit).list('via');
  const catchAll = via.find((each) => each.startsWith('@'));
  const [other] = others;
  if (catchAll !== undefined)
    return [
      other === undefined
        ? sayWhy('catchAllUnnamed', { catchAll })
        : sayWhy('catchAll', { address: other, catchAll }),
    ];
  return other === undefined ? [] : [sayWhy('leadsHere', { address: other })];
}

const FATES = {
  'delivery.delivered': 'delivered',
  'delivery.failed': 'failed',
  'delivery.bounced': 'cameBack',
} as const;

/** What became of it, as the history of a sent message tells. */
function fateWords(rows: readonly TraceRow[]): Said[] {
  const words = new Map<string, Said>();
  for (const row of rows) {
    if (!Object.hasOwn(FATES, row.kind)) continue;
    const to = factsOf(row).list('to').slice(0, 3).join(', ');
    const said = sayWhy(FATES[row.kind as keyof typeof FATES], { to });
    words.set(said.text, said);
  }
  return [...words.values()].slice(-5);
}

function unknownWords({ keptMs, receivedAt, now, places }: WhyInput): Said {
  const [place] = places;
  if (place?.specialUse === '\\Drafts') return sayWhy('draft');
  const sent = place?.specialUse === '\\Sent';
  if (keptMs === undefined || now - receivedAt <= keptMs) return sayWhy(sent ? 'sentCopy' : 'putHere');
  return sayWhy(sent ? 'sentCopyOld' : 'putHereOld', { days: Math.round(keptMs / DAY_MS) });
}
