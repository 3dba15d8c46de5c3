import { effect } from '@preact/signals';
import { confirm } from '../base/dialog.tsx';
import { loadTexts, texts } from '../base/i18n.ts';
import { me, OPEN_WINDOWS, signOutGuards } from '../base/session.ts';
import { loadSession, ownAccountId, upload } from '../jmap/client.ts';
import type { Draft } from './draft.ts';
import { dropDraft, dropOthers, keptDrafts, lockName, outboxEntries } from './local.ts';
import { openCompose, openWindows } from './open.ts';
import { sendWaiting } from './outbox.ts';
import { isOffline, saveDraft } from './server.ts';

/** When the app begins: windows that this tab had open come back, drafts that only this device has go to the server. */

/** What only this device has would be gone: it is asked first. */
async function maySignOut(): Promise<boolean> {
  const [waiting, drafts] = await Promise.all([
    outboxEntries().catch(() => []),
    keptDrafts().catch(() => []),
  ]);
  const keys = new Set(waiting.map(({ key }) => key));
  const unsaved = drafts.filter(({ key, dirty }) => dirty && !keys.has(key)).length;
  if (waiting.length + unsaved === 0) return true;
  await loadTexts('compose');
  const t = texts('compose');
  const sentences = [
    ...(waiting.length > 0 ? [t('signOutWaiting', { count: waiting.length })] : []),
    ...(unsaved > 0 ? [t('signOutUnsaved', { count: unsaved })] : []),
    t('signOutLost'),
  ];
  return confirm({
    title: t('signOutTitle'),
    sentence: sentences.join(' '),
    yes: t('signOutYes'),
    danger: true,
  });
}
signOutGuards.add(maySignOut);

let watching: (() => void) | undefined;

export async function resume(): Promise<void> {
  const before = readOpen();
  await dropOthers().catch(() => undefined);
  const kept = await keptDrafts().catch(() => []);
  // What was being sent when the page was left is not written on: it goes.
  const waiting = new Set((await outboxEntries().catch(() => [])).map(({ key }) => key));
  const keys = new Set(kept.map(({ key }) => key).filter((key) => !waiting.has(key)));
  for (const key of before) if (keys.has(key)) openCompose({ localKey: key });
  watching?.();
  watching = effect(() => {
    sessionStorage.setItem(OPEN_WINDOWS, JSON.stringify(openWindows.value.map(({ key }) => key)));
  });
  await sendWaiting();
  for (const { key, draft, dirty } of kept) {
    if (!keys.has(key)) continue;
    if (openWindows.value.some((each) => each.key === key)) continue;
    await rescue(draft, dirty);
  }
}

function readOpen(): readonly string[] {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(OPEN_WINDOWS) ?? '[]');
    return Array.isArray(found) ? found.filter((each): each is string => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

async function rescue(draft: Draft, dirty: boolean): Promise<void> {
  await navigator.locks.request(lockName(draft.key), { ifAvailable: true }, async (lock) => {
    if (lock === null || me.value === undefined) return;
    if (!dirty) return dropDraft(draft.key);
    try {
      await loadSession();
      const attachments = [];
      for (const each of draft.attachments)
        attachments.push(
          each.blobId === undefined && each.file !== undefined
            ? { ...each, blobId: (await upload(ownAccountId(), each.file)).blobId }
            : each,
        );
      await saveDraft({ ...draft, attachments }, true);
      await dropDraft(draft.key);
    } catch (error) {
      // Refused for good: it stays here, to be opened; unreachable: the next time.
      if (!isOffline(error)) openCompose({ localKey: draft.key });
    }
  });
}
