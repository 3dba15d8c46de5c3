import { signal } from '@preact/signals';
import { api } from '../base/http.ts';
import { onForget } from '../base/session.ts';

/** Keywords with a name and a colour of their own, kept by the server. */
export interface Label {
  readonly keyword: string;
  readonly name: string;
  /** One of `COLOURS`. */
  readonly colour: string;
}

/** Colours of labels; what they look like is in mail.css, for light and dark. */
export const COLOURS = ['green', 'blue', 'purple', 'red', 'orange', 'yellow', 'grey', 'teal'] as const;

const KEPT = 'postern.labels';
export const labels = signal<readonly Label[]>(kept());

function kept(): readonly Label[] {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? '[]') as readonly Label[];
  } catch {
    return [];
  }
}

function show(found: readonly Label[]): void {
  labels.value = found;
  localStorage.setItem(KEPT, JSON.stringify(found));
}

export async function loadLabels(): Promise<void> {
  try {
    show((await api<{ labels: readonly Label[] }>('GET', '/account/v1/labels')).labels);
  } catch {
    // Those that this device kept hold.
  }
}

/** Change them all; taken back when the server does not keep them (the error is thrown). */
export async function setLabels(wanted: readonly Label[]): Promise<void> {
  const before = labels.value;
  show(wanted);
  try {
    await api('PUT', '/account/v1/labels', { labels: wanted });
  } catch (error) {
    show(before);
    throw error;
  }
}

/** A keyword for a label's name: ASCII that IMAP takes as well (RFC 9051 section 9, "atom"). */
export function keywordFor(name: string, taken: ReadonlySet<string>): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  const base = plain === '' ? 'label' : plain;
  let keyword = base;
  for (let n = 2; taken.has(keyword); n++) keyword = `${base}-${n}`;
  return keyword;
}

/** Those of an email's keywords that are labels. */
export function labelsOf(keywords: Readonly<Record<string, true>>): readonly Label[] {
  return labels.value.filter(({ keyword }) => keywords[keyword.toLowerCase()] === true);
}

onForget.add(() => {
  localStorage.removeItem(KEPT);
  labels.value = [];
});
