import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Dialogs } from './base/dialog.tsx';
import { loadTexts, texts, type Area } from './base/i18n.ts';
import { route } from './base/router.ts';
import { me } from './base/session.ts';
import { Failure, Loading } from './base/states.tsx';
import { Toasts } from './base/toast.tsx';
import { ComposeHost } from './compose/host.tsx';

interface Place {
  /** Catalogues it needs, beside `base`. */
  readonly areas: readonly Area[];
  readonly load: () => Promise<{ default: ComponentType }>;
  /** May be seen without being signed in. */
  readonly open?: true;
}

/** Every place of the app by the first part of its path; each is a chunk of its own. */
const PLACES: Readonly<Record<string, Place>> = {
  mail: { areas: ['mail', 'compose'], load: () => import('./mail/main.tsx') },
  settings: { areas: ['settings'], load: () => import('./settings/main.tsx') },
  admin: { areas: ['admin'], load: () => import('./admin/main.tsx') },
  'sign-in': { areas: ['signIn'], load: () => import('./sign-in/main.tsx'), open: true },
  invitation: { areas: ['signIn'], load: () => import('./sign-in/invitation.tsx'), open: true },
  setup: { areas: ['signIn', 'admin'], load: () => import('./sign-in/setup.tsx'), open: true },
  consent: { areas: ['signIn'], load: () => import('./sign-in/consent.tsx') },
};

function placeName(): string {
  const first = route.value.parts[0] ?? 'mail';
  return first in PLACES ? first : 'mail';
}

/** Fetch what the path asks for while it is found out who we are; failures are told when it is shown. */
export function fetchPlace(): void {
  const place = PLACES[placeName()];
  for (const fetching of place === undefined ? [] : [place.load(), ...place.areas.map(loadTexts)])
    fetching.catch(() => undefined);
}

type Loaded = { readonly name: string; readonly Page: ComponentType } | { readonly failed: unknown };

/** The page of the current path; who is not signed in is shown the door, and comes back here behind it. */
export function App() {
  const wanted = placeName();
  const name = me.value === undefined && PLACES[wanted]?.open !== true ? 'sign-in' : wanted;
  const [loaded, setLoaded] = useState<Loaded | undefined>(undefined);
  useEffect(() => {
    let current = true;
    const place = PLACES[name];
    if (place === undefined) return undefined;
    Promise.all([place.load(), ...place.areas.map(loadTexts)]).then(
      ([module]) => current && setLoaded({ name, Page: module.default }),
      (failed: unknown) => current && setLoaded({ failed }),
    );
    return () => {
      current = false;
    };
  }, [name]);
  return (
    <>
      <Current loaded={loaded} name={name} />
      <ComposeHost />
      <Toasts />
      <Dialogs />
    </>
  );
}

function Current({ loaded, name }: { readonly loaded: Loaded | undefined; readonly name: string }) {
  const t = texts('base');
  if (loaded === undefined) return <Loading />;
  if ('failed' in loaded) return <Failure sentence={t('pageNotLoaded')} onRetry={() => location.reload()} />;
  return loaded.name === name ? <loaded.Page /> : <Loading />;
}
