import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { confirm } from '../base/dialog.tsx';
import { texts } from '../base/i18n.ts';
import { preferences } from '../base/preferences.ts';
import { me } from '../base/session.ts';
import { toast, toastError } from '../base/toast.tsx';
import { formatDateTime } from '../base/format.ts';
import { ownAccountId } from '../jmap/client.ts';
import { type Attachment, type Draft, isBlank } from './draft.ts';
import { draftFor, signatureText } from './load.ts';
import { dropDraft, dropOutbox, keepDraft, keptDraft } from './local.ts';
import { closeWindow, type ComposeWish, openCompose } from './open.ts';
import { keepWhileSending, queueToSend, sendWaiting } from './outbox.ts';
import { type Problem, problemAfter, problemBefore } from './problems.ts';
import type { SaveState } from './save-state.ts';
import { createSaver, type Saver } from './saver.ts';
import { newMessageId } from './quoting.ts';
import { NotSent, type Sent, sendDraft, SentOtherwise, undoSend } from './sending.ts';
import {
  destroyEmail,
  fetchBlob,
  isOffline,
  loadSenders,
  mostAttachedOctets,
  mostHoldSeconds,
  type Senders,
} from './server.ts';
import { createUploads, type Uploads } from './uploads.ts';

/** What a window does, apart from how it looks. */

export interface Body {
  readonly html: string;
  readonly text: string;
}

export interface Controller {
  readonly key: string;
  readonly draft: Signal<Draft>;
  readonly known: Senders;
  readonly uploads: Uploads;
  readonly saved: ReadonlySignal<SaveState>;
  readonly problem: Signal<Problem | undefined>;
  readonly sending: Signal<boolean>;
  /** URLs of the pictures in the text, by Content-ID. */
  readonly pictures: Signal<ReadonlyMap<string, string>>;
  /** The editor tells what stands in it when it is asked. */
  readBody: (() => Body) | undefined;
  change(patch: Partial<Draft>): void;
  /** The body was changed. */
  touched(): void;
  attach(files: readonly File[], inline?: boolean): readonly Attachment[];
  detach(key: string): void;
  retry(key: string): void;
  send(sendAt?: number): Promise<void>;
  /** Close the window; what was written stays a draft. */
  close(): Promise<void>;
  discard(): Promise<void>;
}

/** Have a window's draft: as this device kept it, else as its wish says. */
export async function createController(key: string, wish: ComposeWish): Promise<Controller> {
  const t = texts('compose');
  const kept = await keptDraft(key).catch(() => undefined);
  const loaded = kept === undefined ? await draftFor(key, wish, t) : undefined;
  const known =
    loaded?.known ?? (await loadSenders().catch((): Senders => ({ senders: [], identities: [] })));
  const first = kept?.draft ?? loaded?.draft;
  if (first === undefined) throw new Error('there is no draft');
  return control(first, known, kept?.dirty === true);
}

function control(first: Draft, known: Senders, dirty: boolean): Controller {
  const draft = signal(first);
  const problem = signal<Problem | undefined>(undefined);
  const sending = signal(false);
  const pictures = signal<ReadonlyMap<string, string>>(new Map());
  const account = me.value?.address ?? '';
  let bodyTouched = false;
  let over = false;
  /** Somebody else changed or sent the draft meanwhile. */
  let shared = false;
  /** The window was closed while files were still on their way: sending goes no further here. */
  let halted = false;
  let wantedAt: number | undefined;

  const snapshot = (): Draft => {
    if (bodyTouched && controller.readBody !== undefined) {
      draft.value = { ...draft.value, ...controller.readBody() };
      bodyTouched = false;
    }
    return draft.value;
  };
  const saver: Saver = createSaver(
    snapshot,
    ({ emailId, attachments, replaced }) => {
      const now = new Map(attachments.map((each) => [each.key, each]));
      draft.value = {
        ...draft.value,
        emailId,
        // Those added meanwhile stay as they are.
        attachments: draft.value.attachments.map((each) => ({ ...each, ...blobOf(now.get(each.key)) })),
      };
      if (!replaced) return;
      shared = true;
      toast(texts('compose')('changedElsewhere'));
    },
    dirty,
  );
  const uploads = createUploads((key, blobId, size) => {
    change({
      attachments: draft.value.attachments.map((each) =>
        each.key === key ? { ...each, blobId, size } : each,
      ),
    });
  });
  const change = (patch: Partial<Draft>): void => {
    if (over) return;
    draft.value = { ...draft.value, ...patch };
    if (isAbout(problem.value, patch)) problem.value = undefined;
    saver.changed();
  };
  const finish = async (): Promise<void> => {
    over = true;
    uploads.stop();
    await saver.stop();
    await dropDraft(first.key).catch(() => undefined);
    for (const url of pictures.value.values()) if (url.startsWith('blob:')) URL.revokeObjectURL(url);
    closeWindow(first.key);
  };

  const controller: Controller = {
    key: first.key,
    draft,
    known,
    uploads,
    saved: computed(() => saver.state.value),
    problem,
    sending,
    pictures,
    readBody: undefined,
    change,
    touched() {
      bodyTouched = true;
      if (!over) saver.changed();
    },
    attach(files, inline = false) {
      const added = files.map(
        (file): Attachment => ({
          key: crypto.randomUUID(),
          name: file.name === '' ? 'file' : file.name,
          type: file.type,
          size: file.size,
          file,
          ...(inline && {
            cid: `${crypto.randomUUID()}@${draft.value.messageId.split('@')[1] ?? 'mail.invalid'}`,
          }),
        }),
      );
      if (inline) {
        const urls = new Map(pictures.value);
        for (const { cid, file } of added)
          if (cid !== undefined && file !== undefined) urls.set(cid, URL.createObjectURL(file));
        pictures.value = urls;
      }
      change({ attachments: [...draft.value.attachments, ...added] });
      for (const each of added) uploads.start(each);
      return added;
    },
    detach(key) {
      uploads.cancel(key);
      change({ attachments: draft.value.attachments.filter((each) => each.key !== key) });
    },
    retry(key) {
      const found = draft.value.attachments.find((each) => each.key === key);
      if (found !== undefined) uploads.start(found);
    },
    async send(sendAt) {
      if (sending.value || over) return;
      const t = texts('compose');
      const whole = withoutUnused(snapshot());
      const before = problemBefore(whole, mostAttachedOctets(), t);
      problem.value = before;
      if (before !== undefined) return;
      sending.value = true;
      let otherwise = false;
      try {
        await sendNow(whole, sendAt, t);
      } catch (error) {
        otherwise = error instanceof SentOtherwise;
        if (error instanceof NotSent || error instanceof SentOtherwise)
          draft.value = { ...draft.value, emailId: error.emailId };
        // What stands here is a message of its own from now on, whether it is sent or not.
        if (otherwise)
          draft.value = { ...draft.value, messageId: newMessageId(draft.value.from?.email ?? '') };
        else problem.value = problemAfter(error, t);
        over = false;
        saver.restart();
      } finally {
        sending.value = false;
      }
      if (otherwise && (await confirmAnew(t))) await controller.send(sendAt);
    },
    async close() {
      // It is on its way: the window goes when it is sent, or says why it is not.
      if (sending.value && over) return;
      if (sending.value) return sendBehind();
      const now = snapshot();
      // Nothing was written: nothing is kept.
      if (now.emailId === undefined && isBlank(now, signatureText(known, now.from))) return finish();
      const done =
        saver.state.value.phase === 'clean' && now.emailId !== undefined ? true : await saver.flush();
      if (done) return finish();
      // It stays on this device, and goes to the server the next time.
      over = true;
      uploads.stop();
      await keepDraft(snapshot(), true).catch(() => undefined);
      await saver.stop();
      closeWindow(first.key);
      const t = texts('compose');
      const { phase, reason = '' } = saver.state.value;
      toast(phase === 'failed' ? t('keptHereOnly', { reason }) : t('keptHere'));
    },
    async discard() {
      if (sending.value && over) return;
      halted = sending.value;
      const now = snapshot();
      await finish();
      const t = texts('compose');
      let undone = false;
      const UNDO_MS = 8000;
      toast(t('discarded'), {
        ms: UNDO_MS,
        action: {
          label: texts('base')('undo'),
          run: () => {
            undone = true;
            void keepDraft(now, true).then(() => openCompose({ localKey: now.key }));
          },
        },
      });
      setTimeout(() => {
        const { emailId } = now;
        if (!undone && emailId !== undefined) destroyEmail(emailId).catch(toastError);
      }, UNDO_MS);
    },
  };

  async function sendNow(whole: Draft, sendAt: number | undefined, t: ReturnType<typeof texts<'compose'>>) {
    if (!navigator.onLine) return later(whole, sendAt, t);
    wantedAt = sendAt;
    const complete = await uploads.finished();
    if (halted) return;
    // What could not be sent to the server for want of an answer waits with the message.
    if (!complete && !uploads.unreached()) throw new Error(t('uploadsFailed'));
    over = true;
    // As it is now: with large files there was time to write on.
    const last = withoutUnused(snapshot());
    await saver.stop();
    const ready = { ...last, ...blobsNow(last, draft.value) };
    const holdSeconds = sendAt === undefined ? preferences.value.undoSendSeconds : 0;
    // Whoever leaves the page now has sent it all the same: it goes the next time. No room: then only while the page is here.
    await keepWhileSending(ready, sendAt, account).catch(() => undefined);
    try {
      const sent = await sendDraft(ready, { holdSeconds, sendAt, uncertain: saver.uncertain(), shared });
      await dropOutbox(first.key).catch(() => undefined);
      await finish();
      told({ ...ready, emailId: sent.emailId }, sent, sendAt, t);
    } catch (error) {
      // The session ended: it goes when its owner has signed in again.
      if (me.value?.address !== account) return finish();
      if (isOffline(error)) return later(ready, sendAt, t);
      await dropOutbox(first.key).catch(() => undefined);
      throw error;
    }
  }

  /** Its files are still on their way, and the window is closed: all of it goes by the outbox. */
  async function sendBehind(): Promise<void> {
    halted = true;
    over = true;
    const last = withoutUnused(snapshot());
    uploads.stop();
    await saver.stop();
    await queueToSend({ ...last, ...blobsNow(last, draft.value) }, wantedAt);
    await finish();
    toast(texts('compose')('outboxSending'));
    void sendWaiting();
  }

  async function later(whole: Draft, sendAt: number | undefined, t: ReturnType<typeof texts<'compose'>>) {
    over = true;
    await queueToSend({ ...whole, ...blobsNow(whole, draft.value) }, sendAt);
    await finish();
    toast(t('outboxQueued'));
  }

  if (dirty) saver.changed();
  for (const each of first.attachments) if (each.file !== undefined) uploads.start(each);
  void showPictures(first, pictures);
  return controller;
}

/** It was sent from elsewhere, with another text: is this one to go as well? */
function confirmAnew(t: ReturnType<typeof texts<'compose'>>): Promise<boolean> {
  return confirm({
    title: t('sentOtherwiseTitle'),
    sentence: t('sentOtherwise'),
    yes: t('sendAnew'),
    no: t('keepAsDraft'),
  });
}

function blobOf(attachment: Attachment | undefined): Partial<Attachment> {
  return attachment?.blobId === undefined ? {} : { blobId: attachment.blobId };
}

/** What is known by now of the server's copy. */
function blobsNow(whole: Draft, now: Draft): Pick<Draft, 'attachments' | 'emailId'> {
  const by = new Map(now.attachments.map((each) => [each.key, each]));
  return {
    emailId: now.emailId,
    attachments: whole.attachments.map((each) => ({ ...each, ...blobOf(by.get(each.key)) })),
  };
}

/** Whether what is changed may be what was wrong: it is not said any longer then. */
function isAbout(problem: Problem | undefined, patch: Partial<Draft>): boolean {
  if (problem?.place === 'to') return 'to' in patch || 'cc' in patch || 'bcc' in patch;
  return problem !== undefined && problem.place in patch;
}

/** Pictures that were taken out of the text do not travel. */
function withoutUnused(draft: Draft): Draft {
  if (draft.format === 'plain') return draft;
  const used = (cid: string): boolean =>
    draft.html.includes(`cid:${encodeURI(cid)}`) || draft.html.includes(`cid:${cid}`);
  return {
    ...draft,
    attachments: draft.attachments.filter(({ cid }) => cid === undefined || used(cid)),
  };
}

/** Octets of one picture that is fetched to be shown in the text. */
const MOST_PICTURE = 10_000_000;

async function showPictures(draft: Draft, pictures: Signal<ReadonlyMap<string, string>>): Promise<void> {
  for (const { cid, file, blobId, type, size } of draft.attachments) {
    if (cid === undefined || size > MOST_PICTURE || !/^image\/(?:png|jpeg|gif|webp|bmp|avif)$/i.test(type))
      continue;
    try {
      const octets =
        file ??
        (blobId === undefined ? undefined : new Blob([await fetchBlob(ownAccountId(), blobId)], { type }));
      if (octets !== undefined)
        pictures.value = new Map(pictures.value).set(cid, URL.createObjectURL(octets));
    } catch {
      // It is shown as missing; the message has it all the same.
    }
  }
}

/** Say that it was sent, with the way back while there is one. */
function told(
  draft: Draft,
  { submissionId, leavesAt, elsewhere }: Sent,
  sendAt: number | undefined,
  t: ReturnType<typeof texts<'compose'>>,
): void {
  const undo = async (): Promise<void> => {
    try {
      await undoSend(submissionId, draft.emailId ?? '');
      await keepDraft(draft, false);
      openCompose({ localKey: draft.key });
    } catch (error) {
      toast(isOffline(error) ? t('notReached') : t('cannotUndo'), { bad: true });
    }
  };
  const action = { label: texts('base')('undo'), run: () => void undo() };
  // From elsewhere it may go at another time than the one that was wished here.
  if (elsewhere) {
    if (leavesAt === undefined) toast(t('sentElsewhere'));
    else toast(t('leavesElsewhere', { when: formatDateTime(leavesAt) }), { action });
    return;
  }
  if (sendAt !== undefined) {
    const held = leavesAt !== undefined;
    toast(t(held ? 'scheduledFor' : 'sent', { when: formatDateTime(sendAt) }), held ? { action } : {});
    return;
  }
  const left = leavesAt === undefined ? 0 : leavesAt - Date.now();
  if (left > 0 && mostHoldSeconds() > 0) toast(t('sent'), { action, ms: left });
  else toast(t('sent'));
}
