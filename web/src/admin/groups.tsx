import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { Choice } from '../settings/choice.tsx';
import { TrashButton } from '../settings/trash-button.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { DataTable } from './table.tsx';
import { FormDialog, Text } from '../settings/fields.tsx';

interface Group {
  readonly address: string;
  readonly description: string;
  readonly senders: 'anyone' | 'domain' | 'members';
  readonly members: readonly string[];
}

const NEW: Group = { address: '', description: '', senders: 'anyone', members: [] };

/** Addresses behind which several people are. */
export function Groups() {
  const t = texts('admin');
  const base = texts('base');
  const remote = useAdmin<{ groups: readonly Group[] }>('/groups');
  const [edited, setEdited] = useState<Group | undefined>(undefined);
  const { busy, save } = useSave();
  const remove = async ({ address }: Group): Promise<void> => {
    const title = t('aliasRemoveTitle', { address });
    if (!(await confirm({ title, yes: base('delete'), danger: true }))) return;
    await save(() => admin('DELETE', `/groups/${encodeURIComponent(address)}`));
    await remote.reload();
  };
  const who = { anyone: t('sendersAnyone'), domain: t('sendersDomain'), members: t('sendersMembers') };
  return (
    <>
      <p class="soft">{t('groupsAbout')}</p>
      <div class="row">
        <button type="button" class="button primary" onClick={() => setEdited(NEW)}>
          {t('groupAdd')}
        </button>
      </div>
      <RemoteView remote={remote}>
        {({ groups }) => (
          <DataTable
            label={t('groups')}
            rows={groups}
            rowKey={(each) => each.address}
            empty={t('groupsNone')}
            columns={[
              {
                title: t('group'),
                cell: (each) => (
                  <>
                    {each.address}
                    <div class="soft small" dir="auto">
                      {each.description}
                    </div>
                  </>
                ),
              },
              { title: t('members'), cell: (each) => each.members.join(', ') },
              { title: t('mayWrite'), cell: (each) => who[each.senders] },
              {
                title: '',
                end: true,
                cell: (each) => (
                  <span class="row">
                    <button type="button" class="button" onClick={() => setEdited(each)}>
                      {base('edit')}
                    </button>
                    <TrashButton
                      label={`${base('delete')}: ${each.address}`}
                      busy={busy}
                      onClick={() => void remove(each)}
                    />
                  </span>
                ),
              },
            ]}
          />
        )}
      </RemoteView>
      {edited !== undefined && (
        <Editor
          group={edited}
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
  readonly group: Group;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

function Editor({ group, onClose, onSaved }: EditorProps) {
  const t = texts('admin');
  const isNew = group.address === '';
  const [now, setNow] = useState(group);
  const [members, setMembers] = useState(group.members.join('\n'));
  const { busy, problems, save } = useSave();
  const submit = (): void => {
    const { address, description, senders } = now;
    const values = { description, senders, members: members.split(/[\s,;]+/).filter(Boolean) };
    void save(() =>
      isNew
        ? admin('POST', '/groups', { address: address.trim(), ...values })
        : admin('PUT', `/groups/${encodeURIComponent(address)}`, values),
    ).then((done) => done && onSaved());
  };
  return (
    <FormDialog title={isNew ? t('groupAdd') : group.address} busy={busy} onClose={onClose} onSubmit={submit}>
      {isNew && (
        <Text
          label={t('address')}
          problem={problems['address']}
          type="email"
          required
          value={now.address}
          onInput={(text) => setNow({ ...now, address: text })}
        />
      )}
      <Text
        label={t('description')}
        dir="auto"
        maxLength={200}
        value={now.description}
        onInput={(text) => setNow({ ...now, description: text })}
      />
      <Field label={t('members')} hint={t('membersHint')} problem={problems['members'] ?? problems['']}>
        {(input) => (
          <textarea
            {...input}
            rows={6}
            spellcheck={false}
            value={members}
            onInput={(event) => setMembers(event.currentTarget.value)}
          />
        )}
      </Field>
      <Choice
        label={t('mayWrite')}
        value={now.senders}
        options={[
          ['anyone', t('sendersAnyone')],
          ['domain', t('sendersDomain')],
          ['members', t('sendersMembers')],
        ]}
        onChange={(senders) => setNow({ ...now, senders })}
      />
    </FormDialog>
  );
}
