/// <reference lib="webworker" />
import { forget, openFrom, type Settings, takeSettings, tellNewMail, verify } from './notices.ts';
import { pictureQueue, PICTURES } from './pictures.ts';
import { addressesOf, PAGE, sourceOf } from './shell.ts';

declare const self: ServiceWorkerGlobalScope;
/** Files of the app, and the name of this build; filled in when it is built. */
declare const __FILES__: readonly string[];
declare const __BUILD__: string;

const PREFIX = 'postern-app-';
const CACHE = `${PREFIX}${__BUILD__}`;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(
    addressesOf(__FILES__).map(
      (path) => new Request(path, { cache: path.startsWith('/assets/') ? 'default' : 'reload' }),
    ),
  );
}

/** This build is the one now: those before it go. */
async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

const picture = pictureQueue((request, signal) => fetch(request, { signal }));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname === PICTURES) return event.respondWith(picture(request));
  const source = sourceOf(url.pathname, request.mode === 'navigate');
  // The iframe's document is a navigation too, and is kept under its own address.
  if (source === 'network') return;
  event.respondWith(answer(request, source === 'page' ? PAGE : url.pathname));
});

async function answer(request: Request, kept: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(kept)) ?? fetch(request);
}

type Message =
  | { readonly kind: 'take-over' }
  | { readonly kind: 'forget' }
  | ({ readonly kind: 'settings' } & Settings);

self.addEventListener('message', (event) => {
  const message = event.data as Message;
  const [port] = event.ports;
  // Who sent a port waits until it is done.
  event.waitUntil(obey(message).finally(() => port?.postMessage('done')));
});

function obey(message: Message): Promise<void> {
  if (message.kind === 'take-over') return self.skipWaiting();
  return message.kind === 'forget' ? forget() : takeSettings(message);
}

interface Push {
  readonly '@type'?: string;
  readonly pushSubscriptionId?: string;
  readonly verificationCode?: string;
}

self.addEventListener('push', (event) => {
  let push: Push = {};
  try {
    push = (event.data?.json() ?? {}) as Push;
  } catch {
    // Not from our server; look all the same.
  }
  const { pushSubscriptionId: id, verificationCode: code } = push;
  if (push['@type'] === 'PushVerification' && id !== undefined && code !== undefined)
    event.waitUntil(verify(id, code));
  else event.waitUntil(tellNewMail());
});

self.addEventListener('notificationclick', (event) => event.waitUntil(openFrom(event.notification)));
