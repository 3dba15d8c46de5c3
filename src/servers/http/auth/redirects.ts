/** Where an answer to a client may go. */

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Whether a client may register a URI: https, http on its own machine, or a private-use scheme, which has a dot
 * (RFC 8252 section 7). Nothing that a browser would run.
 */
export function isRedirectUri(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || text.includes('#') || url.username !== '' || url.password !== '') return false;
  if (/[\s\\]/.test(text)) return false;
  if (url.protocol === 'https:') return url.hostname !== '' && text.toLowerCase().startsWith('https://');
  if (url.protocol === 'http:') return LOOPBACK.has(url.hostname) && text.toLowerCase().startsWith('http://');
  return /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:$/.test(url.protocol);
}

/**
 * Whether a URI is one of the registered ones: the very text (RFC 9700 section 2.1), but for the port of a loopback
 * address, which the client is given when it starts (RFC 8252 section 7.3).
 */
export function allowedRedirect(registered: readonly string[], given: string): boolean {
  if (given.length > 1000 || !isRedirectUri(given)) return false;
  return registered.includes(given) || registered.some((one) => sameButPort(one, given));
}

function sameButPort(one: string, other: string): boolean {
  const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(\/[^#]*)?$/;
  const [a, b] = [loopback.exec(one), loopback.exec(other)];
  return a !== null && b !== null && a[1] === b[1] && (a[2] ?? '') === (b[2] ?? '');
}

/** The answer in the query (RFC 6749 section 4.1.2), with who gave it (RFC 9207). What is undefined is left out. */
export function redirectWith(uri: string, values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.append(name, value);
  return `${uri}${uri.includes('?') ? '&' : '?'}${query.toString()}`;
}
