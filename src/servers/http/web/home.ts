import { createHash } from 'node:crypto';
import type { ListenerFacts, ServerFacts } from '../facts.ts';

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}' +
  'table{border-collapse:collapse}th,td{text-align:left;padding:.2rem 1.2rem .2rem 0}code{font-size:.95em}';

export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

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
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Postern on ${escapeHtml(facts.hostname)}</title>
<style>${STYLE}</style>
<h1>Postern</h1>
<p>The mail server <strong>${escapeHtml(facts.hostname)}</strong> is running${facts.mode === 'try' ? ' as a local try-out' : ''}.</p>
<table>
<tr><th>For</th><th>Server</th><th>Port</th><th>Encryption</th></tr>
${rows.join('\n')}
</table>
<p>Sign in with the whole e-mail address and its password.</p>
${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}
</html>
`;
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
