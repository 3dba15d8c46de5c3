import { useEffect, useState } from 'preact/hooks';
import { confirm, Dialog } from '../../base/dialog.tsx';
import { formatDate, formatDateTime } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { offline } from '../../base/session.ts';
import { Failure, Loading } from '../../base/states.tsx';
import { toast, toastError } from '../../base/toast.tsx';
import { downloadUrl } from '../../jmap/client.ts';
import type { Email } from '../../jmap/types.ts';
import { Attachments } from './attachments.tsx';
import { MessageBody } from './body.tsx';
import type { ExtraProps } from './extras.tsx';
import { type Inspected, inspect } from './security-check.ts';
import { keepKey, keyServer } from './security-keys.ts';
import { lookUp } from './security-lookup.ts';
import { signatureSentences } from './security-words.ts';
import { shownFingerprint, toneOf } from './security-verdict.ts';
import './security.css';

type Signed = Extract<Inspected, { kind: 'signed' }>;

/** What is known of a message's signature or encryption; never more than was checked. */
export function Security({ email, store, onInner }: ExtraProps) {
  const t = texts('signatures');
  const [found, setFound] = useState<Inspected | 'nothing' | 'failed' | undefined>(undefined);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let gone = false;
    inspect(store, email).then(
      (result) => {
        if (gone) return;
        setFound(result ?? 'nothing');
        if (result?.kind === 'signed' && result.inner !== undefined) onInner(result.inner);
      },
      () => !gone && setFound('failed'),
    );
    return () => {
      gone = true;
    };
  }, [email.id, asked]);
  useEffect(() => () => onInner(undefined), [email.id]);
  if (found === 'nothing') return null;
  if (found === undefined || found === 'failed')
    return (
      <div class="mail-banner" role="status">
        <Icon name="key" />
        <span>{t(found === undefined ? 'checking' : offline.value ? 'offline' : 'failed')}</span>
        {found === 'failed' && (
          <button type="button" class="mail-link" onClick={() => setAsked((n) => n + 1)}>
            {t('again')}
          </button>
        )}
      </div>
    );
  if (found.kind === 'encrypted')
    return (
      <div class="mail-banner" role="note">
        <Icon name="lock" />
        <span class="mail-signature-text">{t(found.how === 'pgp' ? 'encryptedPgp' : 'encryptedSmime')}</span>
        <a
          class="mail-link"
          href={downloadUrl(store.id, email.blobId, 'message.eml', 'message/rfc822')}
          download="message.eml"
        >
          {t('saveMessage')}
        </a>
      </div>
    );
  return <Signature found={found} email={email} store={store} onAgain={() => setAsked((n) => n + 1)} />;
}

const TONES = {
  good: { style: 'mail-banner mail-signature good', icon: 'shield' },
  danger: { style: 'mail-banner mail-signature danger', icon: 'warning' },
  neutral: { style: 'mail-banner mail-signature', icon: 'key' },
} as const;

function Signature({
  found,
  email,
  store,
  onAgain,
}: Pick<ExtraProps, 'email' | 'store'> & { readonly found: Signed; readonly onAgain: () => void }) {
  const t = texts('signatures');
  const [alone, setAlone] = useState(false);
  const tone = TONES[toneOf(found.verdict)];
  return (
    <section class={tone.style} aria-label={t('title')}>
      <Icon name={tone.icon} />
      <div class="mail-signature-text">
        {signatureSentences(found, Date.parse(email.receivedAt)).map((sentence) => (
          <p key={sentence} dir="auto">
            {sentence}
          </p>
        ))}
        <Levers found={found} onAgain={onAgain} />
        <SignatureDetails found={found} />
      </div>
      {found.verdict.partial && found.alone !== undefined && (
        <button type="button" class="mail-link" onClick={() => setAlone(true)}>
          {t('showSigned')}
        </button>
      )}
      {alone && <SignedAlone found={found} email={email} store={store} onClose={() => setAlone(false)} />}
    </section>
  );
}

/** What can be done about it: trust the key, ask the domain for one. */
function Levers({ found, onAgain }: { readonly found: Signed; readonly onAgain: () => void }) {
  const t = texts('signatures');
  const { verdict, sender, how } = found;
  const domain = sender.slice(sender.lastIndexOf('@') + 1);
  const run = (work: () => Promise<boolean>) => () =>
    void work().then((done) => done && onAgain(), toastError);
  const trust = run(async () => {
    if (!('signer' in verdict)) return false;
    const yes = await confirm({
      title: t('trustTitle', { address: sender }),
      sentence: t(how === 'pgp' ? 'trustPgp' : 'trustSmime', {
        address: sender,
        fingerprint: shownFingerprint(verdict.signer.fingerprint),
      }),
      yes: t('trustYes'),
    });
    if (!yes) return false;
    await keepKey(verdict.signer, sender, 'message', true);
    toast(t('trustedNow', { address: sender }));
    return true;
  });
  const look = run(async () => {
    const yes = await confirm({
      title: t('lookUp'),
      sentence: t('lookUpSentence', { domain, address: sender }),
      yes: t('lookUpYes', { domain }),
    });
    if (!yes) return false;
    const kept = await lookUp(keyServer, sender);
    toast(t(kept > 0 ? 'lookUpFound' : 'lookUpNone', { domain, address: sender }));
    return kept > 0;
  });
  if (sender === '') return null;
  const { state } = verdict;
  return (
    <div class="mail-signature-levers">
      {(state === 'first' || state === 'changed') && (
        <button type="button" class="button" onClick={trust}>
          {t(how === 'pgp' ? 'trustKey' : 'trustCertificate', { address: sender })}
        </button>
      )}
      {how === 'pgp' && (state === 'first' || state === 'changed' || state === 'unknown') && (
        <button type="button" class="button" onClick={look}>
          {t('lookUp')}
        </button>
      )}
    </div>
  );
}

function SignatureDetails({ found: { verdict, how } }: { readonly found: Signed }) {
  const t = texts('signatures');
  const rows: [string, string][] = [];
  if ('signer' in verdict) {
    const { signer } = verdict;
    if (signer.name !== '') rows.push([t('name'), signer.name]);
    if (signer.addresses.length > 0) rows.push([t('addresses'), signer.addresses.join(', ')]);
    if (signer.issuer !== undefined && signer.issuer !== '') rows.push([t('issuer'), signer.issuer]);
    rows.push([t('fingerprint'), shownFingerprint(signer.fingerprint)]);
  }
  if (verdict.state === 'unknown') rows.push([t('keyId'), shownFingerprint(verdict.keyId)]);
  if ('at' in verdict && verdict.at !== undefined) rows.push([t('signedAt'), formatDateTime(verdict.at)]);
  if ('since' in verdict && verdict.since !== undefined) rows.push([t('since'), formatDate(verdict.since)]);
  return (
    <details class="mail-signature-details">
      <summary>{t('details')}</summary>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
      </dl>
      <p>{t(how === 'pgp' ? 'aboutPgp' : 'aboutSmime')}</p>
      <p>
        <a href="/settings/keys">{t('manage')}</a>
      </p>
    </details>
  );
}

/** What is signed without what is not. */
function SignedAlone({
  found,
  email,
  store,
  onClose,
}: Pick<ExtraProps, 'email' | 'store'> & { readonly found: Signed; readonly onClose: () => void }) {
  const t = texts('signatures');
  const [shown, setShown] = useState<Email | Error | undefined>(undefined);
  useEffect(() => {
    found.alone?.().then(
      (content) => setShown({ ...content, id: `${email.id}-signed` }),
      (error: unknown) => setShown(error instanceof Error ? error : new Error(String(error))),
    );
  }, []);
  return (
    <Dialog title={t('signedPart')} wide onClose={onClose}>
      {shown === undefined ? (
        <Loading />
      ) : shown instanceof Error ? (
        <Failure sentence={shown.message} />
      ) : (
        <div class="mail-viewer-message">
          <MessageBody email={shown} store={store} onWhole={() => undefined} />
          <Attachments email={shown} store={store} />
        </div>
      )}
    </Dialog>
  );
}
