import { createHash } from 'node:crypto';
import type { ListenerFacts, ServerFacts } from '../facts.ts';

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}' +
  'table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.2rem 1.2rem .2rem 0;overflow-wrap:anywhere}code{font-size:.95em}' +
  'pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem;border-top:1px solid}form{display:inline}button{font:inherit;padding:.3rem .8rem;margin:.5rem .5rem .5rem 0}';

export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

/** A page around its content, which is HTML; `title` is text. */
export function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
${content}
</html>
`;
}

/** What each listener is for, in the order in which a person needs them. */
const USES: readonly (readonly [name: string, use: string])[] = [
  ['imaps', 'Reading mail (IMAP)'],
  ['imap', 'Reading mail (IMAP)'],
  ['submissions', 'Sending mail (SMTP)'],
  ['submission', 'Sending mail (SMTP)'],
  ['smtp', 'Receiving mail from other servers (SMTP)'],
  ['lmtp', 'Receiving mail from local programs (LMTP)'],
];

const SECURITY: Readonly<Record<ListenerFacts['security'], string>> = {
  tls: 'TLS',
  starttls: 'STARTTLS',
  none: 'none',
};

/** The page at `/`: what runs here and how a mail program connects. `notes` are paragraphs below the table. */
export function homePage(
  facts: Pick<ServerFacts, 'hostname' | 'listeners' | 'mode'>,
  notes: readonly string[],
): string {
  const host = facts.mode === 'try' ? '127.0.0.1' : facts.hostname;
  const rows = USES.flatMap(([name, use]) =>
    facts
      .listeners()
      .filter((listener) => listener.name === name && listener.open)
      // One row for both families of addresses.
      .filter((listener, index, all) => all.findIndex(({ port }) => port === listener.port) === index)
      .map(({ port, security }) => row([use, host, String(port), SECURITY[security]])),
  );
  return page(
    `Postern on ${facts.hostname}`,
    `<h1>Postern</h1>
<p>The mail server <strong>${escapeHtml(facts.hostname)}</strong> is running${facts.mode === 'try' ? ' as a local try-out' : ''}.</p>
<table>
<tr><th>For</th><th>Server</th><th>Port</th><th>Encryption</th></tr>
${rows.join('\n')}
</table>
<p>Sign in with the whole e-mail address and its password.</p>
${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}`,
  );
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
}
