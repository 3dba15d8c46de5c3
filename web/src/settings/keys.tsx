import { useEffect, useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { formatDate } from '../base/format.ts';
import { loadTexts, texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { type Remote, useRemote } from '../base/remote.ts';
import { Loading } from '../base/states.tsx';
import { toast, toastError } from '../base/toast.tsx';
import {
  allKeys,
  keepKey,
  keyServer,
  removeKey,
  type StoredKey,
  trustKey,
} from '../mail/message/security-keys.ts';
import { shownFingerprint } from '../mail/message/security-verdict.ts';
import { Text } from './fields.tsx';

/** Octets of a file that is looked at. */
const FILE_OCTETS = 256 * 1024;

/** Keys and certificates of correspondents, by which their signatures are checked. */
export function Keys() {
  const [ready, setReady] = useState(false);
  useEffect(() => void loadTexts('signatures').then(() => setReady(true), toastError), []);
  return ready ? <KeyPages /> : <Loading />;
}

type List = Remote<readonly StoredKey[]>;

function KeyPages() {
  const t = texts('signatures');
  const remote = useRemote(allKeys, []);
  return (
    <>
      <p class="soft">{t('keysAbout')}</p>
      <RemoteView remote={remote}>
        {(keys) =>
          keys.length === 0 ? (
            <p class="soft">{t('keysNone')}</p>
          ) : (
            <ul class="settings-list">
              {keys.map((key) => (
                <KeyItem key={key.id} entry={key} remote={remote} />
              ))}
            </ul>
          )
        }
      </RemoteView>
      <AddKey remote={remote} />
      <FindKey remote={remote} />
      <p class="soft small">
        <a href="/licences.txt" target="_blank" rel="noopener">
          {t('licences')}
        </a>
      </p>
    </>
  );
}

const ORIGINS = {
  given: 'fromGiven',
  domain: 'fromDomain',
  autocrypt: 'fromMail',
  message: 'fromMail',
} as const;

function KeyItem({ entry, remote }: { readonly entry: StoredKey; readonly remote: List }) {
  const t = texts('signatures');
  const base = texts('base');
  const { id, address, kind, fingerprint, source, trusted, firstSeen } = entry;
  const run = (work: () => Promise<unknown>) => () =>
    void work()
      .then(() => remote.reload())
      .catch(toastError);
  const remove = run(async () => {
    const yes = await confirm({
      title: t('removeTitle', { address }),
      sentence: t('removeSentence'),
      yes: t('removeYes'),
      danger: true,
    });
    if (yes) await removeKey(id);
  });
  return (
    <li class="settings-item">
      <div class="settings-item-main">
        <div class="settings-item-name" dir="auto">
          {address}
        </div>
        <div class="soft small">
          {t(kind === 'pgp' ? 'kindPgp' : 'kindSmime')}, {t(ORIGINS[source], { date: formatDate(firstSeen) })}
        </div>
        <div class="soft small">{shownFingerprint(fingerprint)}</div>
      </div>
      {trusted && <span class="badge good">{t('isTrusted')}</span>}
      <button type="button" class="button" onClick={run(() => trustKey(id, !trusted))}>
        {t(trusted ? 'distrust' : 'trust')}
      </button>
      <button type="button" class="button" onClick={remove}>
        {base('remove')}
      </button>
    </li>
  );
}

/**
 * Keep what is in a file, for the addresses it names: keys of PGP or certificates. How many were found, and how many kept.
 * Libraries for them are fetched when there is something to read.
 */
async function keepAll(octets: Uint8Array<ArrayBuffer>): Promise<{ found: number; kept: number }> {
  const { describeKey, readPgpKeys } = await import('../mail/message/pgp.ts');
  const keys = await readPgpKeys(octets);
  let kept = 0;
  if (keys.length > 0) {
    const { keepPgpKey } = await import('../mail/message/security-lookup.ts');
    for (const key of keys)
      for (const address of (await describeKey(key)).addresses) {
        await keepPgpKey(keyServer, key, address, 'given', true);
        kept++;
      }
    return { found: keys.length, kept };
  }
  const { readCertificates } = await import('../mail/message/smime.ts');
  const certificates = await readCertificates(octets);
  for (const each of certificates)
    for (const address of each.addresses) {
      await keepKey(each, address, 'given', true);
      kept++;
    }
  return { found: certificates.length, kept };
}

function AddKey({ remote }: { readonly remote: List }) {
  const t = texts('signatures');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const add = async (octets: Uint8Array<ArrayBuffer>): Promise<void> => {
    setProblem(undefined);
    if (octets.length > FILE_OCTETS) {
      setProblem(t('tooLarge'));
      return;
    }
    const { found, kept } = await keepAll(octets);
    if (kept === 0) setProblem(t(found === 0 ? 'noKey' : 'noAddress'));
    else {
      setText('');
      toast(t('added', { count: kept }));
    }
    await remote.reload();
  };
  const run = (octets: Promise<Uint8Array<ArrayBuffer>>): void => {
    setBusy(true);
    octets
      .then(add)
      .catch(toastError)
      .finally(() => setBusy(false));
  };
  return (
    <form
      class="settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        run(Promise.resolve(new TextEncoder().encode(text)));
      }}
    >
      <h2>{t('addTitle')}</h2>
      <Field label={t('addFile')}>
        {(input) => (
          <input
            {...input}
            type="file"
            accept=".asc,.gpg,.pgp,.key,.pem,.crt,.cer,.der"
            disabled={busy}
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file !== undefined) run(file.slice(0, FILE_OCTETS + 1).bytes());
              event.currentTarget.value = '';
            }}
          />
        )}
      </Field>
      <Field label={t('addText')} hint={t('addTextHint')} problem={problem}>
        {(input) => (
          <textarea
            {...input}
            rows={4}
            spellcheck={false}
            autocomplete="off"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="row">
        <button type="submit" class="button primary" disabled={busy || text.trim() === ''}>
          {t('add')}
        </button>
      </div>
    </form>
  );
}

function FindKey({ remote }: { readonly remote: List }) {
  const t = texts('signatures');
  const [address, setAddress] = useState('');
  const [busy, setBusy] = useState(false);
  const find = async (): Promise<void> => {
    const asked = address.trim();
    const { lookUp } = await import('../mail/message/security-lookup.ts');
    const kept = await lookUp(keyServer, asked);
    const domain = asked.slice(asked.lastIndexOf('@') + 1);
    toast(t(kept > 0 ? 'lookUpFound' : 'lookUpNone', { domain, address: asked }));
    if (kept > 0) setAddress('');
    await remote.reload();
  };
  return (
    <form
      class="settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        setBusy(true);
        find()
          .catch(toastError)
          .finally(() => setBusy(false));
      }}
    >
      <h2>{t('findTitle')}</h2>
      <Text
        label={t('findAddress')}
        hint={t('findHint')}
        type="email"
        required
        value={address}
        onInput={setAddress}
      />
      <div class="row">
        <button type="submit" class="button" disabled={busy}>
          {t('find')}
        </button>
      </div>
    </form>
  );
}
