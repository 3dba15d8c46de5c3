import type { NoticeText } from '../notice-mail.ts';
import type { DoctorReport } from './doctor.ts';
import { worst } from './lines.ts';
import type { DoctorLine, DoctorState } from './types.ts';

/** What is otherwise than at the look before, for the administrator. */

/** The state of each thing that is looked at, by which looks are compared. */
export type Remembered = Readonly<Record<string, DoctorState>>;

function keyOf({ check, domain, subject }: DoctorLine): string {
  return `${check}|${domain ?? ''}|${subject}`;
}

export function remembered({ lines }: DoctorReport): Remembered {
  const byKey = Map.groupBy(lines, keyOf);
  return Object.fromEntries([...byKey].map(([key, same]) => [key, worst(same.map(({ state }) => state))]));
}

export interface Changes {
  /** New, or worse than before. */
  readonly worse: readonly DoctorLine[];
  /** What was wrong and is no longer. */
  readonly mended: readonly DoctorLine[];
}

function bad(state: DoctorState | undefined): boolean {
  return state === 'problem' || state === 'warning';
}

/**
 * `before`: undefined at the first look, of which only problems are told. What could not be looked at this time counts as
 * it was: a resolver that is away for a while is no news.
 */
export function changesSince(before: Remembered | undefined, report: DoctorReport): Changes {
  const worse: DoctorLine[] = [];
  const mended: DoctorLine[] = [];
  for (const line of report.lines) {
    const old = before?.[keyOf(line)];
    if (line.state === 'problem' && old !== 'problem') worse.push(line);
    else if (line.state === 'warning' && before !== undefined && !bad(old)) worse.push(line);
    else if (line.state === 'ok' && bad(old)) mended.push(line);
  }
  return { worse, mended };
}

/** What to remember for the next look: unknown things as they were. */
export function carriedOver(before: Remembered | undefined, report: DoctorReport): Remembered {
  const now = remembered(report);
  return Object.fromEntries(
    Object.entries(now).map(([key, state]) => [key, state === 'unknown' ? (before?.[key] ?? state) : state]),
  );
}

function about({ domain, subject, found }: DoctorLine): string {
  return `${domain === undefined || subject.includes(domain) ? '' : `${domain}, `}${subject}: ${found}`;
}

/** The mail about them; undefined when nothing changed. */
export function changeNotice({ worse, mended }: Changes, hostname: string): NoticeText | undefined {
  if (worse.length === 0 && mended.length === 0) return undefined;
  const subject =
    worse.length > 0
      ? `${hostname}: ${worse.length === 1 ? 'something needs' : `${worse.length} things need`} your attention`
      : `${hostname}: ${mended.length === 1 ? 'one thing is' : `${mended.length} things are`} all right again`;
  return {
    subject,
    paragraphs: [
      ...worse.flatMap((line) => [
        `${line.state === 'problem' ? 'PROBLEM' : 'warning'}  ${about(line)} ${line.why}`,
        ...line.mend.map((text) => `    ${text}`),
        '',
      ]),
      ...(mended.length === 0 ? [] : ['All right again:', ...mended.map((line) => `- ${about(line)}`), '']),
      'See all: postern doctor',
    ],
  };
}
