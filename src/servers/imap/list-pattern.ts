/** A compiled pattern of LIST (RFC 9051 section 6.3.9): `%` stands for anything within a level, `*` for anything. */
export type ListPattern = (name: string) => boolean;

const SEPARATOR = '/';

/**
 * Compile a pattern. Matching follows all possible positions at once, so its time is at most the product of the
 * lengths, however many wildcards there are. INBOX as a whole level at the start matches in any case.
 */
export function listPattern(pattern: string): ListPattern {
  // A run of wildcards is as good as its strongest.
  const text = pattern.normalize('NFC').replace(/[%*]+/g, (run) => (run.includes('*') ? '*' : '%'));
  const tokens = [...foldInbox(text)];
  if (!tokens.includes('*') && !tokens.includes('%')) {
    const exact = tokens.join('');
    return (name) => name === exact;
  }
  return (name) => matches(tokens, name);
}

function foldInbox(text: string): string {
  const level = text.slice(0, 5);
  const next = text.charAt(5);
  return level.toUpperCase() === 'INBOX' &&
    (next === '' || next === SEPARATOR || next === '*' || next === '%')
    ? `INBOX${text.slice(5)}`
    : text;
}

function matches(tokens: readonly string[], name: string): boolean {
  // `here[i]`: the name so far can be matched by the first i tokens.
  let here = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  here[0] = 1;
  spread(tokens, here);
  for (const char of name) {
    next.fill(0);
    let any = false;
    for (const [at, token] of tokens.entries()) {
      if (here[at] === 0) continue;
      if (token === '*' || (token === '%' && char !== SEPARATOR)) next[at] = 1;
      else if (token === char) next[at + 1] = 1;
      else continue;
      any = true;
    }
    if (!any) return false;
    spread(tokens, next);
    [here, next] = [next, here];
  }
  return here[tokens.length] === 1;
}

/** A wildcard may stand for nothing. */
function spread(tokens: readonly string[], states: Uint8Array): void {
  for (const [at, token] of tokens.entries()) {
    if (states[at] === 1 && (token === '*' || token === '%')) states[at + 1] = 1;
  }
}
