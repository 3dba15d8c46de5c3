import type { SieveSettings } from '../sieve/settings.ts';
import { generate } from '../sieve/generate.ts';
import type { StoredVerdict } from './evidence.ts';
import { factsOf, type TraceRow } from './facts.ts';
import { ownDeposit } from './own.ts';
import { ruleNamed, type Said, sayWhy, toldText } from './say.ts';
import type { Filing, ReasonWords, VerdictWords } from './why.ts';

/** What the filter made of a message, from what stands before it, in the words of its history where that is kept. */

const RULE_LINE = /^([+-]\d{1,4}\.\d)\s+(.*) \(([^()]{1,100})\)$/s;

function judgedRow(rows: readonly TraceRow[]): TraceRow | undefined {
  return rows.findLast(({ kind, data }) => kind === 'message.judged' && data['waits'] !== true);
}

/** Rules by their names, for those whose words are no longer kept. */
function named(name: string): Said {
  return ruleNamed(name, sayWhy('theRule', { name }).text);
}

export function reasonsOf(rows: readonly TraceRow[], stored: StoredVerdict | undefined): ReasonWords[] {
  const row = judgedRow(rows);
  const told = (row === undefined ? [] : factsOf(row).list('reasons')).flatMap((line): ReasonWords[] => {
    const [, score, text, name] = RULE_LINE.exec(line) ?? [];
    if (score === undefined || text === undefined || name === undefined) return [];
    return [{ name, score: Number(score), words: sentence(toldText(text)) }];
  });
  if (told.length > 0) return told;
  return (stored?.reasons ?? []).map(({ name, score }) => ({ name, score, words: sentence(named(name)) }));
}

export function verdictOf(
  rows: readonly TraceRow[],
  stored: StoredVerdict | undefined,
  reasons: readonly ReasonWords[],
): VerdictWords | undefined {
  const row = judgedRow(rows);
  const facts = row && factsOf(row);
  const action = stored?.action ?? facts?.text('action') ?? '';
  if (action === '') return undefined;
  const probability = stored?.probability ?? facts?.number('probability') ?? 0;
  const spam = action !== 'inbox';
  const by = facts?.text('decidedBy') ?? '';
  const decided =
    by !== '' ? toldText(by) : stored?.decidedBy === undefined ? undefined : named(stored.decidedBy);
  const nats = Math.min(Math.max(probability, 1e-6), 1 - 1e-6);
  const score = Math.round(Math.log(nats / (1 - nats)) * 10) / 10;
  return { score, spam, action, words: verdictWords(spam, decided, reasons) };
}

function verdictWords(spam: boolean, decided: Said | undefined, reasons: readonly ReasonWords[]): Said {
  if (decided !== undefined) return sayWhy(spam ? 'junkBecause' : 'inboxBecause', { reason: decided });
  if (!spam) return sayWhy('inboxNothing');
  const worst = reasons.find(({ score }) => score > 0);
  if (worst === undefined) return sayWhy('junkUnwanted');
  return sayWhy('junkAbove', { reason: { ...worst.words, text: lower(worst.words.text) } });
}

function sentence(said: Said): Said {
  const whole = `${said.text.slice(0, 1).toUpperCase()}${said.text.slice(1)}`;
  return { ...said, text: /[.!?]$/.test(whole) ? whole : `${whole}.` };
}

function lower(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

/** "filed into Lists by line 12 of script main" (flow/sieve/filing.ts). */
const FILED = /(?:line (\d{1,6})|the end) of (.{1,300})$/;

/** Which script put it where it came to lie first, and by which line. */
export function filingOf(
  rows: readonly TraceRow[],
  address: string,
  /** The settings behind the generated script, when they have not changed since. */
  settings: SieveSettings | undefined,
): Filing | undefined {
  const row = ownDeposit(rows, address);
  if (row === undefined) return undefined;
  const facts = factsOf(row);
  const reason = facts.text('reason');
  const [, line, by] = /filed into|files it into|refuses it/.test(reason) ? (FILED.exec(reason) ?? []) : [];
  if (by === undefined) return reason === '' ? undefined : { words: sentence(toldText(reason)) };
  const number = Number(line ?? 0);
  const rule = by.includes('settings') && settings !== undefined ? ruleAt(settings, number) : undefined;
  const mailbox = facts.text('mailbox');
  const script = by.split(/[:;]/, 1)[0]?.replace(/^script /, '') ?? by;
  const words =
    rule !== undefined
      ? sayWhy('ruleFiled', { rule, mailbox })
      : number === 0
        ? sayWhy('endFiled', { script: by, mailbox })
        : sayWhy('lineFiled', { line: String(number), script: by, mailbox });
  return { script, ...(number > 0 && { line: number }), words };
}

/** The rule whose lines hold this one. */
function ruleAt(settings: SieveSettings, line: number): string | undefined {
  const lines = generate(settings)?.split('\r\n').slice(0, line) ?? [];
  const comment = lines.findLast((each) => each.startsWith('# '));
  return comment?.startsWith('# Rule: ') === true ? comment.slice('# Rule: '.length) : undefined;
}
