import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { texts } from './i18n.ts';
import { Icon } from './icon.tsx';
import { raiseToasts } from './toast.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
  /** Buttons at its end. */
  readonly foot?: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus in it, Escape closes it. */
export function Dialog({ title, onClose, wide = false, children, foot }: DialogProps) {
  const t = texts('base');
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    dialog?.showModal();
    raiseToasts();
    return () => {
      // Before it is taken out of the page, with what is in it.
      dialog?.close();
      raiseToasts();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" class="icon-button" aria-label={t('close')} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class="dialog-body">
        {children}
        {foot !== undefined && <div class="dialog-foot">{foot}</div>}
      </div>
    </dialog>
  );
}

interface Question {
  readonly title: string;
  readonly sentence?: string;
  readonly yes: string;
  /** What is done instead; "Cancel" otherwise. */
  readonly no?: string;
  readonly danger?: boolean;
  readonly answer: (yes: boolean) => void;
}

const question = signal<Question | undefined>(undefined);

/** Ask before something that cannot be undone. `yes` names what will be done ("Delete 3 messages"). */
export function confirm(ask: Omit<Question, 'answer'>): Promise<boolean> {
  question.value?.answer(false);
  return new Promise((resolve) => {
    question.value = {
      ...ask,
      answer(yes) {
        question.value = undefined;
        resolve(yes);
      },
    };
  });
}

export function Dialogs() {
  const t = texts('base');
  const asked = question.value;
  if (asked === undefined) return null;
  return (
    <Dialog
      title={asked.title}
      onClose={() => asked.answer(false)}
      foot={
        <>
          <button type="button" class="button" onClick={() => asked.answer(false)}>
            {asked.no ?? t('cancel')}
          </button>
          <button
            type="button"
            class={asked.danger === true ? 'button danger' : 'button primary'}
            onClick={() => asked.answer(true)}
          >
            {asked.yes}
          </button>
        </>
      }
    >
      {asked.sentence !== undefined && <p>{asked.sentence}</p>}
    </Dialog>
  );
}
