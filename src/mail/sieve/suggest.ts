/** Remedies for names that are misspelt. */

/** "; did you mean ...?" for a name that differs in one or two letters. */
export function suggestion(name: string, known: readonly string[], mark = ''): string {
  if (name.length > 40) return '';
  let best: string | undefined;
  let least = name.length > 4 ? 3 : 2;
  for (const one of known) {
    const distance = editDistance(name.toLowerCase(), one, least);
    if (distance < least) {
      best = one;
      least = distance;
    }
  }
  return best === undefined ? '' : `; did you mean "${mark}${best}"?`;
}

/** Letters to insert, delete, replace or swap; `limit` when there are that many or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((row[j - 1] ?? 0) + same, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return Math.min(row[b.length] ?? limit, limit);
}
