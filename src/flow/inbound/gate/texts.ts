/** Text from elsewhere as it may stand in a reply: printable ASCII on one line, of `max` characters at most. */
export function plainText(text: string, max: number): string {
  const clean = text
    .slice(0, max * 4)
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim();
  return clean.length > max ? `${clean.slice(0, max - 3)}...` : clean;
}

/** Whom to ask, for the end of a refusal (RFC 5321 section 4.5.1: there always is a postmaster). */
export function askPostmaster(hostname: string): string {
  return `Questions: postmaster@${hostname}`;
}
