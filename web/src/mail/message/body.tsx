import { useCallback, useEffect, useState } from 'preact/hooks';
import { formatSize } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { preferences, setPreferences } from '../../base/preferences.ts';
import { toastError } from '../../base/toast.tsx';
import { offline } from '../../base/session.ts';
import { downloadUrl } from '../../jmap/client.ts';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email, EmailBodyPart } from '../../jmap/types.ts';
import { openDialog } from '../dialogs/open.ts';
import { type Found, MessageFrame } from './frame.tsx';
import { type InlineImages, inlineImages } from './load.ts';
import { typeParameter } from './plain.ts';
import { PlainText } from './plain-text.tsx';

/** Octets of a text that is shown at all; beyond, one sees its beginning and may save it. */
const MOST_SHOWN = 3_000_000;

/** The text of a message, as HTML in its frame or as plain text. */
export function MessageBody({
  email,
  store,
  onWhole,
}: {
  readonly email: Email;
  readonly store: AccountStore;
  readonly onWhole: () => void;
}) {
  const t = texts('mail');
  const html = email.htmlBody.filter(({ type }) => type === 'text/html');
  const cut = [...email.htmlBody, ...email.textBody].find(
    ({ partId }) => partId !== null && email.bodyValues[partId]?.isTruncated === true,
  );
  const empty = [...email.htmlBody, ...email.textBody].every(
    ({ partId }) => partId === null || (email.bodyValues[partId]?.value ?? '').trim() === '',
  );
  return (
    <div class="mail-body">
      {html.length > 0 ? (
        <Html email={email} store={store} parts={email.htmlBody} />
      ) : (
        <Texts email={email} />
      )}
      {empty && html.length === 0 && (
        <p class="soft">
          {t('emptyBody')}{' '}
          <button
            type="button"
            class="mail-link"
            onClick={() => openDialog({ kind: 'source', emailId: email.id })}
          >
            {t('source')}
          </button>
        </p>
      )}
      {cut !== undefined && cut.size <= MOST_SHOWN && (
        <p class="mail-cut">
          {t('bodyCut')}{' '}
          <button type="button" class="button" onClick={onWhole}>
            {t('showAll')}
          </button>
        </p>
      )}
      {cut !== undefined && cut.size > MOST_SHOWN && <Download email={email} store={store} part={cut} />}
    </div>
  );
}

/** What no browser could show well is there to be saved: a text as it is, else the whole message. */
function Download({
  email,
  store,
  part,
}: {
  readonly email: Email;
  readonly store: AccountStore;
  readonly part: EmailBodyPart;
}) {
  const t = texts('mail');
  const isText = part.type === 'text/plain' && part.blobId !== null;
  const name = isText ? 'message.txt' : 'message.eml';
  const href = isText
    ? downloadUrl(store.id, part.blobId ?? '', name, 'text/plain')
    : downloadUrl(store.id, email.blobId, name, 'message/rfc822');
  return (
    <p class="mail-cut">
      {t('bodyVeryLong', { size: formatSize(part.size) })}{' '}
      <a class="button" href={href} download={name}>
        <Icon name="download" />
        {t('save')}
      </a>
    </p>
  );
}

function Texts({ email }: { readonly email: Email }) {
  return (
    <>
      {email.textBody.map((part) => {
        const value = part.partId === null ? undefined : email.bodyValues[part.partId]?.value;
        if (value === undefined) return null;
        const field = (part as EmailBodyPart & Record<'header:Content-Type', string | null>)[
          'header:Content-Type'
        ];
        return (
          <PlainText
            key={part.partId}
            text={value}
            flowed={typeParameter(field ?? undefined, 'format') === 'flowed'}
            delSp={typeParameter(field ?? undefined, 'delsp') === 'yes'}
          />
        );
      })}
    </>
  );
}

/** HTML parts and what stands between them, one document. */
function htmlOf(email: Email, parts: readonly EmailBodyPart[]): string {
  return parts
    .map(({ partId, type, cid }) => {
      const value = partId === null ? undefined : email.bodyValues[partId]?.value;
      if (type === 'text/html') return value ?? '';
      if (type.startsWith('image/'))
        return cid === null ? '' : `<p><img src="cid:${encodeURIComponent(cid)}"></p>`;
      const text = (value ?? '').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      return `<pre>${text}</pre>`;
    })
    .join('\n');
}

const FIRST: Found = { remote: 0, cut: false, lies: [] };

function Html({
  email,
  store,
  parts,
}: {
  readonly email: Email;
  readonly store: AccountStore;
  readonly parts: readonly EmailBodyPart[];
}) {
  const t = texts('mail');
  const html = htmlOf(email, parts);
  const sender = email.from?.[0]?.email.toLowerCase() ?? '';
  const { remoteImages, imagesFrom } = preferences.value;
  const always = remoteImages === 'always' || (remoteImages === 'ask' && imagesFrom.includes(sender));
  const [shown, setShown] = useState(false);
  const [found, setFound] = useState(FIRST);
  const [images, setImages] = useState<InlineImages | undefined>(undefined);
  useEffect(() => {
    let gone = false;
    let made: InlineImages | undefined;
    if (!/cid:/i.test(html)) return undefined;
    void inlineImages(store, email, html).then((all) => {
      made = all;
      if (gone) all.close();
      else setImages(all);
    });
    return () => {
      gone = true;
      made?.close();
    };
  }, [email.id, html]);
  const cid = useCallback((id: string) => images?.get(id), [images]);
  const remote = shown || always;
  const [lie] = found.lies;
  return (
    <>
      {lie !== undefined && (
        <div class="mail-banner danger" role="note">
          <Icon name="warning" />
          <span>
            {t('linkLies', { ...lie })}
            {found.lies.length > 1 && ` ${t('moreLies', { count: found.lies.length - 1 })}`}
          </span>
        </div>
      )}
      {found.remote > 0 && !remote && (
        <div class="mail-banner" role="status">
          <Icon name="image" />
          <span>{t('imagesBlocked', { count: found.remote })}</span>
          {!offline.value && (
            <span class="row">
              <button type="button" class="mail-link" onClick={() => setShown(true)}>
                {t('imagesShow')}
              </button>
              {sender !== '' && remoteImages !== 'never' && (
                <button
                  type="button"
                  class="mail-link"
                  onClick={() => {
                    setShown(true);
                    setPreferences({ imagesFrom: [...imagesFrom, sender] }).catch(toastError);
                  }}
                >
                  {t('imagesAlways', { sender })}
                </button>
              )}
            </span>
          )}
        </div>
      )}
      <MessageFrame
        emailId={email.id}
        html={html}
        title={t('messageFrom', { sender: email.from?.[0]?.email ?? t('nobody') })}
        cid={cid}
        remote={remote}
        onFound={setFound}
      />
      {found.cut && <p class="soft">{t('bodyTooLarge')}</p>}
    </>
  );
}
