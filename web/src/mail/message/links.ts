import { trimEndOf } from '../../base/trim.ts';

/** Links of messages: which may be followed, and which say one thing and mean another. */

/** An address that may be opened: http, https, mailto, tel. */
export function safeUrl(text: string): URL | undefined {
  // Tabs and line ends vanish from URLs; other control characters have no business there.
  const trimmed = text.trim().replaceAll(/[\t\n\r]/g, '');
  if (trimmed.length > 8000 || /\p{Cc}/u.test(trimmed)) return undefined;
  const url = URL.parse(trimmed);
  return url !== null && /^(?:https?|mailto|tel):$/.test(url.protocol) ? url : undefined;
}

const HOST =
  /(?:^|[\s(<"'])(?:https?:\/\/)?((?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62}[\p{L}\p{N}])?\.){1,10}\p{L}{2,24})(?=$|[\s/:)>"'?#,;!.])/iu;

/** The host that a link's text seems to name. */
export function hostInText(text: string): string | undefined {
  const shown = text.trim().slice(0, 300);
  // An e-mail address names no page.
  if (/^[^\s@]+@[^\s@]+$/.test(shown)) return undefined;
  const found = HOST.exec(shown)?.[1]?.toLowerCase();
  if (found === undefined) return undefined;
  const url = URL.parse(`https://${found}/`);
  return url?.hostname;
}

function bare(host: string): string {
  return host.replace(/^www\d?\./, '');
}

/** The host that a link names, and the one it goes to. */
export interface Lie {
  readonly says: string;
  readonly means: string;
}

/** What a link says and means, when its text names another host; undefined when the two agree. */
export function misleading(text: string, url: URL): Lie | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const shown = hostInText(text);
  if (shown === undefined || !/^(?:<?\s*https?:|<?\s*[^\s]+$)/i.test(text.trimStart())) return undefined;
  const [said, real] = [bare(shown), bare(url.hostname)];
  if (said === real || real.endsWith(`.${said}`)) return undefined;
  return { says: shown, means: url.hostname };
}

/** The address that a name pretends to be: what is shown of it begins within its first letters. */
export function addressInName(name: string): string | undefined {
  return /[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{1,63}/.exec(name.slice(0, 1000))?.[0]?.toLowerCase();
}

/** A host in the letters people know, with the other form where it hides something (xn--). */
export function shownHost(url: URL): string {
  return url.hostname;
}

const LINK =
  /\bhttps?:\/\/[^\s<>"\p{Cc}]{1,2000}|\bmailto:[^\s<>"]{1,500}|\b[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}\p{L}{2,24}\b/giu;

/** Links and what stands between them; in what comes behind these there are none. */
const MOST_PARTS = 5000;

export type TextPart = string | { readonly text: string; readonly url: URL };

/** Links within a text. */
export function findLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    if (parts.length >= MOST_PARTS) break;
    // What ends a sentence is no part of an address, nor is a bracket that was opened before it.
    let found = trimEndOf(match[0], `.,;:!?'"»”`);
    if (found.endsWith(')') && !found.includes('(')) found = found.slice(0, -1);
    if (found.endsWith(']') && !found.includes('[')) found = found.slice(0, -1);
    const url = safeUrl(/^(?:https?|mailto):/i.test(found) ? found : `mailto:${found}`);
    if (url === undefined) continue;
    if (match.index > at) parts.push(text.slice(at, match.index));
    parts.push({ text: found, url });
    at = match.index + found.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}
