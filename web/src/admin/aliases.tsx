import { useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { Text } from '../settings/fields.tsx';
import { admin, useAdmin } from './api.ts';
import { EditedList } from './edited-list.tsx';

interface Alias {
  readonly address: string;
  readonly targets: readonly string[];
  readonly group?: object;
}

export function Aliases() {
  const t = texts('admin');
  const remote = useAdmin<{ aliases: readonly Alias[] }>('/aliases');
  const [address, setAddress] = useState('');
  const [targets, setTargets] = useState('');
  return (
    <>
      <p class="soft">{t('aliasesAbout')}</p>
      <EditedList
        label={t('aliases')}
        remote={remote}
        rows={({ aliases }) => aliases.filter(({ group }) => group === undefined)}
        name={(each) => each.address}
        empty={t('aliasesNone')}
        columns={[
          { title: t('alias'), cell: (each) => each.address },
          { title: t('leadsTo'), cell: (each) => each.targets.join(', ') },
        ]}
        fields={(problem) => (
          <>
            <Text
              label={t('alias')}
              problem={problem}
              required
              placeholder="info@example.org"
              value={address}
              onInput={setAddress}
            />
            <Text
              label={t('leadsTo')}
              required
              placeholder="anna@example.org"
              value={targets}
              onInput={setTargets}
            />
          </>
        )}
        add={async () => {
          const to = targets.split(/[\s,;]+/).filter(Boolean);
          await admin('POST', '/aliases', { address: address.trim(), targets: to });
          setAddress('');
          setTargets('');
        }}
        removeTitle={(name) => t('aliasRemoveTitle', { address: name })}
        remove={(each) => admin('DELETE', `/aliases/${encodeURIComponent(each.address)}`)}
      />
    </>
  );
}
