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

/** Milliseconds that the page waits for the server to say who we are; then it shows what it has, and the answer mends it. */
const WAIT_MS = 3000;

/** Find out who we are: by the server's answer or, while there is none, by the last one, so that kept mail can be read. */
export async function loadMe(): Promise<void> {
  const late = await Promise.race([
    askMe().then(() => false),
    new Promise<boolean>((done) => setTimeout(done, WAIT_MS, true)),
  ]);
  if (late) me.value ??= keptMe();
}

function keptMe(): Me | undefined {
  const kept = localStorage.getItem(KEPT);
  return kept === null ? undefined : (JSON.parse(kept) as Me);
}

/** Offline, the last answer holds. */
async function askMe(): Promise<void> {
  try {
    adopt(await api<Me>('GET', '/auth/me', undefined, { quiet: true }));
    offline.value = false;
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'offline') {
      offline.value = true;
      me.value ??= keptMe();
      return;
    }
    forget('ended');
  }
}

export function adopt(found: Me): void {
  localStorage.setItem(KEPT, JSON.stringify(found));
  sessionEnded.value = false;
  me.value = found;
}

/** The session ended by itself while somebody was here: why they are asked to sign in. */
export const sessionEnded = signal(false);

/** How a session ends: somebody signed out here, or the server knows it no more (it expired, or was ended elsewhere). */
export type Ending = 'left' | 'ended';

/**
 * What this browser keeps of the account goes with the session: listeners clear their own. Where it ended by itself, only
 * what nobody else has may stay: what was being written.
 */
export const onForget = new Set<(how: Ending) => void | Promise<void>>();
/** Windows of the composer that were open, in the storage of the tab. */
export const OPEN_WINDOWS = 'postern.compose.open';
/** The database of what is being written. */
export const WRITING = 'postern-compose';
/** The database of changes of mail that the server has not got. */
export const CHANGES = 'postern-changes';

function forget(how: Ending): void {
  if (me.value === undefined && localStorage.getItem(KEPT) === null) {
    // The page may have been left before all of it was gone.
    void clearDatabases('ended');
    return;
  }
  localStorage.removeItem(KEPT);
  for (const fn of onForget) void fn(how);
  sessionEnded.value = how === 'ended';
  me.value = undefined;
  void clearDevice(how);
}

/** Parts of the app that were not loaded this time have left things here as well: nothing of ours stays but how it looks. */
async function clearDevice(how: Ending): Promise<void> {
  if (localStorage.getItem('postern.push') !== null) {
    localStorage.removeItem('postern.push');
    import('./push.ts').then(({ forgetPush }) => forgetPush()).catch(() => undefined);
  }
  for (const key of Object.keys(localStorage))
    if (key.startsWith('postern.') && key !== 'postern.language' && key !== 'postern.theme')
      localStorage.removeItem(key);
  const open = how === 'ended' ? sessionStorage.getItem(OPEN_WINDOWS) : null;
  sessionStorage.clear();
  if (open !== null) sessionStorage.setItem(OPEN_WINDOWS, open);
  await clearDatabases(how);
}

async function clearDatabases(how: Ending): Promise<void> {
  for (const { name } of (await indexedDB.databases?.().catch(() => [])) ?? []) {
    // Who keeps these clears them, but for what has not reached the server.
    if ((name === WRITING || name === CHANGES) && how === 'ended') continue;
    if (name?.startsWith('postern') === true) indexedDB.deleteDatabase(name);
  }
}

/** Asked before somebody signs out; false: not now (a message that only this device has). */
export const signOutGuards = new Set<() => Promise<boolean>>();

export async function signOut(): Promise<void> {
  for (const may of signOutGuards) if (!(await may())) return;
  await api('POST', '/auth/sign-out').catch(() => undefined);
  forget('left');
}

whenSignedOut(() => forget('ended'));
addEventListener('online', () => (offline.value = false));
addEventListener('offline', () => (offline.value = true));
