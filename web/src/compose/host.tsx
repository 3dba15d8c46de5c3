import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadTexts } from '../base/i18n.ts';
import { navigate, route } from '../base/router.ts';
import { me, onForget, OPEN_WINDOWS } from '../base/session.ts';
import { toastError } from '../base/toast.tsx';
import { openCompose, openWindows } from './open.ts';

/** Milliseconds that the page has for itself. */
const RESUME_MS = 600;

onForget.add(async (how) => {
  // Whose session it was is forgotten by the time that is here.
  const account = me.value?.address;
  const [local, server] = await Promise.all([import('./local.ts'), import('./server.ts')]);
  server.forgetServer();
  await local.forgetLocal(how, account);
});

/** Windows to write in, over whatever page is shown. Their code is fetched with the first of them. */
export function ComposeHost() {
  const [Windows, setWindows] = useState<ComponentType | undefined>(undefined);
  const signedIn = me.value?.address;
  const wanted = openWindows.value.length > 0;
  useEffect(() => {
    if (signedIn === undefined) {
      const keys = openWindows.value.map(({ key }) => key);
      openWindows.value = [];
      // They come back when the same person signs in again.
      if (keys.length > 0) sessionStorage.setItem(OPEN_WINDOWS, JSON.stringify(keys));
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
