import { signal } from '@preact/signals';
import { api, ApiError, whenSignedOut } from './http.ts';

/** Who is signed in. */
export interface Me {
  readonly address: string;
  readonly displayName: string;
  readonly role: 'user' | 'domain-admin' | 'admin';
  /** The account's id in JMAP. */
  readonly accountId: string;
  readonly domain: string;
  readonly serverName: string;
  /** An administrator who should set up a second factor. */
  readonly mustEnroll?: boolean;
  readonly features: { readonly push: boolean };
}

export const me = signal<Me | undefined>(undefined);
/** The server could not be reached when the app began: what is kept here can still be read. */
export const offline = signal(!navigator.onLine);

const KEPT = 'postern.me';

/** Ask who we are. Offline, the last answer holds, so that kept mail can be read. */
export async function loadMe(): Promise<void> {
  try {
    adopt(await api<Me>('GET', '/auth/me', undefined, { quiet: true }));
    offline.value = false;
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'offline') {
      offline.value = true;
      const kept = localStorage.getItem(KEPT);
      me.value = kept === null ? undefined : (JSON.parse(kept) as Me);
      return;
    }
    forget();
  }
}

export function adopt(found: Me): void {
  localStorage.setItem(KEPT, JSON.stringify(found));
  me.value = found;
}

/** What this browser keeps of the account goes with the session: listeners clear their own. */
export const onForget = new Set<() => void | Promise<void>>();

function forget(): void {
  if (me.value === undefined && localStorage.getItem(KEPT) === null) return;
  localStorage.removeItem(KEPT);
  for (const fn of onForget) void fn();
  me.value = undefined;
  void clearDevice();
}

/** Parts of the app that were not loaded this time have left things here as well: nothing of ours stays but how it looks. */
async function clearDevice(): Promise<void> {
  if (localStorage.getItem('postern.push') !== null) {
    localStorage.removeItem('postern.push');
    import('./push.ts').then(({ forgetPush }) => forgetPush()).catch(() => undefined);
  }
  for (const key of Object.keys(localStorage))
    if (key.startsWith('postern.') && key !== 'postern.language' && key !== 'postern.theme')
      localStorage.removeItem(key);
  sessionStorage.clear();
  for (const { name } of (await indexedDB.databases?.().catch(() => [])) ?? [])
    if (name?.startsWith('postern') === true) indexedDB.deleteDatabase(name);
}

/** Asked before somebody signs out; false: not now (a message that only this device has). */
export const signOutGuards = new Set<() => Promise<boolean>>();

export async function signOut(): Promise<void> {
  for (const may of signOutGuards) if (!(await may())) return;
  await api('POST', '/auth/sign-out').catch(() => undefined);
  forget();
}

whenSignedOut(forget);
addEventListener('online', () => (offline.value = false));
addEventListener('offline', () => (offline.value = true));
