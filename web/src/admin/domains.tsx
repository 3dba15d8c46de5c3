import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { formatNumber } from '../base/format.ts';
import { textOf, texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { navigate, pathOf, route } from '../base/router.ts';
import { me } from '../base/session.ts';
import { Text } from '../settings/fields.tsx';
import { useSave } from '../settings/use-save.ts';
import { useSentences } from '../text/sentence.tsx';
import { admin, useAdmin } from './api.ts';
import { Records, type DnsRecord } from './records.tsx';
import { LineForm } from './line-form.tsx';
import { DataTable, Facts } from './table.tsx';

interface Domain {
  readonly name: string;
  readonly aliasOf?: string;
  readonly catchAll?: string;
  readonly accounts: number;
  readonly aliases: number;
}

export function Domains() {
  const name = route.value.parts[2];
  return name === undefined ? <List /> : <One key={name} name={name} />;
}

function List() {
  const t = texts('admin');
  const base = texts('base');
  const remote = useAdmin<{ domains: readonly Domain[] }>('/domains');
  const [name, setName] = useState('');
  const { busy, problems, save } = useSave();
  const add = (): Promise<boolean> =>
    save(async () => {
      await admin('POST', '/domains', { name: name.trim() });
      navigate(pathOf('admin', 'domains', name.trim()));
    }, t('domainAdded'));
  return (
    <>
      {me.value?.role === 'admin' && (
        <LineForm yes={base('add')} busy={busy} primary onSubmit={add}>
          <Text
            label={t('domainNew')}
            problem={Object.values(problems)[0]}
            required
            placeholder="example.org"
            value={name}
            onInput={setName}
          />
        </LineForm>
      )}
      <RemoteView remote={remote}>
        {({ domains }) => (
          <DataTable
            label={t('domains')}
            rows={domains}
            rowKey={(each) => each.name}
            empty={t('domainsNone')}
            columns={[
              {
                title: t('domain'),
                cell: (each) => <a href={pathOf('admin', 'domains', each.name)}>{each.name}</a>,
              },
              { title: t('accounts'), end: true, cell: (each) => formatNumber(each.accounts) },
              { title: t('aliases'), end: true, cell: (each) => formatNumber(each.aliases) },
              { title: t('catchAll'), cell: (each) => each.catchAll ?? '–' },
              { title: t('aliasOf'), cell: (each) => each.aliasOf ?? '–' },
            ]}
          />
        )}
      </RemoteView>
    </>
  );
}

interface OneAnswer {
  readonly domain: Domain;
  readonly otherNames: readonly string[];
  readonly accounts: readonly { readonly address: string }[];
  readonly dkim: readonly { readonly selector: string; readonly algorithm: string; readonly state: string }[];
}

function One({ name }: { readonly name: string }) {
  const remote = useAdmin<OneAnswer>(`/domains/${encodeURIComponent(name)}`);
  return (
    <RemoteView remote={remote}>{(facts) => <Detail facts={facts} reload={remote.reload} />}</RemoteView>
  );
}

function Detail({ facts, reload }: { readonly facts: OneAnswer; readonly reload: () => Promise<void> }) {
  const t = texts('admin');
  const base = texts('base');
  useSentences('audit');
  const { domain, dkim, otherNames } = facts;
  const path = `/domains/${encodeURIComponent(domain.name)}`;
  const records = useAdmin<{ records: readonly DnsRecord[] }>(`${path}/records`);
  const [catchAll, setCatchAll] = useState(domain.catchAll ?? '');
  const { busy, problems, save } = useSave();
  const remove = async (): Promise<void> => {
    const title = t('domainRemoveTitle', { name: domain.name });
    if (!(await confirm({ title, yes: base('delete'), danger: true }))) return;
    if (await save(() => admin('DELETE', path))) navigate('/admin/domains');
  };
  return (
    <>
      <p>
        <a href="/admin/domains">← {t('domains')}</a>
      </p>
      <h2>{domain.name}</h2>
      <Facts
        facts={[
          [t('accounts'), formatNumber(facts.accounts.length)],
          [t('otherNames'), otherNames.join(', ') || '–'],
          [
            t('dkim'),
            dkim
              .map(({ selector, state }) => `${selector} (${textOf('audit', `value ${state}`) ?? state})`)
              .join(', ') || '–',
          ],
        ]}
      />
      <form
        class="admin-filter"
        onSubmit={(event) => {
          event.preventDefault();
          const address = catchAll.trim() === '' ? null : catchAll.trim();
          void save(async () => {
            await admin('PUT', `${path}/catch-all`, { address });
            await reload();
          });
        }}
      >
        <Text
          label={t('catchAll')}
          hint={t('catchAllHint')}
          problem={Object.values(problems)[0]}
          type="email"
          value={catchAll}
          onInput={setCatchAll}
        />
        <button type="submit" class="button" disabled={busy}>
          {base('save')}
        </button>
      </form>
      <section class="settings-section">
        <h2>{t('records')}</h2>
        <p class="soft">{t('recordsAbout')}</p>
        <RemoteView remote={records}>{(answer) => <Records records={answer.records} />}</RemoteView>
      </section>
      {me.value?.role === 'admin' && (
        <div class="row">
          <button type="button" class="button danger" onClick={() => void remove()}>
            {t('domainRemove')}
          </button>
        </div>
      )}
    </>
  );
}
