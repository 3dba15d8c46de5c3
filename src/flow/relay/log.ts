/** The relay's log: one JSON object a line, byte for byte as aws-smtp-relay (a Go program) writes it. */

export interface RelayLogEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ip: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Undefined: sent. */
  readonly error: string | undefined;
}

/** Go's encoder escapes what could end a script in a page, two line separators of Unicode, and has no \b and \f. */
const ESCAPED = /[<>&\u2028\u2029]|\\[bf]|\\\\/g;
const SHORT: Readonly<Record<string, string>> = { '\\b': '\\u0008', '\\f': '\\u000c', '\\\\': '\\\\' };

/** The line with its line feed. */
export function relayLogLine({ at, ip, from, to, error }: RelayLogEntry): string {
  const entry = { Time: goTime(at), IP: ip, From: from, To: to, Error: error ?? null };
  const text = JSON.stringify(entry).replace(ESCAPED, (found) => {
    return SHORT[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `${text}\n`;
}

/** RFC3339Nano: UTC, the fraction without its final zeros. */
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}
