/** Addresses of the Web: cut out of text and attributes, taken apart, each kept once. */
import { isIP } from 'node:net';
import { asciiHost, isOddIp, siteOf } from './hosts.ts';
import { factLimits } from './limits.ts';
import { SHORTENERS } from './shorteners.ts';
import type { LinkSource, UrlFact } from './types.ts';

/** Link texts that are compared with where the link leads. */
const MAX_SHOWN = 300;
/** Different links that are looked at, also those that turn out to be none. */
const MAX_TRIES = 1000;

/** Gathers the URLs of one message, at most 200. */
export class UrlCollector {
  readonly list: UrlFact[] = [];
  readonly #seen = new Set<string>();

  /** `shown` is the text of the link. What was seen before is passed over unread. */
  add(raw: string, source: LinkSource, shown = ''): void {
    if (this.list.length >= factLimits.urls || this.#seen.size >= MAX_TRIES) return;
    const named = shown.length < MAX_SHOWN && shown.includes('.') ? shown : '';
    const key = `${source} ${raw.slice(0, factLimits.urlChars)} ${named}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const fact = urlFact(raw, source, named);
    if (fact !== undefined) this.list.push(fact);
  }

  /** URLs that stand in running text. */
  addText(text: string): void {
    let from = 0;
    for (let tries = 0; tries < MAX_TRIES && this.list.length < factLimits.urls; tries++) {
      const hit = nextUrl(text, from);
      if (hit === undefined) return;
      this.add(hit.url, 'text');
      from = hit.end;
    }
  }
}

const START = /\b(?:https?|ftp):\/\/|\bwww\.[a-z0-9]/gi;

function nextUrl(text: string, from: number): { url: string; end: number } | undefined {
  START.lastIndex = from;
  const match = START.exec(text);
  if (match === null) return undefined;
  const start = match.index;
  let end = start + match[0].length;
  const max = Math.min(text.length, start + factLimits.urlChars);
  while (end < max && !endsUrl(text.charCodeAt(end))) end++;
  const stop = end;
  // The full stop or bracket behind a URL is not of it.
  while (end > start && ".,;:!?)]}'*_".includes(text.charAt(end - 1))) end--;
  return { url: text.slice(start, end), end: Math.max(stop, start + 4) };
}

function endsUrl(char: number): boolean {
  return (
    char <= 32 ||
    char === 34 ||
    char === 60 ||
    char === 62 ||
    char === 0xa0 ||
    char === 0x200b ||
    char === 0x3000
  );
}

/** Scheme, authority and the rest, read as browsers do: backslashes are slashes, tabs and line ends are nothing. */
function split(raw: string): { scheme: string; authority: string; rest: string } | undefined {
  let text = raw.slice(0, factLimits.urlChars);
  if (/[\t\r\n]/.test(text)) text = text.replace(/[\t\r\n]/g, '');
  text = text.trim();
  const colon = text.indexOf(':');
  let scheme = 'http';
  let rest = text;
  if (
    colon > 0 &&
    colon < 20 &&
    /^[a-z][a-z0-9+.-]*$/i.test(text.slice(0, colon)) &&
    !text.startsWith('www.')
  ) {
    scheme = text.slice(0, colon).toLowerCase();
    rest = text.slice(colon + 1);
  } else if (!text.startsWith('//') && !/^www\./i.test(text)) return undefined; // relative
  if (!['http', 'https', 'ftp', 'file'].includes(scheme)) {
    return ['javascript', 'vbscript', 'data', 'blob'].includes(scheme)
      ? { scheme, authority: '', rest }
      : undefined;
  }
  let at = 0;
  while (rest.charCodeAt(at) === 47 || rest.charCodeAt(at) === 92) at++;
  let end = at;
  while (end < rest.length && !'/\\?#'.includes(rest.charAt(end))) end++;
  return { scheme, authority: rest.slice(at, end), rest: rest.slice(end) };
}

function unescapeHost(host: string): string {
  if (!host.includes('%')) return host;
  try {
    return decodeURIComponent(host);
  } catch {
    return host;
  }
}

function urlFact(raw: string, source: LinkSource, shown: string): UrlFact | undefined {
  const pieces = split(raw);
  if (pieces === undefined) return undefined;
  const { scheme, authority, rest } = pieces;
  const at = authority.lastIndexOf('@');
  const hostPort = authority.slice(at + 1);
  const bracket = hostPort.startsWith('[') ? hostPort.indexOf(']') : -1;
  const colon = hostPort.indexOf(':', Math.max(0, bracket));
  const named = colon === -1 ? hostPort : hostPort.slice(0, colon);
  const host = unescapeHost(named)
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[|\]$/g, '')
    .slice(0, 255);
  const port = colon === -1 ? Number.NaN : Number(hostPort.slice(colon + 1));
  const odd = isOddIp(host);
  const isAddress = isIP(host) !== 0 || odd;
  const ascii = asciiHost(host);
  const site = isAddress ? host : siteOf(ascii);
  const shownSite = siteShown(shown, site);
  return {
    url: raw.slice(0, factLimits.urlChars),
    scheme,
    host,
    asciiHost: ascii,
    site,
    port: Number.isInteger(port) && port >= 0 && port < 65536 ? port : undefined,
    pathLength: rest.length,
    userinfo: at !== -1,
    ipHost: isAddress,
    oddIp: odd,
    punycode: ascii.startsWith('xn--') || ascii.includes('.xn--'),
    shortener: SHORTENERS.has(site) || SHORTENERS.has(host),
    labels: host === '' ? 0 : host.split('.').length,
    needlessEscapes: named.includes('%') || /%(?:[46][1-9a-f]|[57][0-9a]|3[0-9])/i.test(rest),
    extension: extensionOf(rest),
    shownSite,
    source,
  };
}

function extensionOf(rest: string): string {
  const path = /^[^?#]*/.exec(rest)?.[0] ?? '';
  const name = path.slice(path.lastIndexOf('/') + 1).slice(-40);
  return /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** The site that a link's text names, when it looks like an address of the Web and is another site than `site`. */
function siteShown(shown: string, site: string): string | undefined {
  if (shown === '' || site === '') return undefined;
  const text = shown.trim().slice(0, MAX_SHOWN);
  const match =
    /^(?:https?:\/\/)?((?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}][\p{L}\p{N}-]{1,30})(?::\d{1,5})?(?:[/?#]\S*)?$/iu.exec(
      text,
    );
  const host = match?.[1]?.toLowerCase();
  if (host === undefined) return undefined;
  const isExplicit = /^(?:https?:\/\/|www\.)/i.test(text);
  const named = siteOf(asciiHost(host));
  // "readme.md" or "node.js" is a name too: without "www." only the best-known endings count.
  if (
    !isExplicit &&
    !/\.(?:com|net|org|edu|gov|info|biz|co\.uk|de|fr|it|es|nl|ru|br|jp|cn|in|au|ca)$/.test(host)
  )
    return undefined;
  return named === site ? undefined : named;
}

/** Mail addresses in running text, lower case, each once. Looks at each "@" and what stands around it. */
export function addressesIn(text: string): string[] {
  const found = new Set<string>();
  let at = text.indexOf('@');
  for (let tries = 0; at !== -1 && tries < 1000 && found.size < factLimits.textAddresses; tries++) {
    let start = at;
    while (start > 0 && at - start < 64 && isLocal(text.charCodeAt(start - 1))) start--;
    let end = at + 1;
    while (end < text.length && end - at < 255 && isHost(text.charCodeAt(end))) end++;
    while (end > at && text.charCodeAt(end - 1) === 46) end--;
    const domain = text.slice(at + 1, end);
    if (start < at && /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}$/i.test(domain))
      found.add(text.slice(start, end).toLowerCase());
    at = text.indexOf('@', Math.max(at + 1, end));
  }
  return [...found];
}

function isHost(char: number): boolean {
  const lower = char | 32;
  return (lower >= 97 && lower <= 122) || (char >= 48 && char <= 57) || char === 45 || char === 46;
}

function isLocal(char: number): boolean {
  return isHost(char) || char === 95 || char === 43 || char === 37;
}
