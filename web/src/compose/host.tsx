import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadTexts } from '../base/i18n.ts';
import { navigate, route } from '../base/router.ts';
import { me } from '../base/session.ts';
import { toastError } from '../base/toast.tsx';
import { openCompose, openWindows } from './open.ts';

/** Milliseconds that the page has for itself. */
const RESUME_MS = 600;

/** Windows to write in, over whatever page is shown. Their code is fetched with the first of them. */
export function ComposeHost() {
  const [Windows, setWindows] = useState<ComponentType | undefined>(undefined);
  const signedIn = me.value?.address;
  const wanted = openWindows.value.length > 0;
  useEffect(() => {
    if (signedIn === undefined) {
      openWindows.value = [];
      return undefined;
    }
    // What was open when the page was left, and what waits to be sent; the page itself comes first.
    const timer = setTimeout(() => {
      Promise.all([import('./resume.ts'), loadTexts('compose')])
        .then(([{ resume }]) => resume())
        .catch(() => undefined);
    }, RESUME_MS);
    return () => clearTimeout(timer);
  }, [signedIn]);
  useEffect(() => {
    if (!wanted || Windows !== undefined) return;
    Promise.all([import('./windows.tsx'), loadTexts('compose')])
      .then(([module]) => setWindows(() => module.Windows))
      .catch(toastError);
  }, [wanted]);
  const { query, parts } = route.value;
  useEffect(() => {
    if (signedIn === undefined || (parts[0] ?? 'mail') !== 'mail') return;
    followLink(query);
  }, [signedIn, query]);
  return Windows === undefined || signedIn === undefined ? null : <Windows />;
}

/** Links from outside: /mail?mailto=mailto:..., /mail?compose, and what other programs share. */
function followLink(query: URLSearchParams): void {
  const mailto = query.get('mailto');
  if (mailto !== null) openCompose({ kind: 'mailto', url: mailto });
  else if (query.has('compose')) openCompose();
  else if (query.has('share')) {
    const text = [query.get('text'), query.get('url')]
      .filter((each) => each !== null && each !== '')
      .join('\n');
    openCompose({ subject: query.get('title') ?? '', text });
  } else return;
  navigate('/mail', { replace: true });
}
