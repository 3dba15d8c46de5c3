/** What must hold of a new account before it is worth asking the server. */

/** Least characters of a password, as the server wants them. */
export const LEAST_PASSWORD = 8;

/** Characters (code points), as the server counts them. */
export function isLongEnough(password: string): boolean {
  return [...password].length >= LEAST_PASSWORD;
}

/** A name before the @ that everybody can write to: letters and digits of any script, with dots, hyphens, underscores, plus within. */
export function isLocalPart(text: string): boolean {
  return text.length <= 64 && /^[\p{L}\p{N}_+-]+(?:\.[\p{L}\p{N}_+-]+)*$/u.test(text);
}

/** A domain with a dot, perhaps an internationalised one. */
export function isDomain(text: string): boolean {
  if (text.length > 253 || !text.includes('.')) return false;
  return text
    .split('.')
    .every(
      (label) => label.length <= 63 && /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u.test(label),
    );
}
