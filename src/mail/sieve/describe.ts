/** Commands and tests in a few words, for logs. */
import type { Node, Value } from './program.ts';

const MAX_STRINGS = 3;
const MAX_STRING = 40;

function valueText(value: Value | undefined): string {
  if (value === undefined) return '';
  if (value.kind === 'number') return ` ${value.value}`;
  const shown = value.items.slice(0, MAX_STRINGS).map(({ text }) => {
    const line = text.replace(/\s+/g, ' ');
    return JSON.stringify(line.length > MAX_STRING ? `${line.slice(0, MAX_STRING)}...` : line);
  });
  if (value.items.length > MAX_STRINGS) shown.push('...');
  return value.items.length === 1 ? ` ${shown.join('')}` : ` [${shown.join(', ')}]`;
}

/** As it stands in the script, long strings cut. */
export function describe(node: Node): string {
  const tags = [...node.tags].map(([name, value]) => ` :${name}${valueText(value)}`).join('');
  return `${node.name}${tags}${node.args.map(valueText).join('')}`;
}
