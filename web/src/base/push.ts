import { preferences } from './preferences.ts';
import { serviceWorker } from './service-worker.ts';
import { me } from './session.ts';
import { call, loadSession } from '../jmap/client.ts';

/** Notices of new mail on this device, by Web Push (RFC 8030, RFC 8292) and JMAP's PushSubscription (RFC 8620 section 7.2). */

const VAPID = 'urn:ietf:params:jmap:webpush-vapid';
/** A name of this browser for the server, which tells its subscriptions apart by it. */
const DEVICE = 'postern.device';
/** Id of the subscription at the server. */
const SUBSCRIPTION = 'postern.push';

export type PushState = 'on' | 'off' | 'denied' | 'unsupported';

export async function pushState(): Promise<PushState> {
  if (!('PushManager' in window) || !('Notification' in window) || me.value?.features.push === false)
    return 'unsupported';
  const registration = await serviceWorker();
  if (registration === undefined || (await applicationServerKey()) === undefined) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const subscription = await registration.pushManager.getSubscription();
  return subscription !== null && localStorage.getItem(SUBSCRIPTION) !== null ? 'on' : 'off';
}

async function applicationServerKey(): Promise<string | undefined> {
  const { capabilities } = await loadSession();
  const key = capabilities[VAPID]?.['applicationServerKey'];
  return typeof key === 'string' ? key : undefined;
}

function device(): string {
  const known = localStorage.getItem(DEVICE) ?? crypto.randomUUID();
  localStorage.setItem(DEVICE, known);
  return known;
}

/** Milliseconds that the service worker has for an answer. */
const ANSWER_MS = 5000;

/** What the service worker should know when a push comes: it cannot read what pages keep. Resolves when it knows it. */
export async function tellServiceWorker(): Promise<void> {
  const worker = (await serviceWorker())?.active;
  if (worker == null) return;
  const { port1, port2 } = new MessageChannel();
  const { notices } = preferences.value;
  await new Promise<void>((done) => {
    const timer = setTimeout(done, ANSWER_MS);
    port1.onmessage = () => {
      clearTimeout(timer);
      done();
    };
    worker.postMessage({ kind: 'settings', notices, language: document.documentElement.lang }, [port2]);
  });
  port1.close();
}

/** Ask for leave, subscribe, and tell the server where. Throws when the person or the browser says no. */
export async function turnPushOn(): Promise<void> {
  const registration = await serviceWorker();
  const key = await applicationServerKey();
  if (registration === undefined || key === undefined) throw new Error('This browser takes no notices.');
  if ((await Notification.requestPermission()) !== 'granted') return;
  await navigator.serviceWorker.ready;
  await tellServiceWorker();
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key,
  });
  const { endpoint: url, keys } = subscription.toJSON();
  // The code comes by the first push, to the service worker, which hands it to the server.
  const answer = await call('PushSubscription/set', {
    create: {
      device: {
        deviceClientId: device(),
        url,
        keys,
        types: ['EmailDelivery', 'Email', 'Mailbox'],
      },
    },
  });
  const id = answer.created?.['device']?.id;
  if (id === undefined) {
    await subscription.unsubscribe();
    throw new Error(
      answer.notCreated?.['device']?.description ?? 'The server did not take the subscription.',
    );
  }
  localStorage.setItem(SUBSCRIPTION, id);
}

export async function turnPushOff(): Promise<void> {
  const id = localStorage.getItem(SUBSCRIPTION);
  localStorage.removeItem(SUBSCRIPTION);
  const registration = await serviceWorker();
  const subscription = await registration?.pushManager.getSubscription();
  await subscription?.unsubscribe();
  if (id !== null) await call('PushSubscription/set', { destroy: [id] }).catch(() => undefined);
}

/** Prolong what holds for two weeks only; called when the app begins. */
export async function renewPush(): Promise<void> {
  const id = localStorage.getItem(SUBSCRIPTION);
  if (id === null || me.value === undefined) return;
  const registration = await serviceWorker();
  const subscription = await registration?.pushManager.getSubscription();
  if (Notification.permission !== 'granted') return turnPushOff();
  if (subscription == null) return again();
  await tellServiceWorker();
  const DAYS_MS = 14 * 86_400_000;
  const expires = new Date(Date.now() + DAYS_MS).toISOString().replace(/\.\d+Z$/, 'Z');
  const answer = await call('PushSubscription/set', { update: { [id]: { expires } } });
  // The server knows it no more: subscribe anew.
  if (answer.notUpdated?.[id] !== undefined) await again();
}

async function again(): Promise<void> {
  await turnPushOff();
  await turnPushOn();
}

/** Whoever signs in next on this device gets no notices that are meant for another. */
export async function forgetPush(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  // The server's side ends with the session; this ends it at the push service.
  await (await registration?.pushManager?.getSubscription())?.unsubscribe();
  registration?.active?.postMessage({ kind: 'forget' });
  for (const notice of (await registration?.getNotifications()) ?? []) notice.close();
  await navigator.clearAppBadge?.();
}
