import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { DataTable } from './table.tsx';

interface Alias {
  readonly address: string;
  readonly targets: readonly string[];
  readonly group?: object;
}

export function Aliases() {
  const t = texts('admin');
  const base = texts('base');
  const remote = useAdmin<{ aliases: readonly Alias[] }>('/aliases');
  const [address, setAddress] = useState('');
  const [targets, setTargets] = useState('');
  const { busy, problems, save } = useSave();
  const add = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      await admin('POST', '/aliases', {
        address: address.trim(),
        targets: targets.split(/[\s,;]+/).filter(Boolean),
      });
      setAddress('');
      setTargets('');
      await remote.reload();
    });
  };
  const remove = async (alias: string): Promise<void> => {
    const title = t('aliasRemoveTitle', { address: alias });
    if (!(await confirm({ title, yes: base('delete'), danger: true }))) return;
    await save(() => admin('DELETE', `/aliases/${encodeURIComponent(alias)}`));
    await remote.reload();
  };
  return (
    <>
      <p class="soft">{t('aliasesAbout')}</p>
      <form class="admin-filter" onSubmit={add}>
        <Field label={t('alias')} problem={Object.values(problems)[0]}>
          {(input) => (
            <input
              {...input}
              required
              placeholder="info@example.org"
              value={address}
              onInput={(event) => setAddress(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t('leadsTo')}>
          {(input) => (
            <input
              {...input}
              required
              placeholder="anna@example.org"
              value={targets}
              onInput={(event) => setTargets(event.currentTarget.value)}
            />
          )}
        </Field>
        <button type="submit" class="button primary" disabled={busy}>
          {base('add')}
        </button>
      </form>
      <RemoteView remote={remote}>
        {({ aliases }) => (
          <DataTable
            label={t('aliases')}
            rows={aliases.filter(({ group }) => group === undefined)}
            rowKey={(each) => each.address}
            empty={t('aliasesNone')}
            columns={[
              { title: t('alias'), cell: (each) => each.address },
              { title: t('leadsTo'), cell: (each) => each.targets.join(', ') },
              {
                title: '',
                end: true,
                cell: (each) => (
                  <button
                    type="button"
                    class="icon-button"
                    disabled={busy}
                    aria-label={`${base('delete')}: ${each.address}`}
                    onClick={() => void remove(each.address)}
                  >
                    <Icon name="trash" />
                  </button>
                ),
              },
            ]}
          />
        )}
      </RemoteView>
    </>
  );
}
