import type { VaultDetail, VaultEntry } from '../../../data/vault/types.ts';
import { escapeHtml, page } from './home.ts';

/** Pages for people whose mail was refused or held back. */

export function refusedListPage(
  address: string,
  entries: readonly VaultEntry[],
  done: string | undefined,
): string {
  const told =
    done === 'released'
      ? '<p><strong>It is in your inbox now, and the filter has learned that it is good mail.</strong></p>'
      : done === 'deleted'
        ? '<p><strong>It is deleted.</strong></p>'
        : '';
  const list =
    entries.length === 0
      ? '<p>Nothing was refused lately.</p>'
      : `<table><tr><th>When</th><th>From</th><th>Subject</th><th>Why</th><th></th></tr>${entries.map(row).join('')}</table>`;
  return page(
    `Refused mail of ${address}`,
    `<h1>Refused mail</h1>
<p>Mail for <strong>${escapeHtml(address)}</strong> that the filter refused or held back. It is kept for some days.</p>
${told}${list}`,
  );
}

function row(entry: VaultEntry): string {
  const cells = [timeOf(entry.createdAt), entry.author || entry.reversePath, entry.subject, entry.reason];
  const link = `<a href="/account/refused/${encodeURIComponent(entry.caseNumber)}">Look</a>`;
  const action = stateOf(entry) === 'kept' ? link : stateOf(entry);
  return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}<td>${action}</td></tr>`;
}

function stateOf({ recipients }: VaultEntry): string {
  return recipients[0]?.state ?? 'kept';
}

export function refusedMessagePage(entry: VaultDetail, beginning: string): string {
  const at = `/account/refused/${encodeURIComponent(entry.caseNumber)}`;
  const facts = [
    ['From', entry.author || entry.reversePath],
    ['Subject', entry.subject],
    ['Came', timeOf(entry.createdAt)],
    ['Why it was not delivered', entry.reason],
    ['Kept until', timeOf(entry.expiresAt)],
    ['Case', entry.caseNumber],
  ].map(([name = '', value = '']) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>`);
  const actions =
    stateOf(entry) === 'kept'
      ? `<form method="post" action="${at}/release"><button>Deliver it to my inbox</button></form>
<form method="post" action="${at}/delete"><button>Delete it</button></form>`
      : `<p>It is ${escapeHtml(stateOf(entry))} already.</p>`;
  return page(
    `Refused: ${entry.subject}`,
    `<p><a href="/account/refused">All refused mail</a></p>
<h1>${escapeHtml(entry.subject || '(no subject)')}</h1>
<table>${facts.join('')}</table>
${actions}
<h2>How it begins</h2>
<pre>${escapeHtml(readable(beginning))}</pre>`,
  );
}

/** Source text without what could move a terminal or hide in a page. */
function readable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[^\n\t\x20-\x7e\xa0-\xff]/g, '\u00b7');
}

function timeOf(ms: number): string {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}
