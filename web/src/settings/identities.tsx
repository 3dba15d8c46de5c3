import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { me } from '../base/session.ts';
import { forgetServer } from '../compose/server.ts';
import { call, loadSession, ownAccountId } from '../jmap/client.ts';
import type { Identity } from '../jmap/types.ts';
import { setOne } from './jmap-set.ts';
import { TrashButton } from './trash-button.tsx';
import { useSave } from './use-save.ts';
import { FormDialog, Text } from './fields.tsx';

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
    forgetServer();
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
                  <TrashButton
                    label={`${base('remove')}: ${identity.email}`}
                    busy={busy}
                    onClick={() => void remove(identity)}
                  />
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
            forgetServer();
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
  const [name, setName] = useState(identity?.name ?? me.value?.displayName ?? '');
  const [email, setEmail] = useState(identity?.email ?? '');
  const [replyTo, setReplyTo] = useState(identity?.replyTo?.[0]?.email ?? '');
  const [signature, setSignature] = useState(identity?.textSignature ?? '');
  const { busy, problems, save } = useSave();
  const submit = (): void => {
    const values = {
      name: name.trim(),
      replyTo: replyTo.trim() === '' ? null : [{ name: null, email: replyTo.trim() }],
      // Another program may have set one with formatting: it stays until this one is changed.
      ...(signature !== identity?.textSignature && {
        textSignature: signature,
        htmlSignature: toHtml(signature),
      }),
    };
    const args =
      identity === undefined
        ? { create: { new: { ...values, email: email.trim() } } }
        : { update: { [identity.id]: values } };
    void save(() => setOne('Identity/set', args)).then((done) => done && onSaved());
  };
  return (
    <FormDialog
      title={identity === undefined ? t('identityAdd') : identity.email}
      busy={busy}
      onClose={onClose}
      onSubmit={submit}
    >
      <Text
        label={t('identityName')}
        problem={problems['name']}
        dir="auto"
        maxLength={200}
        value={name}
        onInput={setName}
      />
      {identity === undefined && (
        <Text
          label={t('identityAddress')}
          hint={t('identityAddressHint')}
          problem={problems['email'] ?? problems['']}
          type="email"
          required
          value={email}
          onInput={setEmail}
        />
      )}
      <Text
        label={t('identityReplyTo')}
        problem={problems['replyTo']}
        type="email"
        value={replyTo}
        onInput={setReplyTo}
      />
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
    </FormDialog>
  );
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The same lines for messages with formatting. */
function toHtml(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => ESCAPES[letter] ?? '').replaceAll('\n', '<br>');
}
