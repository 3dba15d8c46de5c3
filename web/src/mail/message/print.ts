import { formatLong } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import type { Email, EmailAddress } from '../../jmap/types.ts';
import { frames } from './frame.tsx';

/** Print one message: its head and its text on a page of their own. */
export function printMessage(email: Email): void {
  const t = texts('mail');
  const people = (all: readonly EmailAddress[] | null): string =>
    (all ?? []).map(({ name, email: address }) => (name ? `${name} <${address}>` : address)).join(', ');
  const sheet = document.createElement('div');
  sheet.className = 'mail-print';
  const head = document.createElement('dl');
  const rows: [string, string][] = [
    [t('from'), people(email.from)],
    [t('to'), people(email.to)],
    [t('cc'), people(email.cc)],
    [t('sentAt'), formatLong(Date.parse(email.sentAt ?? email.receivedAt))],
  ];
  for (const [name, value] of rows) {
    if (value === '') continue;
    const [term, text] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = name;
    text.textContent = value;
    head.append(term, text);
  }
  const title = document.createElement('h1');
  title.textContent = email.subject ?? t('noSubject');
  const frame = frames.get(email.id);
  const inner = frame?.contentDocument;
  if (inner?.body == null) {
    const text = document.querySelector(`[data-message="${CSS.escape(email.id)}"] .mail-text`);
    sheet.append(title, head, ...(text === null ? [] : [text.cloneNode(true)]));
    document.body.append(sheet);
    document.documentElement.classList.add('mail-printing');
    print();
    document.documentElement.classList.remove('mail-printing');
    sheet.remove();
    return;
  }
  // In the message's own document, so that its style is what is printed.
  const above = inner.createElement('div');
  above.append(inner.importNode(title, true), inner.importNode(head, true), inner.createElement('hr'));
  inner.body.prepend(above);
  frame?.contentWindow?.print();
  above.remove();
}
