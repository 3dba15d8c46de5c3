import { useState } from 'preact/hooks';
import { formatNumber, formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { navigate, pathOf, route } from '../base/router.ts';
import { useSave } from '../settings/use-save.ts';
import { OneAccount } from './account.tsx';
import { admin, useAdmin } from './api.ts';
import { DataTable } from './table.tsx';
import { typedQuota } from './typed.ts';
import { problemBeside } from './words.ts';
import { Text } from '../settings/fields.tsx';

export interface Account {
  readonly address: string;
  readonly displayName: string;
  readonly role: 'user' | 'domain-admin' | 'admin';
  readonly status: 'active' | 'suspended' | 'removed';
  readonly quota: number;
  readonly used: number;
  readonly emails: number;
  readonly createdAt: number;
  readonly shared: boolean;
}

export function Accounts() {
  const address = route.value.parts[2];
  return address === undefined ? <List /> : <OneAccount key={address} address={address} />;
}

function List() {
  const t = texts('admin');
  const [removed, setRemoved] = useState(false);
  const [search, setSearch] = useState('');
  const remote = useAdmin<{ accounts: readonly Account[] }>('/accounts', removed ? { removed: true } : {});
  const matches = ({ address, displayName }: Account): boolean =>
    `${address} ${displayName}`.toLowerCase().includes(search.trim().toLowerCase());
  const roles = { user: '–', 'domain-admin': t('roleDomainAdmin'), admin: t('roleAdmin') };
  return (
    <>
      {!removed && <Add onAdded={remote.reload} />}
      <div class="admin-filter">
        <Text label={texts('base')('search')} type="search" value={search} onInput={setSearch} />
        <button
          type="button"
          class="button quiet"
          aria-pressed={removed}
          onClick={() => setRemoved(!removed)}
        >
          {removed ? t('accountsThere') : t('accountsRemoved')}
        </button>
      </div>
      <RemoteView remote={remote}>
        {({ accounts }) => (
          <DataTable
            label={t('accounts')}
            rows={accounts.filter(matches)}
            rowKey={(each) => `${each.address} ${each.createdAt}`}
            empty={t('accountsNone')}
            columns={[
              {
                title: t('account'),
                cell: (each) =>
                  removed ? (
                    <Restore address={each.address} onDone={remote.reload} />
                  ) : (
                    <>
                      <a href={pathOf('admin', 'accounts', each.address)}>{each.address}</a>{' '}
                      {each.status === 'suspended' && <span class="badge danger">{t('suspended')}</span>}
                      {each.shared && <span class="badge">{t('shared')}</span>}
                    </>
                  ),
              },
              { title: t('name'), cell: (each) => <span dir="auto">{each.displayName}</span> },
              {
                title: t('role'),
                cell: (each) => roles[each.role],
              },
              { title: t('messagesKept'), end: true, cell: (each) => formatNumber(each.emails) },
              {
                title: t('used'),
                end: true,
                cell: (each) =>
                  each.quota === 0
                    ? formatSize(each.used)
                    : `${formatSize(each.used)} / ${formatSize(each.quota)}`,
              },
            ]}
          />
        )}
      </RemoteView>
    </>
  );
}

function Restore({ address, onDone }: { readonly address: string; readonly onDone: () => Promise<void> }) {
  const t = texts('admin');
  const { busy, save } = useSave();
  const run = (): void =>
    void save(async () => {
      await admin('POST', `/accounts/${encodeURIComponent(address)}/restore`);
      await onDone();
    }, t('accountRestored'));
  return (
    <>
      {address}{' '}
      <button type="button" class="button" disabled={busy} onClick={run}>
        {t('restore')}
      </button>
    </>
  );
}

/** A password that people can type, of 80 bits. */
export function newPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const random = crypto.getRandomValues(new Uint8Array(16));
  const text = [...random].map((octet) => letters[octet % letters.length]).join('');
  return text.replace(/(.{4})(?=.)/g, '$1-');
}

function Add({ onAdded }: { readonly onAdded: () => Promise<void> }) {
  const t = texts('admin');
  const base = texts('base');
  const [open, setOpen] = useState(false);
  const [address, setAddress] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [password, setPassword] = useState(newPassword);
  const [quota, setQuota] = useState('');
  const { busy, problems, save } = useSave();
  if (!open)
    return (
      <div class="row">
        <button type="button" class="button primary" onClick={() => setOpen(true)}>
          {t('accountAdd')}
        </button>
      </div>
    );
  const submit = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      await admin('POST', '/accounts', {
        address: address.trim(),
        displayName: displayName.trim(),
        password,
        quota: typedQuota(quota),
      });
      await onAdded();
      navigate(pathOf('admin', 'accounts', address.trim()));
    }, t('accountAdded'));
  };
  return (
    <form class="card settings-form" onSubmit={submit}>
      <h2>{t('accountAdd')}</h2>
      <div class="settings-pair">
        <Text
          label={t('address')}
          problem={problemBeside(problems, 'quota')}
          type="email"
          required
          value={address}
          onInput={setAddress}
        />
        <Text label={t('name')} dir="auto" maxLength={200} value={displayName} onInput={setDisplayName} />
        <Text
          label={t('password')}
          hint={t('passwordHint')}
          required
          minLength={8}
          value={password}
          onInput={setPassword}
        />
        <Text
          label={t('quota')}
          hint={t('quotaHint')}
          problem={problems['quota']}
          inputMode="decimal"
          value={quota}
          onInput={setQuota}
        />
      </div>
      <div class="row">
        <button type="submit" class="button primary" disabled={busy}>
          {base('add')}
        </button>
        <button type="button" class="button quiet" onClick={() => setOpen(false)}>
          {base('cancel')}
        </button>
      </div>
    </form>
  );
}
