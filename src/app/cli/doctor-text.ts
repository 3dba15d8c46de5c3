import type { z } from 'zod';
import type { operations } from '../../servers/http/admin/operations.ts';
import { plain, wrap } from './plain-text.ts';

/** What the doctor found, for a person: what is all right is one line; else why it matters and what mends it. */

type Report = z.output<typeof operations.doctor.run.output>;
type Line = Report['lines'][number];

const STATES = { ok: 'ok', warning: 'warning', problem: 'PROBLEM', unknown: 'unknown' } as const;
const ORDER = ['problem', 'warning', 'unknown', 'ok'] as const;
/** Columns of the state. */
const INDENT = 11;

export function doctorText(report: Report, width: number, brief: boolean): string {
  const { hostname, domains, lines } = report;
  const shown = (some: readonly Line[]): string =>
    some
      .filter(({ state }) => !brief || state !== 'ok')
      .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
      .map((line) => lineText(line, width))
      .join('');
  const parts = [
    [`The server ${hostname}`, lines.filter(({ domain }) => domain === undefined)] as const,
    ...domains.map((name) => [name, lines.filter(({ domain }) => domain === name)] as const),
  ].map(([title, some]) => [title, shown(some)] as const);
  const text = parts.filter(([, body]) => body !== '').map(([title, body]) => `${plain(title)}\n${body}\n`);
  const count = (state: Line['state']): number => lines.filter((line) => line.state === state).length;
  return `${text.join('')}${count('problem')} problem(s), ${count('warning')} warning(s), ${count('unknown')} unknown, ${count('ok')} ok\n`;
}

function lineText({ check, subject, state, found, why, mend }: Line, width: number): string {
  const indent = ' '.repeat(INDENT);
  const [first = '', ...rest] = wrap(plain(`${check}, ${subject}: ${found}`), width - INDENT);
  const head = [`  ${STATES[state]}`.padEnd(INDENT) + first, ...rest.map((line) => indent + line)];
  const reason = state === 'ok' ? [] : wrap(plain(why), width - INDENT).map((line) => indent + line);
  // Commands and records are copied: never broken.
  const remedies = mend.map((line) => `${indent}-> ${plain(line)}`);
  return [...head, ...reason, ...remedies].map((line) => `${line}\n`).join('');
}
