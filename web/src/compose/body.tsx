import { useEffect, useRef, useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { texts } from '../base/i18n.ts';
import { Loading } from '../base/states.tsx';
import { toastError } from '../base/toast.tsx';
import type { Controller } from './controller.ts';
import type { Format, RichEditor } from './editor.ts';
import { textToHtml } from './plain-text.ts';
import { Toolbar } from './toolbar.tsx';

/** What others may do with the body. */
export interface BodyHandle {
  focus(atStart?: boolean): void;
  setSignature(html: string, text: string): void;
  addImages(files: readonly File[]): void;
  switchFormat(): Promise<void>;
}

interface BodyProps {
  readonly controller: Controller;
  readonly handle: { current: BodyHandle | null };
}

export function BodyField({ controller, handle }: BodyProps) {
  return controller.draft.value.format === 'rich' ? (
    <RichBody controller={controller} handle={handle} />
  ) : (
    <PlainBody controller={controller} handle={handle} />
  );
}

function RichBody({ controller, handle }: BodyProps) {
  const t = texts('compose');
  const root = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<RichEditor | undefined>(undefined);
  const [formats, setFormats] = useState<ReadonlySet<Format>>(new Set());
  useEffect(() => {
    let made: RichEditor | undefined;
    let gone = false;
    const addImages = (files: readonly File[]): void => {
      for (const { cid, name } of controller.attach(files, true)) {
        const url = controller.pictures.value.get(cid ?? '');
        if (cid !== undefined && url !== undefined) made?.insertImage(url, cid, name);
      }
    };
    import('./editor.ts').then(({ createEditor }) => {
      if (gone || root.current === null) return;
      made = createEditor(root.current, {
        onChange: controller.touched,
        onFormats: setFormats,
        onImages: addImages,
      });
      made.showImages(controller.pictures.value);
      made.setHtml(controller.draft.value.html);
      controller.readBody = made.content;
      setEditor(made);
    }, toastError);
    let early = false;
    handle.current = {
      focus: (atStart) => {
        if (made === undefined) early = true;
        made?.focus(atStart);
      },
      setSignature: (html) => {
        made?.setSignature(html);
        controller.touched();
      },
      addImages,
      async switchFormat() {
        if (made === undefined) return;
        const { text, html } = made.content();
        if (losesSomething(html)) {
          const sure = await confirm({
            title: t('toPlainTitle'),
            sentence: t('toPlainLoss'),
            yes: t('toPlain'),
          });
          if (!sure) return;
        }
        controller.readBody = undefined;
        controller.change({ format: 'plain', text, html: '' });
      },
    };
    const waiting = setInterval(() => {
      if (made === undefined) return;
      clearInterval(waiting);
      if (early) made.focus(true);
    }, 30);
    return () => {
      gone = true;
      clearInterval(waiting);
      if (controller.readBody === made?.content) controller.readBody = undefined;
      made?.destroy();
      handle.current = null;
    };
  }, []);
  const pictures = controller.pictures.value;
  useEffect(() => editor?.showImages(pictures), [editor, pictures]);
  return (
    <div class="compose-body">
      {editor === undefined && <Loading />}
      <div
        ref={root}
        class="compose-text"
        role="textbox"
        aria-multiline="true"
        aria-label={t('message')}
        dir="auto"
        spellcheck
        hidden={editor === undefined}
      />
      {editor !== undefined && (
        <Toolbar editor={editor} formats={formats} onPlain={() => void handle.current?.switchFormat()} />
      )}
    </div>
  );
}

/** More than lines and quotes, which plain text has too. */
function losesSomething(html: string): boolean {
  return /<(?:b|strong|i|em|u|img|table|a|ul|ol|font|h[1-6])\b|\bcolor:/i.test(html);
}

function PlainBody({ controller, handle }: BodyProps) {
  const t = texts('compose');
  const area = useRef<HTMLTextAreaElement>(null);
  const first = useRef(controller.draft.value.text);
  useEffect(() => {
    const element = area.current;
    if (element === null) return undefined;
    controller.readBody = () => ({ html: '', text: element.value });
    handle.current = {
      focus(atStart) {
        if (atStart === true) element.setSelectionRange(0, 0);
        element.focus();
      },
      setSignature(_html, text) {
        element.value = withSignature(element.value, text);
        controller.touched();
      },
      addImages: (files) => void controller.attach(files),
      async switchFormat() {
        const text = element.value;
        controller.readBody = undefined;
        controller.change({ format: 'rich', html: textToHtml(text), text });
      },
    };
    return () => {
      handle.current = null;
    };
  }, []);
  return (
    <div class="compose-body">
      <textarea
        ref={area}
        class="compose-text plain"
        aria-label={t('message')}
        dir="auto"
        spellcheck
        defaultValue={first.current}
        onInput={controller.touched}
      />
      <div class="compose-tools">
        <button type="button" class="button quiet" onClick={() => void handle.current?.switchFormat()}>
          {t('toRich')}
        </button>
      </div>
    </div>
  );
}

/** The signature before what is quoted, or at the end, becomes another. */
function withSignature(text: string, signature: string): string {
  const lines = text.split('\n');
  const at = lines.indexOf('-- ');
  if (at === -1) return signature === '' ? text : `${text.trimEnd()}\n\n${signature}`;
  let end = at + 1;
  // It ends at an empty line that something follows.
  while (end < lines.length && !(lines[end] === '' && lines.slice(end).some((line) => line !== ''))) end++;
  return [...lines.slice(0, at), ...(signature === '' ? [] : [signature]), ...lines.slice(end)].join('\n');
}
