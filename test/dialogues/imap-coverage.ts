import type { Dialogue } from './dialogue.ts';

/** One command of a dialogue and how it must be answered. */
export interface Exchange {
  readonly dialogue: string;
  /** What the client sent, without the tag; literals are "{n}". */
  readonly command: string;
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly code: string;
}

/** The commands of a dialogue whose tagged answer it asserts. */
export function exchangesOf({ name, steps }: Dialogue): readonly Exchange[] {
  const sent = new Map<string, string>();
  const found: Exchange[] = [];
  for (const { word, text } of steps) {
    if (word === 'C:' || word === 'C~') {
      const [, tag = '', command = ''] = /^([A-Za-z0-9.]+) ([A-Za-z].*)$/s.exec(text) ?? [];
      if (command !== '') sent.set(tag, command);
    }
    const [, tag = '', status, rest = ''] = /^(\S+) (OK|NO|BAD)(.*)$/.exec(text) ?? [];
    const command = sent.get(tag);
    if ((word === 'S:' || word === 'S+') && status !== undefined && command !== undefined) {
      const code = /^ \[([A-Z-]+)/.exec(rest)?.[1] ?? '';
      found.push({ dialogue: name, command, status: status as Exchange['status'], code });
    }
  }
  return found;
}

/** The name of a command as the table has it. */
export function nameOf(command: string): string {
  const [first = '', second = ''] = command.toUpperCase().split(' ');
  return first === 'UID' ? `UID ${second}` : first;
}

/** Response codes that any line of a dialogue expects. */
export function codesOf({ steps }: Dialogue): readonly string[] {
  return steps
    .filter(({ word }) => word === 'S:' || word === 'S+')
    .flatMap(({ text }) => /^\S+ (?:OK|NO|BAD|BYE) \[([A-Z0-9-]+)/.exec(text)?.[1] ?? []);
}
