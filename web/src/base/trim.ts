/**
 * A text without these characters at its end. Linear: an expression like / +$/ looks at each of many spaces anew when
 * something stands behind them, which takes minutes for a line that somebody made so.
 */
export function trimEndOf(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
