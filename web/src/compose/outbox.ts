import { effect, signal } from '@preact/signals';
import { texts } from '../base/i18n.ts';
import { me, offline } from '../base/session.ts';
import { toast } from '../base/toast.tsx';
import { loadSession, ownAccountId, upload } from '../jmap/client.ts';
import type { Draft } from './draft.ts';
import {
  dropDraft,
  dropOutbox,
  keepDraft,
  lockName,
  type OutboxEntry,
  outboxEntries,
  putOutbox,
} from './local.ts';
import { openCompose } from './open.ts';
import { problemAfter } from './problems.ts';
import { sendDraft } from './sending.ts';
import { isOffline } from './server.ts';

/** Messages that were sent while the server could not be reached: they wait on this device and go when it can. */

/** How many wait. */
export const waitingToSend = signal(0);

const RETRY_MS = 60_000;
/** Milliseconds after which what a window has is looked at again. */
const BUSY_MS = 5000;
let retry: ReturnType<typeof setTimeout> | undefined;

export async function queueToSend(draft: Draft, sendAt: number | undefined): Promise<void> {
  const account = me.value?.address ?? '';
  await putOutbox({ key: draft.key, account, draft, sendAt, queuedAt: Date.now() });
  await count();
  retry ??= setTimeout(() => void sendWaiting(), RETRY_MS);
}

/** A window sends it now; where the page is left before it knows the end, it waits here for the next time. */
export async function keepWhileSending(
  draft: Draft,
  sendAt: number | undefined,
  account: string,
): Promise<void> {
  if (account !== '') await putOutbox({ key: draft.key, account, draft, sendAt, queuedAt: Date.now() });
}

async function count(): Promise<void> {
  waitingToSend.value = (await outboxEntries().catch(() => [])).length;
}

/** Send what waits. Only one tab does; what the server refuses is opened again for the person to mend. */
export async function sendWaiting(): Promise<void> {
  clearTimeout(retry);
  retry = undefined;
  if (me.value === undefined) return;
  await navigator.locks.request('postern-outbox', { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    const entries = (await outboxEntries().catch(() => [])).filter(({ problem }) => problem === undefined);
    let sent = 0;
    for (const entry of entries) {
      const outcome = await withWindowClosed(entry.key, () => sendOne(entry));
      if (outcome === undefined) retry ??= setTimeout(() => void sendWaiting(), BUSY_MS);
      if (outcome === 'offline') {
        clearTimeout(retry);
        retry = setTimeout(() => void sendWaiting(), RETRY_MS);
        break;
      }
      if (outcome === 'sent') sent++;
    }
    if (sent > 0) toast(texts('compose')('outboxSent', { count: sent }));
  });
  await count();
}

/** Unless a window has it, in whatever tab: that one sends it, or goes on writing it. */
function withWindowClosed<T>(key: string, run: () => Promise<T>): Promise<T | undefined> {
  return navigator.locks.request(lockName(key), { ifAvailable: true }, (lock) =>
    lock === null ? undefined : run(),
  );
}

async function sendOne(entry: OutboxEntry): Promise<'sent' | 'refused' | 'offline'> {
  const { key, draft } = entry;
  try {
    await loadSession();
    const ready = await withUploads(draft);
    // The time it was meant for has passed: it goes now.
    const sendAt = entry.sendAt !== undefined && entry.sendAt > Date.now() ? entry.sendAt : undefined;
    await sendDraft(ready, { holdSeconds: 0, sendAt, uncertain: true, shared: false });
    await dropOutbox(key);
    await dropDraft(key);
    return 'sent';
  } catch (error) {
    if (isOffline(error)) return 'offline';
    const { sentence } = problemAfter(error, texts('compose'));
    await putOutbox({ ...entry, problem: sentence });
    toast(sentence, {
      bad: true,
      action: { label: texts('compose')('openAgain'), run: () => void openAgain(key) },
    });
    return 'refused';
  }
}

async function withUploads(draft: Draft): Promise<Draft> {
  const attachments = [];
  for (const each of draft.attachments) {
    if (each.blobId !== undefined || each.file === undefined) attachments.push(each);
    else {
      const { blobId, size } = await upload(ownAccountId(), each.file);
      attachments.push({ ...each, blobId, size });
    }
  }
  return { ...draft, attachments };
}

/** Take a message out of the outbox and go on writing it. */
export async function openAgain(key: string): Promise<void> {
  const taken = await withWindowClosed(key, async () => {
    const entry = (await outboxEntries()).find((each) => each.key === key);
    if (entry === undefined) return false;
    await keepDraft(entry.draft, true);
    await dropOutbox(key);
    return true;
  });
  if (taken !== true) return;
  await count();
  openCompose({ localKey: key });
}

let wasOffline = offline.value;
/** As soon as the server answers again. */
effect(() => {
  const now = offline.value;
  if (wasOffline && !now && waitingToSend.peek() > 0) void sendWaiting();
  wasOffline = now;
});
