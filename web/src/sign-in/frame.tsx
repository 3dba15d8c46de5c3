import type { ComponentChildren } from 'preact';
import { LANGUAGES, language, setLanguage, texts, type Language } from '../base/i18n.ts';
import { toastError } from '../base/toast.tsx';
import './sign-in.css';

/** What all pages before the app look like: one card, whose server this is, and the language. */
export function DoorFrame({
  title,
  lead,
  children,
}: {
  readonly title: string;
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const t = texts('signIn');
  document.title = `${title} · Postern`;
  return (
    <div class="door">
      <main class="door-card">
        <img class="door-mark" src="/icon.svg" alt={t('brand')} width="48" height="48" />
        <h1>{title}</h1>
        {lead !== undefined && <p class="soft">{lead}</p>}
        {children}
      </main>
      <footer class="door-foot">
        <label>
          <span class="sr-only">{t('language')}</span>
          <select
            class="input"
            value={language.value}
            onChange={(event) => {
              setLanguage(event.currentTarget.value as Language).catch(toastError);
            }}
          >
            {Object.entries(LANGUAGES).map(([tag, name]) => (
              <option key={tag} value={tag} lang={tag}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </footer>
    </div>
  );
}

/** A sentence about the whole form, told to screen readers when it appears. */
export function FormProblem({ sentence }: { readonly sentence: string | undefined }) {
  return (
    <div role="alert">{sentence !== undefined && <p class="note danger door-problem">{sentence}</p>}</div>
  );
}
