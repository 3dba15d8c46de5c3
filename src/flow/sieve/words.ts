import type { RunningScript } from '../../data/sieve/types.ts';

/** How a script is called when people are told what it did. */
export function scriptText({ kind, name }: Pick<RunningScript, 'kind' | 'name'>, included = ''): string {
  const own = scriptName(kind, name);
  return included === '' ? own : `script ${quoted(included)} (included by ${own})`;
}

function scriptName(kind: RunningScript['kind'], name: string): string {
  switch (kind) {
    case 'generated':
      return 'the script made of the account’s settings';
    case 'site-before':
    case 'site-after':
      return `the site’s script (${kind})`;
    case 'domain-before':
    case 'domain-after':
      return `the domain’s script (${kind})`;
    case 'account':
    case 'global':
      return `script ${quoted(name)}`;
  }
}

/** Names that could be mistaken for words of ours stand in quotes. */
function quoted(name: string): string {
  return /^[\w.-]{1,60}$/.test(name) ? name : `"${name.slice(0, 120)}"`;
}

/** "line 12 of script main". */
export function lineText(line: number, script: string): string {
  return line === 0 ? `the end of ${script}` : `line ${line} of ${script}`;
}
