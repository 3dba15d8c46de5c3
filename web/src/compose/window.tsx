import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { formatShort } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { AttachmentList, useDrop } from './attachments.tsx';
import { BodyField, type BodyHandle } from './body.tsx';
import type { Controller } from './controller.ts';
import { type Draft, isBlank } from './draft.ts';
import { mentionsAttachment } from './forgotten.ts';
import { FromField } from './from-field.tsx';
import { signatureHtml, signatureText } from './load.ts';
import { frontWindow } from './open.ts';
import type { SaveState } from './save-state.ts';
import { RecipientsField } from './recipients-field.tsx';
import { SendButtons } from './send-buttons.tsx';

/** Where a window is the whole screen, as in compose.css. */
const PHONE = '(max-width: 700px)';

type Shape = 'normal' | 'small' | 'full';

interface WindowProps {
  readonly controller: Controller;
  readonly isFront: boolean;
}

/** One message that is being written. */
export function ComposeWindow({ controller, isFront }: WindowProps) {
  const t = texts('compose');
  const [shape, setShape] = useState<Shape>('normal');
  const draft = controller.draft.value;
  const titleId = useId();
  const section = useRef<HTMLElement>(null);
  const body = useRef<BodyHandle | null>(null);
  const title = draft.subject.trim() === '' ? t('newMessage') : draft.subject;
  const drop = useDrop(controller, body);
  useFirstFocus(section, draft, body);
  useBackButton(controller);
  useEffect(() => {
    if (isFront && shape === 'small') setShape('normal');
  }, [isFront]);
  const close = (): void => void controller.close();
  const discard = async (): Promise<void> => {
    const nothing = isBlank(draft, signatureText(controller.known, draft.from));
    if (nothing && draft.emailId === undefined) return controller.close();
    return controller.discard();
  };
  const send = async (sendAt?: number): Promise<void> => {
    if (await mayGo(controller)) await controller.send(sendAt);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void send();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      if (shape === 'full') setShape('normal');
      else if (matchMedia(PHONE).matches) close();
      else setShape('small');
    }
  };
  const minimise = shape === 'small' ? t('restore') : t('minimise');
  return (
    <section
      ref={section}
      class={`compose-window ${shape}${isFront ? ' front' : ''}`}
      aria-labelledby={titleId}
      onKeyDown={onKeyDown}
      onFocusIn={() => (frontWindow.value = controller.key)}
      {...drop}
    >
      <header class="compose-head">
        <h2 id={titleId} class="cut" dir="auto">
          {title}
        </h2>
        <SavedText state={controller.saved.value} />
        <button
          type="button"
          class="icon-button compose-desktop"
          aria-label={minimise}
          title={minimise}
          aria-expanded={shape !== 'small'}
          onClick={() => setShape(shape === 'small' ? 'normal' : 'small')}
        >
          <Icon name={shape === 'small' ? 'up' : 'minus'} />
        </button>
        <button
          type="button"
          class="icon-button compose-desktop"
          aria-label={shape === 'full' ? t('restore') : t('fullScreen')}
          title={shape === 'full' ? t('restore') : t('fullScreen')}
          onClick={() => setShape(shape === 'full' ? 'normal' : 'full')}
        >
          <Icon name="external" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={t('saveAndClose')}
          title={t('saveAndClose')}
          onClick={close}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="compose-rest" hidden={shape === 'small'}>
        <Fields controller={controller} body={body} />
        <BodyField controller={controller} handle={body} />
        <AttachmentList controller={controller} />
        <WholeProblem controller={controller} />
        <SendButtons controller={controller} body={body} onSend={send} onDiscard={() => void discard()} />
      </div>
    </section>
  );
}

/** On a phone, where the window is the whole screen, Back closes it; what was written is kept. */
function useBackButton(controller: Controller): void {
  useEffect(() => {
    if (!matchMedia(PHONE).matches) return undefined;
    const { key } = controller;
    const here = (): boolean => (history.state as { composing?: string } | null)?.composing === key;
    if (!here()) history.pushState({ composing: key }, '');
    let left = false;
    const onBack = (): void => {
      if (left || here()) return;
      const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
      if (dialog !== undefined) {
        // It is about this window: it is what Back closes.
        history.pushState({ composing: key }, '');
        dialog.dispatchEvent(new Event('cancel', { cancelable: true }));
        return;
      }
      left = true;
      void controller.close();
    };
    addEventListener('popstate', onBack);
    return () => {
      removeEventListener('popstate', onBack);
      // Closed otherwise: its place in the history goes with it.
      if (!left && here()) history.back();
    };
  }, []);
}

/** What is forgotten easily is asked about. */
async function mayGo(controller: Controller): Promise<boolean> {
  const t = texts('compose');
  controller.draft.value = { ...controller.draft.value, ...controller.readBody?.() };
  const { subject, text, attachments, purpose } = controller.draft.value;
  const own = purpose.startsWith('forward') ? text.split(`-------- ${t('forwardTitle')}`)[0] : text;
  const files = attachments.filter(({ cid }) => cid === undefined);
  if (files.length === 0 && mentionsAttachment(purpose === 'new' ? subject : '', own ?? '')) {
    if (!(await confirm({ title: t('forgottenTitle'), sentence: t('forgotten'), yes: t('sendAnyway') })))
      return false;
  }
  if (subject.trim() === '')
    return confirm({ title: t('noSubjectTitle'), sentence: t('noSubject'), yes: t('sendAnyway') });
  return true;
}

function useFirstFocus(
  section: { current: HTMLElement | null },
  draft: Draft,
  body: { current: BodyHandle | null },
): void {
  useEffect(() => {
    if (draft.to.length === 0) section.current?.querySelector<HTMLInputElement>('.compose-to input')?.focus();
    else if (draft.subject === '')
      section.current?.querySelector<HTMLInputElement>('.compose-subject')?.focus();
    else body.current?.focus(true);
  }, []);
}

function Fields({
  controller,
  body,
}: {
  readonly controller: Controller;
  readonly body: { current: BodyHandle | null };
}) {
  const t = texts('compose');
  const draft = controller.draft.value;
  const [more, setMore] = useState({ cc: draft.cc.length > 0, bcc: draft.bcc.length > 0 });
  const subjectId = useId();
  const problem = controller.problem.value;
  return (
    <div class="compose-fields">
      <FromField
        senders={controller.known.senders}
        from={draft.from}
        problem={problem?.place === 'from' ? problem.sentence : undefined}
        onChange={(from) => {
          controller.change({ from });
          body.current?.setSignature(
            signatureHtml(controller.known, from),
            signatureText(controller.known, from),
          );
        }}
      />
      <RecipientsField
        class="compose-to"
        label={t('to')}
        addresses={draft.to}
        problem={problem?.place === 'to' ? problem.sentence : undefined}
        onChange={(to) => controller.change({ to })}
      >
        <span class="compose-more">
          {!more.cc && (
            <button type="button" class="compose-link" onClick={() => setMore({ ...more, cc: true })}>
              {t('cc')}
            </button>
          )}
          {!more.bcc && (
            <button type="button" class="compose-link" onClick={() => setMore({ ...more, bcc: true })}>
              {t('bcc')}
            </button>
          )}
        </span>
      </RecipientsField>
      {more.cc && (
        <RecipientsField
          label={t('cc')}
          addresses={draft.cc}
          autofocus={draft.cc.length === 0}
          onChange={(cc) => controller.change({ cc })}
        />
      )}
      {more.bcc && (
        <RecipientsField
          label={t('bcc')}
          addresses={draft.bcc}
          autofocus={draft.bcc.length === 0}
          onChange={(bcc) => controller.change({ bcc })}
        />
      )}
      <div class="compose-row">
        <label for={subjectId}>{t('subject')}</label>
        <input
          id={subjectId}
          class="compose-subject"
          dir="auto"
          maxLength={900}
          spellcheck
          value={draft.subject}
          onInput={(event) =>
            controller.change({ subject: event.currentTarget.value.replace(/[\r\n]+/g, ' ') })
          }
        />
      </div>
    </div>
  );
}

function SavedText({ state }: { readonly state: SaveState }) {
  const t = texts('compose');
  const sentence =
    state.phase === 'saving'
      ? t('saving')
      : state.phase === 'offline'
        ? t('savedHere')
        : state.phase === 'failed'
          ? t('notSaved', { reason: state.reason ?? '' })
          : state.savedAt !== undefined && state.phase === 'clean'
            ? t('savedAt', { time: formatShort(state.savedAt) })
            : '';
  return (
    <span
      class={state.phase === 'failed' ? 'compose-saved bad' : 'compose-saved'}
      role="status"
      title={sentence}
    >
      {sentence}
    </span>
  );
}

function WholeProblem({ controller }: { readonly controller: Controller }) {
  const problem = controller.problem.value;
  const shown = problem !== undefined && problem.place !== 'to' && problem.place !== 'from';
  return <div role="alert">{shown && <p class="note danger compose-problem">{problem.sentence}</p>}</div>;
}
