import { useState } from 'preact/hooks';
import { formatSize } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon, type IconName } from '../../base/icon.tsx';
import { downloadUrl } from '../../jmap/client.ts';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email, EmailBodyPart } from '../../jmap/types.ts';
import { attachmentKind, attachmentName, listedAttachments } from './attachment-names.ts';
import { Viewer } from './viewer.tsx';

const ICONS: Readonly<Record<ReturnType<typeof attachmentKind>, IconName>> = {
  image: 'image',
  text: 'list',
  message: 'mail',
  calendar: 'calendar',
  signature: 'shield',
  other: 'attach',
};

/** Files that came with a message. */
export function Attachments({ email, store }: { readonly email: Email; readonly store: AccountStore }) {
  const t = texts('mail');
  const [viewed, setViewed] = useState<EmailBodyPart | undefined>(undefined);
  const parts = listedAttachments(email);
  if (parts.length === 0) return null;
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  return (
    <section class="mail-attachments" aria-label={t('attachments')}>
      <h4>
        {t('countAttachments', { count: parts.length })} <span class="soft small">{formatSize(size)}</span>
        {parts.length > 1 && (
          <button type="button" class="mail-link" onClick={() => saveAll(store, parts)}>
            {t('saveAll')}
          </button>
        )}
      </h4>
      <ul>
        {parts.map((part) => {
          const kind = attachmentKind(part);
          const name = attachmentName(part, t('unnamed'));
          const viewable = kind === 'image' || kind === 'text' || kind === 'message';
          const about = (
            <>
              <Icon name={ICONS[kind]} />
              <Name name={name} />
              <span class="soft small mail-attachment-size">{formatSize(part.size)}</span>
            </>
          );
          return (
            <li key={part.blobId ?? name} class="mail-attachment">
              {viewable ? (
                <button type="button" class="mail-plain" title={name} onClick={() => setViewed(part)}>
                  {about}
                </button>
              ) : (
                <span class="mail-attachment-about" title={name}>
                  {about}
                </span>
              )}
              <a
                class="icon-button"
                href={downloadUrl(store.id, part.blobId ?? '', name, part.type)}
                download={name}
                aria-label={t('download', { name })}
                title={t('download', { name })}
              >
                <Icon name="download" />
              </a>
            </li>
          );
        })}
      </ul>
      {viewed !== undefined && (
        <Viewer
          store={store}
          part={viewed}
          name={attachmentName(viewed, t('unnamed'))}
          onClose={() => setViewed(undefined)}
        />
      )}
    </section>
  );
}

/** Characters at the end of a long name that are always seen: what kind of file it is must not hide behind the rest. */
const END = 12;

function Name({ name }: { readonly name: string }) {
  const letters = [...name];
  const from = letters.length > 2 * END ? letters.length - END : letters.length;
  return (
    <span class="mail-attachment-name" dir="auto">
      <span class="cut">{letters.slice(0, from).join('')}</span>
      <span>{letters.slice(from).join('')}</span>
    </span>
  );
}

/** One after the other; the browser asks once whether it may. */
function saveAll(store: AccountStore, parts: readonly EmailBodyPart[]): void {
  parts.forEach((part, i) => {
    setTimeout(() => {
      const link = document.createElement('a');
      const name = attachmentName(part, 'file');
      link.href = downloadUrl(store.id, part.blobId ?? '', name, part.type);
      link.download = name;
      link.click();
    }, i * 300);
  });
}
