import { Dialog } from '../../base/dialog.tsx';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { useRemote } from '../../base/remote.ts';
import { RemoteView } from '../../base/remote-view.tsx';
import { toast } from '../../base/toast.tsx';
import { call, download, downloadUrl } from '../../jmap/client.ts';
import type { Id } from '../../jmap/types.ts';
import { store } from '../state.ts';
import { closeDialog } from './open.ts';

/** Octets of a message that are shown. */
const SHOWN = 400_000;

/** A message as it came, octet by octet. */
export function SourceDialog({ ask }: { readonly ask: { readonly emailId: Id } }) {
  const t = texts('mail');
  const from = store.value;
  const remote = useRemote(async () => {
    const accountId = from?.id ?? '';
    const { list } = await call('Email/get', {
      accountId,
      ids: [ask.emailId],
      properties: ['blobId', 'size'],
    });
    const blobId = list[0]?.blobId ?? '';
    const octets = await download(accountId, blobId);
    // Every octet is a character, so that nothing is hidden by a charset; but UTF-8 is read where it is.
    let text: string;
    const part = octets.subarray(0, SHOWN);
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(part);
    } catch {
      text = new TextDecoder('windows-1252').decode(part);
    }
    return {
      text,
      cut: octets.length > SHOWN,
      url: downloadUrl(accountId, blobId, 'message.eml', 'message/rfc822'),
    };
  }, [ask.emailId]);
  return (
    <Dialog title={t('source')} wide onClose={closeDialog}>
      <RemoteView remote={remote}>
        {({ text, cut, url }) => (
          <>
            <div class="row">
              <a class="button" href={url} download="message.eml">
                <Icon name="download" />
                {t('save')}
              </a>
              <button
                type="button"
                class="button"
                onClick={() =>
                  void navigator.clipboard.writeText(text).then(() => toast(texts('base')('copied')))
                }
              >
                {texts('base')('copy')}
              </button>
            </div>
            {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
            <pre class="mail-viewer-text" tabIndex={0} dir="ltr">
              {text}
            </pre>
            {cut && <p class="soft">{t('textCut')}</p>}
          </>
        )}
      </RemoteView>
    </Dialog>
  );
}
