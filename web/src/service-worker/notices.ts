import { changeKept, forgetKept, type Kept, readKept } from './kept.ts';
import { type Answered, type Ask, currentState, MAIL, type Message, type News, newsSince } from './news.ts';
import { textsFor } from './texts.ts';

/** Notices of new mail: what the push only hints at is asked for with the cookie, so that push services learn nothing. */

declare const self: ServiceWorkerGlobalScope;

/** Messages that get a notice of their own; more are told as a number. */
const SINGLE = 3;
const ICON = '/icon-192.png';
const CORE = 'urn:ietf:params:jmap:core';
/** Milliseconds for one answer: the browser ends a worker that waits for ever, and what it had to say is not said. */
const ANSWER_MS = 20_000;

async function ask(methodCalls: Parameters<Ask>[0], using: readonly string[] = [MAIL]): Promise<Answered> {
  const response = await fetch('/jmap/api', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'X-Postern': '1', 'Content-Type': 'application/json' },
    body: JSON.stringify({ using: [CORE, ...using], methodCalls }),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const { methodResponses } = (await response.json()) as { methodResponses: Answered['answers'] };
  const date = Date.parse(response.headers.get('Date') ?? '');
  return { answers: methodResponses, at: Number.isNaN(date) ? Date.now() : date };
}

async function ownAccount(): Promise<string> {
  const response = await fetch('/jmap/session', {
    credentials: 'same-origin',
    headers: { 'X-Postern': '1' },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const { primaryAccounts } = (await response.json()) as { primaryAccounts: Record<string, string> };
  const account = primaryAccounts[MAIL];
  if (account === undefined) throw new Error('there is no mail');
  return account;
}

let last: Promise<unknown> = Promise.resolve();
let waiting: Promise<void> | undefined;

/** One after the other: each begins with what the one before has written down. */
function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const turn = last.then(run, run);
  last = turn.catch(() => undefined);
  return turn;
}

/** Something has changed at the server: tell of what came to the inbox since the last time. */
export function tellNewMail(): Promise<void> {
  // One that has not begun yet tells of this as well.
  waiting ??= inTurn(() => {
    waiting = undefined;
    return tell();
  });
  return waiting;
}

async function tell(): Promise<void> {
  const kept = await readKept();
  let accountId: string;
  let news: News;
  try {
    accountId = await ownAccount();
    news = await newsSince(ask, accountId, kept.accountId === accountId ? kept.emailState : undefined);
  } catch {
    // Signed out, or no network just now: browsers want to see something for a push.
    return showOne(textsFor(kept.language).newMail, '', '/mail', 'postern');
  }
  await badge(news.unread);
  if ((news.messages.length > 0 || news.lately > 0) && !(await isWatched())) await show(news, kept);
  // Last: what ends in between is told again, in the place of the same notice.
  await changeKept({ accountId, emailState: news.state });
  return undefined;
}

export interface Settings {
  readonly notices: Kept['notices'];
  readonly language: string;
}

/** A page says what is wanted. Somebody looks at the app then: what is there by now needs no notice. */
export function takeSettings({ notices, language }: Settings): Promise<void> {
  return inTurn(async () => {
    await changeKept({ notices, language });
    try {
      const accountId = await ownAccount();
      await changeKept({ accountId, emailState: await currentState(ask, accountId) });
    } catch {
      // No network: the next push goes by what was known.
    }
  });
}

/** Nobody is signed in here any more. */
export function forget(): Promise<void> {
  return inTurn(forgetKept);
}

async function badge(unread: number): Promise<void> {
  const { navigator } = self as unknown as {
    navigator: { setAppBadge?(count: number): Promise<void>; clearAppBadge?(): Promise<void> };
  };
  if (unread > 0) await navigator.setAppBadge?.(unread).catch(() => undefined);
  else await navigator.clearAppBadge?.().catch(() => undefined);
}

/** Somebody looks at the app: it shows new mail itself. */
async function isWatched(): Promise<boolean> {
  const windows = await self.clients.matchAll({ type: 'window' });
  return windows.some(({ focused, visibilityState }) => focused && visibilityState === 'visible');
}

async function show({ messages, lately }: News, { notices, language }: Kept): Promise<void> {
  const t = textsFor(language);
  const count = messages.length + lately;
  if (notices === 'count' || lately > 0 || count > SINGLE) {
    const title = count === 1 ? t.newMail : t.newMails.replace('{count}', String(count));
    return showOne(title, '', '/mail', 'postern');
  }
  for (const message of messages) await showMessage(message, t);
}

async function showMessage(
  { id, threadId, from, subject }: Message,
  t: ReturnType<typeof textsFor>,
): Promise<void> {
  const [sender] = from ?? [];
  const name = (sender?.name ?? '') === '' ? (sender?.email ?? t.newMail) : (sender?.name ?? '');
  await showOne(
    name,
    subject === null || subject === '' ? t.noSubject : subject,
    `/mail/inbox/${encodeURIComponent(threadId)}`,
    id,
  );
}

async function showOne(title: string, body: string, path: string, tag: string): Promise<void> {
  await self.registration.showNotification(title, { body, tag, icon: ICON, badge: ICON, data: { path } });
}

/** A notice was clicked: the window that is open goes there, or a new one opens. */
export async function openFrom(notification: Notification): Promise<void> {
  notification.close();
  const { path = '/mail' } = (notification.data ?? {}) as { path?: string };
  const [open] = await self.clients.matchAll({ type: 'window' });
  if (open === undefined) {
    await self.clients.openWindow(path);
    return;
  }
  await open.focus();
  open.postMessage({ kind: 'go', path });
}

/** RFC 8620 section 7.2.2: the server asks whether we hear it. */
export async function verify(id: string, verificationCode: string): Promise<void> {
  await ask([['PushSubscription/set', { update: { [id]: { verificationCode } } }, 'a']], []);
}
