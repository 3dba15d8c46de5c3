import { substitute, type Variables } from './env-file.ts';

/**
 * What Compose files set for containers: lines `NAME: value` and `- NAME=value` with a name that is looked for, wherever
 * they stand. No YAML is understood beyond that, and what is not a plain value is left alone.
 */
export function composeValues(
  text: string,
  names: ReadonlySet<string>,
  env: Variables,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:-\s+)?(["']?)([A-Z][A-Z0-9_]*)(?:=|\1\s*:\s+)(.*)$/.exec(line.slice(0, 4096));
    const [, quote = '', name = '', rest = ''] = match ?? [];
    if (!names.has(name)) continue;
    const value = plainValue(rest, line.includes('=') && quote !== '' ? quote : '');
    if (value === undefined) continue;
    const all = found.get(name) ?? [];
    found.set(name, [...all, substitute(value, (each) => env.get(each))]);
  }
  return found;
}

/** A scalar of one line; `quote` is one that began before the name. */
function plainValue(text: string, quote: string): string | undefined {
  const rest = text.trim();
  if (quote !== '') return rest.endsWith(quote) ? rest.slice(0, -1) : undefined;
  const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(rest);
  if (quoted !== null) return quoted[2] ?? '';
  if (/^[[{|>&*!]/.test(rest)) return undefined;
  return rest.replace(/\s+#.*$/, '').trim();
}
