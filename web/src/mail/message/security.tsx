import { useEffect, useState } from 'preact/hooks';
import { formatDate } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { download, downloadUrl } from '../../jmap/client.ts';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email } from '../../jmap/types.ts';
import { checkSignature, type CmsResult, signedPart } from './cms.ts';
import type { ExtraProps } from './extras.tsx';
import { partsOf } from './load.ts';

/** What is known of a message's signature or encryption; never more than was checked. */
export function Security({ email, store }: ExtraProps) {
  const t = texts('mail');
  const types = partsOf(email.bodyStructure).map(({ type }) => type.toLowerCase());
  const has = (pattern: RegExp): boolean => types.some((type) => pattern.test(type));
  const texted = Object.values(email.bodyValues).map(({ value }) => value);
  const inline = (marker: string): boolean =>
    texted.some((value) => value.includes(`-----BEGIN PGP ${marker}-----`));
  if (has(/^application\/pgp-encrypted$/) || inline('MESSAGE'))
    return <Encrypted email={email} store={store} sentence={t('pgpEncrypted')} />;
  if (has(/^application\/(?:x-)?pkcs7-mime$/))
    return <Encrypted email={email} store={store} sentence={t('smimeOpaque')} />;
  if (has(/^application\/pgp-signature$/) || inline('SIGNED MESSAGE'))
    return (
      <div class="mail-banner" role="note">
        <Icon name="key" />
        <span>{t('pgpSigned')}</span>
      </div>
    );
  if (has(/^application\/(?:x-)?pkcs7-signature$/)) return <Smime email={email} store={store} />;
  return null;
}

function Encrypted({ email, store, sentence }: ExtraProps & { readonly sentence: string }) {
  const t = texts('mail');
  return (
    <div class="mail-banner" role="note">
      <Icon name="lock" />
      <span>{sentence}</span>
      <a
        class="mail-link"
        href={downloadUrl(store.id, email.blobId, 'message.eml', 'message/rfc822')}
        download="message.eml"
      >
        {t('save')}
      </a>
    </div>
  );
}

async function checkMessage(store: AccountStore, email: Email): Promise<CmsResult> {
  const root = email.bodyStructure;
  const signature = root.subParts?.[1];
  // A signature somewhere within covers a part only, which nobody could tell from the rest.
  if (
    root.type.toLowerCase() !== 'multipart/signed' ||
    root.subParts?.length !== 2 ||
    signature?.blobId == null
  )
    return { state: 'unchecked' };
  const [octets, message] = await Promise.all([
    download(store.id, signature.blobId),
    download(store.id, email.blobId),
  ]);
  const content = signedPart(message);
  return content === undefined ? { state: 'unchecked' } : checkSignature(octets, content);
}

function Smime({ email, store }: ExtraProps) {
  const t = texts('mail');
  const [found, setFound] = useState<CmsResult | undefined>(undefined);
  useEffect(() => {
    checkMessage(store, email).then(setFound, () => setFound({ state: 'unchecked' }));
  }, [email.id]);
  if (found === undefined || found.state === 'unchecked')
    return (
      <div class="mail-banner" role="note">
        <Icon name="key" />
        <span>{t(found === undefined ? 'smimeChecking' : 'smimeUnchecked')}</span>
      </div>
    );
  if (found.state === 'broken')
    return (
      <div class="mail-banner danger" role="note">
        <Icon name="warning" />
        <span>{t('smimeBroken')}</span>
      </div>
    );
  const { signer } = found;
  const sender = email.from?.[0]?.email.toLowerCase() ?? '';
  const theirs = email.from?.length === 1 && signer.addresses.includes(sender);
  const at = Date.parse(email.receivedAt);
  const inTime = at >= signer.notBefore && at <= signer.notAfter;
  return (
    <div class={theirs && inTime ? 'mail-banner' : 'mail-banner danger'} role="note">
      <Icon name={theirs && inTime ? 'key' : 'warning'} />
      <span>
        {t('smimeFits', { name: signer.name, address: signer.addresses.join(', ') })}{' '}
        {signer.selfSigned ? t('smimeSelf') : t('smimeIssuer', { issuer: signer.issuer })}
        {!theirs && ` ${t('smimeOther', { address: sender })}`}
        {!inTime &&
          ` ${t('smimeExpired', { from: formatDate(signer.notBefore), to: formatDate(signer.notAfter) })}`}
      </span>
    </div>
  );
}
