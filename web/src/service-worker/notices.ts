import { type Kept, readKept, writeKept } from './kept.ts';
import { textsFor } from './texts.ts';

/** Notices of new mail: what the push only hints at is asked for with the cookie, so that push services learn nothing. */

declare const self: ServiceWorkerGlobalScope;

const MAIL = 'urn:ietf:params:jmap:mail';
/** Messages that get a notice of their own; more are told as a number. */
const SINGLE = 3;
const ICON = '/icon-192.png';

interface Message {
  readonly id: string;
  readonly threadId: string;
  readonly subject: string | null;
  readonly from: readonly { readonly name: string | null; readonly email: string }[] | null;
  readonly receivedAt: string;
}

type Answers = readonly (readonly [name: string, answer: Record<string, unknown>, id: string])[];

/** Asks JMAP as the signed-in person; throws when nobody is, or there is no network. */
export async function ask(methodCalls: readonly unknown[], using: readonly string[] = []): Promise<Answers> {
  const response = await fetch('/jmap/api', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'X-Postern': '1', 'Content-Type': 'application/json' },
    body: JSON.stringify({ using: ['urn:ietf:params:jmap:core', ...using], methodCalls }),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return ((await response.json()) as { methodResponses: Answers }).methodResponses;
}

async function ownAccount(): Promise<string> {
  const response = await fetch('/jmap/session', {
    credentials: 'same-origin',
    headers: { 'X-Postern': '1' },
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const { primaryAccounts } = (await response.json()) as { primaryAccounts: Record<string, string> };
  const account = primaryAccounts[MAIL];
  if (account === undefined) throw new Error('there is no mail');
  return account;
}

/** Something has changed at the server: tell of what came to the inbox since the last time. */
export async function tellNewMail(): Promise<void> {
  const kept = await readKept();
  let news: { messages: readonly Message[]; unread: number };
  try {
    news = await newMail(kept.toldUntil);
  } catch {
    // Signed out, or no network just now: browsers want to see something for a push.
    return showOne(textsFor(kept.language).newMail, '', '/mail', 'postern');
  }
  await badge(news.unread);
  if (news.messages.length === 0) return;
  const toldUntil = Math.max(...news.messages.map(({ receivedAt }) => Date.parse(receivedAt)));
  await writeKept({ toldUntil });
  if (await isWatched()) return;
  await show(news.messages, kept);
}

async function newMail(since: number): Promise<{ messages: readonly Message[]; unread: number }> {
  const accountId = await ownAccount();
  const [boxes] = await ask(
    [['Mailbox/get', { accountId, ids: null, properties: ['id', 'role', 'unreadEmails'] }, 'a']],
    [MAIL],
  );
  const list = (boxes?.[1]['list'] ?? []) as readonly {
    id: string;
    role: string | null;
    unreadEmails: number;
  }[];
  const inbox = list.find(({ role }) => role === 'inbox');
  if (inbox === undefined) return { messages: [], unread: 0 };
  const after = new Date(since).toISOString().replace(/\.\d+Z$/, 'Z');
  const answers = await ask(
    [
      [
        'Email/query',
        {
          accountId,
          filter: { inMailbox: inbox.id, notKeyword: '$seen', after },
          sort: [{ property: 'receivedAt', isAscending: false }],
          limit: 50,
        },
        'a',
      ],
      [
        'Email/get',
        {
          accountId,
          '#ids': { resultOf: 'a', name: 'Email/query', path: '/ids' },
          properties: ['id', 'threadId', 'subject', 'from', 'receivedAt'],
        },
        'b',
      ],
    ],
    [MAIL],
  );
  const found = (answers[1]?.[1]['list'] ?? []) as readonly Message[];
  // The question knows seconds only.
  const messages = found.filter(({ receivedAt }) => Date.parse(receivedAt) > since);
  return { messages, unread: inbox.unreadEmails };
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

async function show(messages: readonly Message[], { notices, language }: Kept): Promise<void> {
  const t = textsFor(language);
  if (notices === 'count' || messages.length > SINGLE) {
    const title = messages.length === 1 ? t.newMail : t.newMails.replace('{count}', String(messages.length));
    return showOne(title, '', '/mail', 'postern');
  }
  for (const { id, threadId, from, subject } of messages) {
    const [sender] = from ?? [];
    const name = (sender?.name ?? '') === '' ? (sender?.email ?? t.newMail) : (sender?.name ?? '');
    await showOne(
      name,
      subject === null || subject === '' ? t.noSubject : subject,
      `/mail/inbox/${encodeURIComponent(threadId)}`,
      id,
    );
  }
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
  await ask([['PushSubscription/set', { update: { [id]: { verificationCode } } }, 'a']]);
}
