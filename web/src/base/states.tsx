import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { texts } from './i18n.ts';

/** Milliseconds before waiting is shown: what is quick should not flicker. */
const SHOW_AFTER_MS = 200;

export function Loading() {
  const t = texts('base');
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SHOW_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="middle" aria-busy="true">
      {shown && (
        <>
          <div class="spinner" />
          <span class="sr-only" role="status">
            {t('loading')}
          </span>
        </>
      )}
    </div>
  );
}

/** What could not be had, why, and the way to try again. */
export function Failure({ sentence, onRetry }: { readonly sentence: string; readonly onRetry?: () => void }) {
  const t = texts('base');
  return (
    <div class="middle" role="alert">
      <p>{sentence}</p>
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          {t('tryAgain')}
        </button>
      )}
    </div>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <div class="middle">{children}</div>;
}
