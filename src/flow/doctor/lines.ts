import type { DnsRecord } from '../../mail/dns-records.ts';
import { zoneLine } from '../../mail/dns-records.ts';
import type { CheckName, DoctorLine, DoctorState } from './types.ts';
import type { Seen } from './zones.ts';

/** What a check is about; its outcome makes it a line. */
export interface Topic {
  readonly check: CheckName;
  readonly domain?: string;
  readonly subject: string;
  readonly why: string;
}

function line(topic: Topic, state: DoctorState, found: string, mend: readonly string[]): DoctorLine {
  return { ...topic, state, found, mend };
}

export function ok(topic: Topic, found: string): DoctorLine {
  return line(topic, 'ok', found, []);
}

export function warning(topic: Topic, found: string, ...mend: readonly string[]): DoctorLine {
  return line(topic, 'warning', found, mend);
}

export function problem(topic: Topic, found: string, ...mend: readonly string[]): DoctorLine {
  return line(topic, 'problem', found, mend);
}

export function unknown(topic: Topic, found: string, ...mend: readonly string[]): DoctorLine {
  return line(topic, 'unknown', found, mend);
}

/** The records of a domain that go to a name, as lines of its zone. */
export function recordsAt(
  records: readonly DnsRecord[],
  name: string,
  ...types: readonly DnsRecord['type'][]
): string[] {
  return records
    .filter((record) => record.name === name && (types.length === 0 || types.includes(record.type)))
    .map(zoneLine);
}

const WORSE: Readonly<Record<DoctorState, number>> = { ok: 0, unknown: 1, warning: 2, problem: 3 };

export function worst(states: readonly DoctorState[]): DoctorState {
  return states.reduce((a, b) => (WORSE[b] > WORSE[a] ? b : a), 'ok');
}

/**
 * The line with what the servers for a name do not agree on. What is right at some and wrong at others is right for some
 * and wrong for others of those who write to us.
 */
export function withSeen(made: DoctorLine, seen: Seen): DoctorLine {
  if (seen.trouble === undefined) return made;
  const { state, found, mend } = seen.trouble;
  return {
    ...made,
    state: made.state === 'unknown' ? made.state : worst([made.state, state]),
    found: `${made.found} ${found}`,
    mend: [...made.mend, ...mend],
  };
}

/** A text from strangers, fit for a sentence. */
export function quoted(text: string, max = 300): string {
  return `"${text.length > max ? `${text.slice(0, max)}...` : text}"`;
}
