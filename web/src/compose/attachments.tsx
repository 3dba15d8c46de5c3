import { useState } from 'preact/hooks';
import { formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import type { BodyHandle } from './body.tsx';
import type { Controller } from './controller.ts';
import { type Attachment, attachedOctets } from './draft.ts';
import { mostAttachedOctets } from './server.ts';

/** The files of a message, with how far they are on their way. */
export function AttachmentList({ controller }: { readonly controller: Controller }) {
  const t = texts('compose');
  const { attachments, format } = controller.draft.value;
  const shown = attachments.filter(({ cid }) => cid === undefined || format === 'plain');
  if (shown.length === 0) return null;
  const octets = attachedOctets(attachments);
  const most = mostAttachedOctets();
  return (
    <div class="compose-attachments">
      <ul aria-label={t('attachments')}>
        {shown.map((each) => (
          <One key={each.key} attachment={each} controller={controller} />
        ))}
      </ul>
      {octets > most && (
        <p class="compose-field-problem" role="alert">
          {t('tooMuchAttached', { most: formatSize(most) })}
        </p>
      )}
    </div>
  );
}

function One({
  attachment,
  controller,
}: {
  readonly attachment: Attachment;
  readonly controller: Controller;
}) {
  const t = texts('compose');
  const { key, name, size } = attachment;
  const transfer = controller.uploads.transfers.value.get(key);
  return (
    <li class={transfer?.problem === undefined ? 'compose-file' : 'compose-file bad'}>
      <Icon name="attach" />
      <span class="compose-file-name cut" dir="auto" title={name}>
        {name}
      </span>
      <span class="soft small">{formatSize(size)}</span>
      {transfer !== undefined && transfer.problem === undefined && (
        <progress max={1} value={transfer.done} aria-label={t('uploading', { name })} />
      )}
      {transfer?.problem !== undefined && (
        <>
          <span class="compose-field-problem" role="alert">
            {t('uploadFailed', { reason: transfer.problem })}
          </span>
          <button type="button" class="compose-link" onClick={() => controller.retry(key)}>
            {texts('base')('tryAgain')}
          </button>
        </>
      )}
      <button
        type="button"
        class="icon-button"
        aria-label={t('removeFile', { name })}
        title={t('removeFile', { name })}
        onClick={() => controller.detach(key)}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

/** Files dropped on a window, or pasted into it, are attached; pictures dropped on the text go into it. */
export function useDrop(controller: Controller, body: { current: BodyHandle | null }) {
  const [over, setOver] = useState(false);
  const hasFiles = (transfer: DataTransfer | null): boolean => transfer?.types.includes('Files') === true;
  return {
    'data-drop': over ? 'true' : undefined,
    onDragOver: (event: DragEvent) => {
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      const inside = event.currentTarget instanceof Node && event.relatedTarget instanceof Node;
      if (!inside || !(event.currentTarget as Node).contains(event.relatedTarget as Node)) setOver(false);
    },
    onDropCapture: (event: DragEvent) => {
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      event.stopPropagation();
      const onText = event.target instanceof Element && event.target.closest('.compose-text') !== null;
      const rich = controller.draft.value.format === 'rich';
      const pictures = onText && rich ? files.filter(isPicture) : [];
      const others = files.filter((file) => !pictures.includes(file));
      if (pictures.length > 0) body.current?.addImages(pictures);
      if (others.length > 0) controller.attach(others);
    },
    onPasteCapture: (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      // Programs put a picture of text beside the text: the text is meant.
      if (files.length === 0 || event.clipboardData?.types.includes('text/html') === true) return;
      event.preventDefault();
      event.stopPropagation();
      const onText = event.target instanceof Element && event.target.closest('.compose-text') !== null;
      if (onText && controller.draft.value.format === 'rich' && files.every(isPicture))
        body.current?.addImages(files);
      else controller.attach(files);
    },
  };
}

function isPicture({ type }: File): boolean {
  return /^image\/(?:png|jpeg|gif|webp)$/.test(type);
}
