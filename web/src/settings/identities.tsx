import { useState } from 'preact/hooks';
import { confirm, Dialog } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { me } from '../base/session.ts';
import { call, loadSession, ownAccountId } from '../jmap/client.ts';
import type { Identity } from '../jmap/types.ts';
import { setOne } from './jmap-set.ts';
import { useSave } from './use-save.ts';

/** Names, addresses and signatures that this account writes with. */
export function Identities() {
  const t = texts('settings');
  const base = texts('base');
  const remote = useRemote(async () => {
    await loadSession();
    const { list } = await call('Identity/get', { accountId: ownAccountId(), ids: null });
    return list as readonly Identity[];
  }, []);
  const [edited, setEdited] = useState<Identity | 'new' | undefined>(undefined);
  const { busy, save } = useSave();
  const remove = async (identity: Identity): Promise<void> => {
    const title = t('identityRemoveTitle', { address: identity.email });
    if (!(await confirm({ title, yes: base('remove'), danger: true }))) return;
    await save(() => setOne('Identity/set', { destroy: [identity.id] }));
    await remote.reload();
  };
  return (
    <>
      <p class="soft">{t('identitiesAbout')}</p>
      <RemoteView remote={remote}>
        {(list) => (
          <ul class="settings-list">
            {list.map((identity) => (
              <li key={identity.id} class="settings-item">
                <div class="settings-item-main">
                  <div class="settings-item-name" dir="auto">
                    {identity.name || identity.email}
                  </div>
                  <div class="soft small">{identity.email}</div>
                  {identity.textSignature !== '' && (
                    <div class="soft small cut" dir="auto">
                      {identity.textSignature}
                    </div>
                  )}
                </div>
                <button type="button" class="button" onClick={() => setEdited(identity)}>
                  {base('edit')}
                </button>
                {identity.mayDelete && (
                  <button
                    type="button"
                    class="icon-button"
                    disabled={busy}
                    aria-label={`${base('remove')}: ${identity.email}`}
                    onClick={() => void remove(identity)}
                  >
                    <Icon name="trash" />
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
      </RemoteView>
      <div class="row">
        <button type="button" class="button" onClick={() => setEdited('new')}>
          <Icon name="plus" />
          {t('identityAdd')}
        </button>
      </div>
      {edited !== undefined && (
        <Editor
          identity={edited === 'new' ? undefined : edited}
          onClose={() => setEdited(undefined)}
          onSaved={() => {
            setEdited(undefined);
            void remote.reload();
          }}
        />
      )}
    </>
  );
}

interface EditorProps {
  readonly identity: Identity | undefined;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

function Editor({ identity, onClose, onSaved }: EditorProps) {
  const t = texts('settings');
  const base = texts('base');
  const [name, setName] = useState(identity?.name ?? me.value?.displayName ?? '');
  const [email, setEmail] = useState(identity?.email ?? '');
  const [replyTo, setReplyTo] = useState(identity?.replyTo?.[0]?.email ?? '');
  const [signature, setSignature] = useState(identity?.textSignature ?? '');
  const { busy, problems, save } = useSave();
  const submit = (event: Event): void => {
    event.preventDefault();
    const values = {
      name: name.trim(),
      replyTo: replyTo.trim() === '' ? null : [{ name: null, email: replyTo.trim() }],
      textSignature: signature,
      htmlSignature: toHtml(signature),
    };
    const args =
      identity === undefined
        ? { create: { new: { ...values, email: email.trim() } } }
        : { update: { [identity.id]: values } };
    void save(() => setOne('Identity/set', args)).then((done) => done && onSaved());
  };
  return (
    <Dialog title={identity === undefined ? t('identityAdd') : identity.email} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Field label={t('identityName')} problem={problems['name']}>
          {(input) => (
            <input
              {...input}
              dir="auto"
              maxLength={200}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        {identity === undefined && (
          <Field
            label={t('identityAddress')}
            hint={t('identityAddressHint')}
            problem={problems['email'] ?? problems['']}
          >
            {(input) => (
              <input
                {...input}
                type="email"
                required
                value={email}
                onInput={(event) => setEmail(event.currentTarget.value)}
              />
            )}
          </Field>
        )}
        <Field label={t('identityReplyTo')} problem={problems['replyTo']}>
          {(input) => (
            <input
              {...input}
              type="email"
              value={replyTo}
              onInput={(event) => setReplyTo(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t('signature')} problem={problems['textSignature'] ?? problems['htmlSignature']}>
          {(input) => (
            <textarea
              {...input}
              dir="auto"
              rows={5}
              maxLength={8000}
              value={signature}
              onInput={(event) => setSignature(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {base('cancel')}
          </button>
          <button type="submit" class="button primary" disabled={busy}>
            {base('save')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The same lines for messages with formatting. */
function toHtml(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => ESCAPES[letter] ?? '').replaceAll('\n', '<br>');
}
