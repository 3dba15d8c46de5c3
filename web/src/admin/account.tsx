import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { formatNumber, formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { navigate } from '../base/router.ts';
import { me } from '../base/session.ts';
import { useSave } from '../settings/use-save.ts';
import { type Account, newPassword } from './accounts.tsx';
import { AccountAccess } from './account-access.tsx';
import { admin, useAdmin } from './api.ts';
import { DataTable, Facts } from './table.tsx';
import { typedQuota } from './typed.ts';
import { gigabytesOf } from './words.ts';
import { Time } from './time.tsx';
import { Text } from '../settings/fields.tsx';

interface Answer {
  readonly account: Account;
  readonly aliases: readonly (string | { readonly address: string })[];
  readonly grants: readonly (string | { readonly address: string })[];
}

const nameOf = (each: string | { readonly address: string }): string =>
  typeof each === 'string' ? each : each.address;

/** All that an administrator does with one account. */
export function OneAccount({ address }: { readonly address: string }) {
  const path = `/accounts/${encodeURIComponent(address)}`;
  const remote = useAdmin<Answer>(path);
  return (
    <RemoteView remote={remote}>
      {(answer) => <Detail answer={answer} path={path} reload={remote.reload} />}
    </RemoteView>
  );
}

interface DetailProps {
  readonly answer: Answer;
  readonly path: string;
  readonly reload: () => Promise<void>;
}

function Detail({ answer, path, reload }: DetailProps) {
  const t = texts('admin');
  const { account } = answer;
  const { save, busy } = useSave();
  const change = (run: () => Promise<unknown>): void =>
    void save(async () => {
      await run();
      await reload();
    });
  const remove = async (): Promise<void> => {
    const title = t('accountRemoveTitle', { address: account.address });
    const sentence = t('accountRemoveSentence');
    if (!(await confirm({ title, sentence, yes: texts('base')('delete'), danger: true }))) return;
    if (await save(() => admin('DELETE', path))) navigate('/admin/accounts');
  };
  const own = me.value?.address === account.address;
  return (
    <>
      <p>
        <a href="/admin/accounts">← {t('accounts')}</a>
      </p>
      <h2 dir="auto">{account.displayName || account.address}</h2>
      {account.status === 'suspended' && <p class="note danger">{t('suspendedSentence')}</p>}
      <Facts
        facts={[
          [t('address'), account.address],
          [t('aliases'), (answer.aliases ?? []).map(nameOf).join(', ') || '–'],
          [t('grants'), (answer.grants ?? []).map(nameOf).join(', ') || '–'],
          [t('messagesKept'), formatNumber(account.emails)],
          [t('used'), formatSize(account.used)],
          [t('created'), <Time key="t" at={account.createdAt} />],
        ]}
      />
      <div class="settings-pair">
        <Quota account={account} path={path} reload={reload} />
        {me.value?.role === 'admin' && (
          <Field label={t('role')} hint={t('roleHint')}>
            {(input) => (
              <select
                {...input}
                disabled={busy || own}
                value={account.role}
                onChange={(event) => {
                  const role = event.currentTarget.value;
                  change(() => admin('PUT', `${path}/role`, { role }));
                }}
              >
                <option value="user">{t('roleUser')}</option>
                <option value="domain-admin">{t('roleDomainAdmin')}</option>
                <option value="admin">{t('roleAdmin')}</option>
              </select>
            )}
          </Field>
        )}
      </div>
      {account.role === 'domain-admin' && me.value?.role === 'admin' && <AdminDomains path={path} />}
      <NewPassword path={path} />
      {!own && <AccountAccess address={account.address} path={path} />}
      <div class="row">
        <button
          type="button"
          class="button"
          disabled={busy || own}
          onClick={() =>
            change(() =>
              admin('PUT', `${path}/status`, {
                status: account.status === 'active' ? 'suspended' : 'active',
              }),
            )
          }
        >
          {account.status === 'active' ? t('suspend') : t('letIn')}
        </button>
        <button type="button" class="button danger" disabled={busy || own} onClick={() => void remove()}>
          {t('accountRemove')}
        </button>
      </div>
      <Deleted path={path} />
    </>
  );
}

function Quota({
  account,
  path,
  reload,
}: {
  readonly account: Account;
  readonly path: string;
  readonly reload: () => Promise<void>;
}) {
  const t = texts('admin');
  const [quota, setQuota] = useState(gigabytesOf(account.quota));
  const { busy, problems, save } = useSave();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save(async () => {
          await admin('PUT', `${path}/quota`, { quota: typedQuota(quota) });
          await reload();
        });
      }}
    >
      <Field label={t('quota')} hint={t('quotaHint')} problem={Object.values(problems)[0]}>
        {(input) => (
          <span class="row">
            <input
              {...input}
              style={{ width: '8em' }}
              inputMode="decimal"
              value={quota}
              onInput={(event) => setQuota(event.currentTarget.value)}
            />
            <button type="submit" class="button" disabled={busy}>
              {texts('base')('save')}
            </button>
          </span>
        )}
      </Field>
    </form>
  );
}

/** Domains it looks after beside its own. */
function AdminDomains({ path }: { readonly path: string }) {
  const t = texts('admin');
  const remote = useAdmin<{ domains: readonly string[] }>(`${path}/admin-domains`);
  const [text, setText] = useState<string | undefined>(undefined);
  const { busy, problems, save } = useSave();
  const shown = text ?? remote.data?.domains.join(', ') ?? '';
  return (
    <form
      class="settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        const domains = shown.split(/[\s,;]+/).filter(Boolean);
        void save(async () => {
          await admin('PUT', `${path}/admin-domains`, { domains });
          setText(undefined);
          await remote.reload();
        });
      }}
    >
      <Text
        label={t('adminDomains')}
        hint={t('adminDomainsHint')}
        problem={Object.values(problems)[0]}
        value={shown}
        onInput={setText}
      />
      <div class="row">
        <button type="submit" class="button" disabled={busy}>
          {texts('base')('save')}
        </button>
      </div>
    </form>
  );
}

function NewPassword({ path }: { readonly path: string }) {
  const t = texts('admin');
  const [password, setPassword] = useState<string | undefined>(undefined);
  const { busy, problems, save } = useSave();
  if (password === undefined)
    return (
      <div class="row">
        <button type="button" class="button" onClick={() => setPassword(newPassword())}>
          {t('passwordNew')}
        </button>
      </div>
    );
  return (
    <form
      class="settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save(() => admin('PUT', `${path}/password`, { password }), t('passwordSet'));
      }}
    >
      <Text
        label={t('passwordNew')}
        hint={t('passwordNewHint')}
        problem={Object.values(problems)[0]}
        required
        minLength={8}
        value={password}
        onInput={setPassword}
      />
      <div class="row">
        <button type="submit" class="button primary" disabled={busy}>
          {texts('base')('save')}
        </button>
      </div>
    </form>
  );
}

interface DeletedMessage {
  readonly id: number;
  readonly mailbox?: string;
  readonly deletedAt: number;
}

/** What the person deleted, for when they call. */
function Deleted({ path }: { readonly path: string }) {
  const t = texts('admin');
  const [open, setOpen] = useState(false);
  return (
    <section class="settings-section">
      <button type="button" class="button quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t('deletedMail')}
      </button>
      {open && <DeletedList path={path} />}
    </section>
  );
}

function DeletedList({ path }: { readonly path: string }) {
  const t = texts('admin');
  const remote = useAdmin<{ messages: readonly DeletedMessage[] }>(`${path}/deleted`, { limit: 100 });
  const { busy, save } = useSave();
  const restore = (id: number): void =>
    void save(async () => {
      await admin('POST', `${path}/undelete`, { ids: [id] });
      await remote.reload();
    }, t('restored'));
  return (
    <RemoteView remote={remote}>
      {(answer) => (
        <DataTable
          label={t('deletedMail')}
          rows={answer.messages}
          rowKey={(each) => each.id}
          empty={t('deletedNone')}
          columns={[
            { title: t('message'), cell: (each) => each.id },
            { title: t('mailbox'), cell: (each) => each.mailbox ?? '–' },
            { title: t('deletedAt'), cell: (each) => <Time at={each.deletedAt} /> },
            {
              title: '',
              cell: (each) => (
                <button type="button" class="button" disabled={busy} onClick={() => restore(each.id)}>
                  {t('restore')}
                </button>
              ),
            },
          ]}
        />
      )}
    </RemoteView>
  );
}
