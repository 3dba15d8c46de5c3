import { texts } from './i18n.ts';
import { navigate } from './router.ts';
import { toast } from './toast.tsx';

/** The service worker: keeps the app for when there is no network, shows notices, and tells of new versions. */

let found: Promise<ServiceWorkerRegistration | undefined> | undefined;
/** Milliseconds between looks for a new version, in an app that stays open for weeks. */
const LOOK_MS = 3_600_000;

/** The registration; undefined where the browser has none, or the page came without TLS. */
export function serviceWorker(): Promise<ServiceWorkerRegistration | undefined> {
  return (found ??= register());
}

async function register(): Promise<ServiceWorkerRegistration | undefined> {
  // A development server's files change under it.
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return undefined;
  try {
    const registration = await navigator.serviceWorker.register('/sw.js', {
      scope: '/',
      updateViaCache: 'none',
    });
    watch(registration);
    return registration;
  } catch {
    // Private windows and old browsers: everything works, but not offline.
    return undefined;
  }
}

/** Begin: when the page is quiet, so that it takes nothing from what is shown first. */
export function startServiceWorker(): void {
  const begin = (): void => {
    void serviceWorker();
    // Subscriptions to notices end after two weeks, unless they are renewed.
    if (localStorage.getItem('postern.push') !== null)
      import('./push.ts').then(({ renewPush }) => renewPush()).catch(() => undefined);
  };
  if (document.readyState === 'complete') setTimeout(begin, 500);
  else addEventListener('load', () => setTimeout(begin, 500), { once: true });
}

/** A notice was clicked: the message it is about is shown here. */
function goWhereAsked(event: MessageEvent<unknown>): void {
  const { kind, path } = (event.data ?? {}) as { kind?: unknown; path?: unknown };
  if (kind === 'go' && typeof path === 'string' && /^\/mail(?:\/|$)/.test(path)) navigate(path);
}

function watch(registration: ServiceWorkerRegistration): void {
  navigator.serviceWorker.addEventListener('message', goWhereAsked);
  const offer = (worker: ServiceWorker | null): void => {
    if (worker === null) return;
    const look = (): void => {
      // Without a controller this is the first one: there is nothing old to replace.
      if (worker.state === 'installed' && navigator.serviceWorker.controller !== null) offerReload(worker);
    };
    look();
    worker.addEventListener('statechange', look);
  };
  offer(registration.waiting);
  registration.addEventListener('updatefound', () => offer(registration.installing));
  setInterval(() => void registration.update().catch(() => undefined), LOOK_MS);
}

/** A day: until it is taken or closed. */
const OFFER_MS = 86_400_000;
let offered = false;

function offerReload(worker: ServiceWorker): void {
  if (offered) return;
  offered = true;
  const t = texts('base');
  toast(t('newVersion'), {
    ms: OFFER_MS,
    action: {
      label: t('reload'),
      run: () => {
        navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
        worker.postMessage({ kind: 'take-over' });
      },
    },
  });
}
