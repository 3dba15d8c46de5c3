import { z } from 'zod';
import type { JournalData, JournalRow, JournalValue } from '../../../data/journal/types.ts';
import { filterSettingsSchema, type FilterSettings } from '../../../flow/spam/settings.ts';
import { cannotTell, type Lines, type Recorded, type Would, wouldBe } from '../../../flow/spam/what-if.ts';
import { type AdminContext, operation } from './operation.ts';
import { checkedSettings, type Stored } from './stored-settings.ts';

/** What a change of the filter's settings would have done to the mail of the last days. */

const DAY_MS = 86_400_000;
/** Judgements that are looked at, and in one read. */
const LOOKED = 50_000;
const PAGE = 1000;

const place = z.enum(['inbox', 'junk', 'refuse']);

const moved = z.object({
  at: z.number(),
  trace: z.string(),
  caseNumber: z.string().optional(),
  from: z.string().optional(),
  /** Whom it was for, where several recipients were judged each by their own mail and lists. */
  to: z.string().optional(),
  /** Of what the vault keeps; subjects of delivered mail are its readers' alone. */
  subject: z.string().optional(),
  was: place,
  would: place,
  /** Nats, as it would be. */
  score: z.number(),
  why: z.string(),
});

export const whatIf = operation({
  method: 'POST',
  path: '/filter/what-if',
  summary: 'Which messages of the last days a change of settings would have moved; nothing is changed',
  access: 'administrator',
  input: z.strictObject({
    /** What would be changed, as it stands in the settings. */
    settings: z.record(z.string(), z.json()),
    days: z.int().min(1).max(30).default(14),
    /** Messages listed. */
    limit: z.int().min(1).max(500).default(100),
  }),
  output: z.object({
    from: z.number(),
    to: z.number(),
    /** Verdicts: a message has one for each recipient it was judged for. */
    judged: z.number(),
    moved: z.array(moved),
    counts: z.array(z.object({ was: place, would: place, count: z.number() })),
    /** More were moved than are listed, or there was more than could be looked at. */
    more: z.boolean(),
    /** What could not be told, a sentence each. */
    limits: z.array(z.string()),
  }),
  async run(context, { settings: patch, days, limit }) {
    const { store, clock } = context;
    const json = await store.read.run('spam.settings', null);
    const own = json === undefined ? {} : (JSON.parse(json) as Stored);
    const before = filterSettingsSchema.parse(own);
    const wanted = checkedSettings(filterSettingsSchema, patched(own, patch), 'postern filter show');
    const after = filterSettingsSchema.parse(wanted);
    const to = clock.now();
    const span = { from: to - days * DAY_MS, to };
    const lines = await linesOf(context, before, after);
    const limits = cannotTell(before, after);
    if (before.good_per_junked !== after.good_per_junked && lines.after === undefined)
      limits.push('The threshold could not be reckoned anew: the filter is not at work.');
    const result = await look(context, span, { before, after, lines, limit });
    return { ...span, ...result, limits };
  },
});

/** One in the other, group by group; null brings a default back. */
function patched(from: Stored, patch: Readonly<Record<string, unknown>>): Stored {
  const result: Stored = { ...from };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (isGroup(value)) result[name] = patched(isGroup(result[name]) ? result[name] : {}, value);
    else result[name] = value;
  }
  return result;
}

function isGroup(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function linesOf(
  { filter }: AdminContext,
  before: FilterSettings,
  after: FilterSettings,
): Promise<Lines> {
  if (before.good_per_junked === after.good_per_junked) return { before: undefined, after: undefined };
  return {
    before: await filter?.threshold?.(before.good_per_junked),
    after: await filter?.threshold?.(after.good_per_junked),
  };
}

interface Change {
  readonly before: FilterSettings;
  readonly after: FilterSettings;
  readonly lines: Lines;
  readonly limit: number;
}

type Place = z.output<typeof place>;

async function look(
  { store }: AdminContext,
  { from, to }: { readonly from: number; readonly to: number },
  { before, after, lines, limit }: Change,
) {
  const found: z.input<typeof moved>[] = [];
  const counts = new Map<string, number>();
  let judged = 0;
  let all = 0;
  let place: { at: number; id: number } | undefined;
  do {
    const { rows, next } = await store.read.run('journal.search', {
      kind: 'message.judged',
      from,
      to,
      limit: PAGE,
      ...(place !== undefined && { after: place }),
    });
    for (const row of rows) {
      for (const recorded of recordedOf(row)) {
        judged++;
        const would = wouldBe(recorded, before, after, lines);
        if (would.action === recorded.action) continue;
        all++;
        const key = `${recorded.action} ${would.action}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        if (found.length < limit) found.push(await told({ store }, row, recorded, would));
      }
    }
    place = next;
  } while (place !== undefined && judged < LOOKED);
  return {
    judged,
    moved: found,
    more: all > found.length || place !== undefined,
    counts: [...counts].map(([key, count]) => {
      const [was, would] = key.split(' ') as [Place, Place];
      return { was, would, count };
    }),
  };
}

interface ForOne extends Recorded {
  /** Whom the verdict was for; undefined: all recipients. */
  readonly to: string | undefined;
}

/**
 * The verdicts of a judgement: one, or that of each account where it was judged for several. None for what was put off
 * and judged once more when it came again.
 */
function recordedOf({ data }: JournalRow): ForOne[] {
  if (data['waits'] === true) return [];
  const whole = verdictOf(data, reasonsOf(data), undefined);
  const each = Array.isArray(data['each']) ? (data['each'] as readonly JournalValue[]) : [];
  const own = each.flatMap((one) => {
    const values = typeof one === 'object' && one !== null && !Array.isArray(one) ? (one as JournalData) : {};
    const { to } = values;
    return verdictOf(values, reasonsOf(data), typeof to === 'string' && to !== '' ? to : undefined) ?? [];
  });
  if (own.length > 0) return own;
  if (whole === undefined) return [];
  const texts = accountsOf(data, whole);
  return texts.length > 0 ? texts : [whole];
}

function verdictOf(
  { action, probability, threshold, decidedBy, by }: JournalData,
  reasons: readonly string[],
  to: string | undefined,
): ForOne | undefined {
  if (typeof probability !== 'number' || typeof threshold !== 'number') return undefined;
  if (action !== 'inbox' && action !== 'junk' && action !== 'refuse') return undefined;
  return {
    to,
    action,
    probability,
    threshold,
    reasons,
    decidedBy: typeof decidedBy === 'string' ? decidedBy : undefined,
    by: typeof by === 'string' ? by : undefined,
  };
}

function reasonsOf({ reasons }: JournalData): string[] {
  return Array.isArray(reasons) ? reasons.filter((each) => typeof each === 'string') : [];
}

/** "For ann@example.org: junk, 99.10 %": how verdicts of several accounts were written before they were kept as values. */
const ACCOUNT_TEXT = /^For (\S{1,320}): (inbox|junk|refuse), (\d{1,3}\.\d{2}) %$/;

function accountsOf({ accounts }: JournalData, whole: ForOne): ForOne[] {
  if (!Array.isArray(accounts)) return [];
  return accounts.flatMap((text) => {
    const [, to, action, percent] = (typeof text === 'string' ? ACCOUNT_TEXT.exec(text) : null) ?? [];
    if (to === undefined || action === undefined) return [];
    const own = { ...whole, to, action: action as Place, probability: Number(percent) / 100 };
    // What decided for all may have decided for this one; where the outcomes differ it has not.
    return own.action === whole.action ? own : { ...own, decidedBy: undefined, by: undefined };
  });
}

async function told(
  { store }: Pick<AdminContext, 'store'>,
  { at, trace, data }: JournalRow,
  { to, action: was }: ForOne,
  { action: would, score, why }: Would,
): Promise<z.input<typeof moved>> {
  const caseNumber = typeof data['case'] === 'string' ? data['case'] : undefined;
  // Subjects are not in the journal; of what was refused the vault may still have it.
  const kept =
    caseNumber === undefined
      ? undefined
      : await store.read.run('vault.get', { caseNumber, scope: { all: true } });
  const { author } = data;
  return {
    at,
    trace,
    ...(caseNumber !== undefined && { caseNumber }),
    ...(typeof author === 'string' && { from: author }),
    ...(to !== undefined && { to }),
    ...(kept !== undefined && { subject: kept.subject }),
    was,
    would,
    score: Math.round(score * 100) / 100,
    why,
  };
}
