/** Hues that keep white letters readable. */
const COLOURS = [
  '#1f6f5c',
  '#7a4fb0',
  '#a8480f',
  '#1d5f96',
  '#9c2f5f',
  '#4c6b1a',
  '#5d5a8f',
  '#8a5300',
] as const;

/** The first letters of a name on a colour of its own. */
export function Avatar({ name, address }: { readonly name: string; readonly address: string }) {
  let sum = 0;
  for (const letter of address.toLowerCase()) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  const words = (name || address).match(/[\p{L}\p{N}]+/gu) ?? ['?'];
  const letters = words.slice(0, 2).map((word) => [...word][0]?.toUpperCase() ?? '');
  return (
    <span
      class="avatar"
      style={{ background: COLOURS[sum % COLOURS.length] ?? COLOURS[0] }}
      aria-hidden="true"
    >
      {letters.join('')}
    </span>
  );
}
