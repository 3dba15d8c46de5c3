import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../../base/dialog.tsx';
import { formatDateTime } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { Failure, Loading } from '../../base/states.tsx';
import { call, download, downloadUrl } from '../../jmap/client.ts';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email, EmailBodyPart } from '../../jmap/types.ts';
import { personName } from '../conversation.ts';
import { attachmentKind } from './attachment-names.ts';
import { MessageBody } from './body.tsx';

/** Octets of a text that are shown. */
const TEXT_BYTES = 500_000;

type Seen =
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'text'; readonly text: string; readonly cut: boolean }
  | { readonly kind: 'message'; readonly email: Email }
  | { readonly kind: 'none' };

interface ViewerProps {
  readonly store: AccountStore;
  readonly part: EmailBodyPart;
  readonly name: string;
  readonly onClose: () => void;
}

/** A look at an attachment: pictures as pictures, text as text, messages as messages. Nothing else is ever rendered here. */
export function Viewer({ store, part, name, onClose }: ViewerProps) {
  const t = texts('mail');
  const [seen, setSeen] = useState<Seen | undefined>(undefined);
  const [failed, setFailed] = useState<Error | undefined>(undefined);
  useEffect(() => {
    let url: string | undefined;
    let gone = false;
    look(store, part).then(
      (found) => {
        if (found.kind === 'image') url = found.url;
        if (gone && url !== undefined) URL.revokeObjectURL(url);
        else setSeen(found);
      },
      (error: unknown) => setFailed(error instanceof Error ? error : new Error(String(error))),
    );
    return () => {
      gone = true;
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [part.blobId]);
  return (
    <Dialog
      title={name}
      wide
      onClose={onClose}
      foot={
        <a class="button" href={downloadUrl(store.id, part.blobId ?? '', name, part.type)} download={name}>
          <Icon name="download" />
          {t('save')}
        </a>
      }
    >
      {failed !== undefined ? (
        <Failure sentence={failed.message} />
      ) : seen === undefined ? (
        <Loading />
      ) : (
        <Shown seen={seen} name={name} store={store} />
      )}
    </Dialog>
  );
}

function Shown({
  seen,
  name,
  store,
}: {
  readonly seen: Seen;
  readonly name: string;
  readonly store: AccountStore;
}) {
  const t = texts('mail');
  if (seen.kind === 'image') return <img class="mail-viewer-image" src={seen.url} alt={name} />;
  if (seen.kind === 'text')
    return (
      <>
        <pre class="mail-viewer-text" tabIndex={0}>
          {seen.text}
        </pre>
        {seen.cut && <p class="soft">{t('textCut')}</p>}
      </>
    );
  if (seen.kind === 'message') {
    const { email } = seen;
    return (
      <div class="mail-viewer-message">
        <h3 dir="auto">{email.subject ?? t('noSubject')}</h3>
        <p class="soft small">
          {(email.from ?? []).map(personName).join(', ')}
          {email.sentAt !== null && ` · ${formatDateTime(Date.parse(email.sentAt))}`}
        </p>
        <MessageBody email={email} store={store} onWhole={() => undefined} />
      </div>
    );
  }
  return <p>{t('cannotView')}</p>;
}

async function look(store: AccountStore, part: EmailBodyPart): Promise<Seen> {
  const kind = attachmentKind(part);
  if (kind === 'message') {
    const { parsed } = await call('Email/parse', {
      accountId: store.id,
      blobIds: [part.blobId],
      properties: [
        'from',
        'to',
        'cc',
        'subject',
        'sentAt',
        'bodyStructure',
        'bodyValues',
        'textBody',
        'htmlBody',
        'attachments',
      ],
      fetchTextBodyValues: true,
      fetchHTMLBodyValues: true,
      maxBodyValueBytes: TEXT_BYTES,
    });
    const found = parsed?.[part.blobId ?? ''];
    if (found === undefined) return { kind: 'none' };
    return { kind, email: { ...found, id: `blob-${part.blobId}`, keywords: {} } as unknown as Email };
  }
  const octets = await download(store.id, part.blobId ?? '');
  if (kind === 'image') {
    const blob = new Blob([octets], { type: part.type.toLowerCase() });
    return { kind, url: URL.createObjectURL(blob) };
  }
  if (kind !== 'text') return { kind: 'none' };
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(part.charset ?? 'utf-8');
  } catch {
    decoder = new TextDecoder();
  }
  return { kind, text: decoder.decode(octets.subarray(0, TEXT_BYTES)), cut: octets.length > TEXT_BYTES };
}
