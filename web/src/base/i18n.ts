import { signal } from '@preact/signals';
import type { Areas } from '../text/areas.ts';
import { formatMessage, type Values } from './message-format.ts';

/** Languages there is a catalogue for, as people who speak them write them. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;
export type Area = keyof Areas;

const KEPT = 'postern.language';
/** Changes when texts change, so that what shows them is drawn anew. */
export const language = signal<Language>('en');
const catalogues = signal<ReadonlyMap<string, Readonly<Record<string, string>>>>(new Map());
const areas = new Set<Area>(['base']);
/** The language of the moment is the one that was preferred. */
let started = false;
export type TextFiles = Readonly<
  Record<string, () => Promise<{ default: Readonly<Record<string, string>> }>>
>;
const APP_TEXTS: TextFiles =
  // None where no bundler has put them together, as in tests of what shows nothing.
  import.meta.env === undefined
    ? {}
    : import.meta.glob<{ default: Readonly<Record<string, string>> }>([
        '../text/*/*.ts',
        '!../text/*/{why,rules,events,remedies,advice,problems,setup,checks,health,audit,settingsAbout}.ts',
      ]);
const files = new Map(Object.entries(APP_TEXTS));

/** Make further catalogues known ("../text/en/why.ts"): the list of all of them need not be in the first load. */
export function knowTexts(more: TextFiles): void {
  for (const [path, load] of Object.entries(more)) files.set(path, load);
}

function preferred(): Language {
  const kept = localStorage.getItem(KEPT);
  for (const tag of [kept, ...navigator.languages]) {
    const name = tag?.slice(0, 2).toLowerCase();
    if (name !== undefined && name in LANGUAGES) return name as Language;
  }
  return 'en';
}

async function load(wanted: Language, area: Area): Promise<void> {
  const key = `${wanted}/${area}`;
  if (catalogues.value.has(key)) return;
  const found = await files.get(`../text/${wanted}/${area}.ts`)?.();
  if (found === undefined) throw new Error(`no catalogue ${key}`);
  catalogues.value = new Map(catalogues.value).set(key, found.default);
}

export async function startLocale(): Promise<void> {
  await show(preferred());
  started = true;
}

/** Have the texts of an area at hand before what shows them is drawn. */
export async function loadTexts(area: Area): Promise<void> {
  areas.add(area);
  await load(started ? language.value : preferred(), area);
}

export async function setLanguage(wanted: Language): Promise<void> {
  localStorage.setItem(KEPT, wanted);
  await show(wanted);
}

async function show(wanted: Language): Promise<void> {
  await Promise.all([...areas].map((area) => load(wanted, area)));
  language.value = wanted;
  document.documentElement.lang = wanted;
}

/** The texts of an area in the language of the moment: `const t = texts('mail'); t('messages', {count: 3})`. */
export function texts<A extends Area>(area: A): (key: keyof Areas[A] & string, values?: Values) => string {
  const wanted = language.value;
  const catalogue = catalogues.value.get(`${wanted}/${area}`);
  return (key, values) => {
    const text = catalogue?.[key];
    return text === undefined ? key : formatMessage(text, values, wanted);
  };
}

/** A text by a name that somebody else gave; undefined where there is none, or it was not loaded. */
export function textOf(area: Area, key: string): string | undefined {
  const catalogue = catalogues.value.get(`${language.value}/${area}`);
  return catalogue !== undefined && Object.hasOwn(catalogue, key) ? catalogue[key] : undefined;
}
