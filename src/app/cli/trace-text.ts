import type { JournalData } from '../../data/journal/types.ts';
import type { TraceRow } from '../../servers/http/admin/schemas.ts';
import { plain, WIDTH, wrap } from './plain-text.ts';
import { spanText, timeText } from './quantities.ts';
import { type Facts, factsOf, givenUpHere } from '../../flow/explain/facts.ts';
import { type Row, type StepContext, tell } from '../../flow/explain/steps.ts';
import type { Said } from '../../base/words.ts';

export interface TraceTextOptions {
  /** IANA name; the machine's own when absent. */
  readonly timeZone?: string;
  readonly width?: number;
}

const INDENT = ' '.repeat(4);

/**
 * The events of one trace, in order, as text for a person who never met SMTP: what happened when, why, and the nearest
 * remedy. Whatever strangers put into the events, no control character and no terminal escape comes out.
 */
export function traceText(rows: readonly TraceRow[], options: TraceTextOptions = {}): string {
  const { timeZone, width = WIDTH } = options;
  const events = rows.map(factsOf);
  const first = events[0];
  if (first === undefined) return '';
  // What went out because of it is told of, and is not what became of it.
  const notices = new Set(
    events.flatMap((facts) => {
      if (facts.row.kind === 'bounce.sent') return [facts.text('notice')];
      const reply = facts.row.kind === 'script.acted' ? facts.text('queueId') : '';
      return reply === '' ? [] : [reply];
    }),
  );
  const isMessage = events.some(({ row }) => /^(?:message|delivery|bounce|queue|intake)\./.test(row.kind));
  const lines = [`${isMessage ? 'Message' : 'Session'} ${first.row.trace}`];
  let notified = false;
  for (const facts of events) {
    const context = { timeZone, notices, notified };
    const { headline, details, rows = [], remedy } = tell(facts, context);
    notified ||= facts.row.kind === 'bounce.sent';
    const time = `${timeText(facts.row.at, timeZone)}  `;
    const hang = ' '.repeat(time.length);
    lines.push(
      '',
      ...wrap(headline.text, width - time.length).map((line, i) => (i === 0 ? time : hang) + line),
    );
    const plainDetails = details.map(({ text }) => text);
    for (const detail of [...plainDetails, ...repeats(facts, context)]) {
      if (detail !== '') lines.push(...indented(detail, width));
    }
    lines.push(...block(rows, width));
    if (remedy.length > 0) lines.push(...advice(adviceText(remedy), width));
  }
  const short = isMessage ? summary(events, notices, timeZone) : '';
  if (short !== '') lines.push('', ...wrap(`In short: ${short}`, width));
  return lines.map((line) => `${plain(line).trimEnd()}\n`).join('');
}

/** Commands begin a line of their own, other sentences go on where the one before ended. */
function adviceText(remedy: readonly Said[]): string {
  return remedy.map(({ text }) => text).join(remedy.some(({ text }) => text.includes('\n')) ? '\n' : ' ');
}

/** Sentences, and between them commands on lines of their own, whole, for copying. */
function advice(remedy: string, width: number): string[] {
  return `-> ${remedy}`
    .split('\n')
    .flatMap((line) => (line.startsWith('postern ') ? [`${INDENT}${INDENT}${line}`] : indented(line, width)));
}

function indented(text: string, width: number): string[] {
  return wrap(text, width - INDENT.length).map((line) => INDENT + line);
}

/** Labels in a column as wide as the widest, the texts wrapped beside them. */
function block(rows: readonly Row[], width: number): string[] {
  const labelOf = ({ label }: Row): string => label?.text ?? '';
  const column = Math.max(0, ...rows.map((row) => [...labelOf(row)].length)) + 2;
  const hang = ' '.repeat(column);
  return rows.flatMap((row) =>
    wrap(row.text.text, width - INDENT.length - column).map(
      (line, i) => INDENT + (i === 0 ? labelOf(row).padEnd(column) : hang) + line,
    ),
  );
}

/** How often it happened, and what the last time was about: only the first and the last are kept. */
function repeats({ row }: Facts, context: StepContext): string[] {
  if (row.count <= 1) return [];
  const last = row.data['last'];
  const about = isObject(last) ? lastTime(factsOf({ ...row, data: last }), context) : [];
  const at = timeText(row.lastAt, context.timeZone);
  return [
    `This happened ${row.count} times within ${spanText(row.lastAt - row.at)}, the last time at ${at}${about.length > 0 ? ':' : '.'}`,
    ...about,
  ];
}

function lastTime(last: Facts, context: StepContext): string[] {
  const trace = last.text('trace');
  const { headline, details } = tell(last, context);
  return [
    `${headline.text}${trace === '' ? '' : ` (session ${trace})`}`,
    ...details.map(({ text }) => text),
  ].map((line) => `  ${line}`);
}

function isObject(value: unknown): value is JournalData {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Fate = 'delivered' | 'waiting' | 'held' | 'failed' | 'returned';

const FATES: readonly (readonly [fate: Fate, words: string])[] = [
  ['delivered', 'delivered'],
  ['waiting', 'waiting in the queue'],
  ['held', 'held'],
  ['failed', 'given up'],
  ['returned', 'came back'],
];

const FATE_OF: Readonly<Record<string, Fate>> = {
  'delivery.delivered': 'delivered',
  'delivery.deferred': 'waiting',
  'delivery.interrupted': 'waiting',
  'delivery.failed': 'failed',
  'delivery.bounced': 'returned',
};

/** Where the message stands, counted by recipient: "2 delivered, 1 waiting in the queue". */
function summary(
  events: readonly Facts[],
  notices: ReadonlySet<string>,
  timeZone: string | undefined,
): string {
  const fates = new Map<string, Fate>();
  let next: number | undefined;
  let ended = '';
  let notified = false;
  let returned = false;
  for (const facts of events) {
    const { kind } = facts.row;
    if (notices.has(facts.text('queueId'))) continue;
    notified ||= kind === 'bounce.sent';
    // A message is deposited when it is accepted; what comes into a mailbox after a notification was made is that.
    if (kind === 'message.deposited' && !notified && !returned)
      fates.set(`in ${facts.text('account')}`, 'delivered');
    if (kind === 'message.queued') {
      for (const to of facts.list('to')) fates.set(to, facts.text('held') === '' ? 'waiting' : 'held');
    }
    if (kind === 'queue.changed')
      ended = afterChange(facts.text('action'), fates) ? 'by an administrator' : ended;
    if (kind === 'delivery.failed' && givenUpHere(facts)) ended = 'by an administrator';
    const fate = FATE_OF[kind];
    if (fate === undefined) continue;
    // Of what came back somebody is told; that notification is nobody's fate here.
    returned ||= fate === 'returned';
    const about = [...facts.list('to'), ...facts.list('recipient')];
    for (const to of about) if (!returned || fates.has(to)) fates.set(to, fate);
    next = kind === 'delivery.deferred' ? facts.number('nextAt') : next;
  }
  const counted = FATES.flatMap(([fate, words]) => {
    const count = [...fates.values()].filter((one) => one === fate).length;
    return count === 0 ? [] : [`${count} ${words}${fate === 'failed' && ended !== '' ? ` (${ended})` : ''}`];
  });
  const waits = [...fates.values()].includes('waiting') && next !== undefined;
  const when = waits && next !== undefined ? `; next attempt at ${timeText(next, timeZone)}` : '';
  return counted.length === 0 ? '' : `${counted.join(', ')}${when}.`;
}

/** What an administrator did to everything that waited. True when it ended there. */
function afterChange(action: string, fates: Map<string, Fate>): boolean {
  const from: readonly Fate[] =
    action === 'release' ? ['held'] : action === 'hold' ? ['waiting'] : ['waiting', 'held'];
  const to = { release: 'waiting', hold: 'held', drop: 'failed' } as const;
  const fate = Object.hasOwn(to, action) ? to[action as keyof typeof to] : undefined;
  if (fate === undefined) return false;
  for (const [recipient, now] of fates) if (from.includes(now)) fates.set(recipient, fate);
  return action === 'drop';
}
