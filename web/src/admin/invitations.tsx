import { useState } from 'preact/hooks';
import { Dialog } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { copyText } from '../settings/copy.ts';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { DataTable } from './table.tsx';
import { typedQuota } from './typed.ts';
import { problemBeside } from './words.ts';
import { Time } from './time.tsx';
import { Text } from '../settings/fields.tsx';

interface Invitation {
  readonly id: number;
  readonly address?: string;
  readonly domain: string;
  readonly note: string;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly state: 'open' | 'used' | 'expired';
  readonly usedFor?: string;
}

/** Links by which people make their own account, once. */
export function Invitations() {
  const t = texts('admin');
  const base = texts('base');
  const remote = useAdmin<{ invitations: readonly Invitation[] }>('/invitations');
  const [whom, setWhom] = useState('');
  const [note, setNote] = useState('');
  const [days, setDays] = useState(7);
  const [quota, setQuota] = useState('');
  const [link, setLink] = useState<string | undefined>(undefined);
  const { busy, problems, save } = useSave();
  const invite = (event: Event): void => {
    event.preventDefault();
    const target = whom.trim();
    void save(async () => {
      const made = await admin<{ link: string }>('POST', '/invitations', {
        ...(target.includes('@') ? { address: target } : { domain: target }),
        days,
        note,
        ...(quota !== '' && { quota: typedQuota(quota) }),
      });
      setLink(made.link);
      setWhom('');
      setNote('');
      await remote.reload();
    }, '');
  };
  const withdraw = (id: number): void =>
    void save(async () => {
      await admin('DELETE', `/invitations/${id}`);
      await remote.reload();
    }, t('withdrawn'));
  const states = { open: t('invitationOpen'), used: t('invitationUsed'), expired: t('invitationExpired') };
  return (
    <>
      <p class="soft">{t('invitationsAbout')}</p>
      <form class="admin-filter" onSubmit={invite}>
        <Text
          label={t('invitationFor')}
          hint={t('invitationForHint')}
          problem={problemBeside(problems, 'quota')}
          required
          value={whom}
          onInput={setWhom}
        />
        <Text label={t('note')} dir="auto" maxLength={200} value={note} onInput={setNote} />
        <Text
          label={t('quota')}
          hint={t('quotaHint')}
          problem={problems['quota']}
          inputMode="decimal"
          value={quota}
          onInput={setQuota}
        />
        <Field label={t('daysGood')}>
          {(input) => (
            <input
              {...input}
              type="number"
              min={1}
              max={90}
              value={days}
              onInput={(event) => setDays(Number(event.currentTarget.value))}
            />
          )}
        </Field>
        <button type="submit" class="button primary" disabled={busy}>
          {t('invite')}
        </button>
      </form>
      <RemoteView remote={remote}>
        {({ invitations }) => (
          <DataTable
            label={t('invitations')}
            rows={invitations}
            rowKey={(each) => each.id}
            empty={t('invitationsNone')}
            columns={[
              { title: t('invitationFor'), cell: (each) => each.address ?? `@${each.domain}` },
              { title: t('note'), cell: (each) => <span dir="auto">{each.note}</span> },
              { title: t('by'), cell: (each) => each.createdBy },
              {
                title: t('state'),
                cell: (each) =>
                  `${states[each.state]}${each.usedFor === undefined ? '' : `: ${each.usedFor}`}`,
              },
              { title: t('until'), cell: (each) => <Time at={each.expiresAt} /> },
              {
                title: '',
                end: true,
                cell: (each) =>
                  each.state === 'open' && (
                    <button type="button" class="button" disabled={busy} onClick={() => withdraw(each.id)}>
                      {t('withdraw')}
                    </button>
                  ),
              },
            ]}
          />
        )}
      </RemoteView>
      {link !== undefined && (
        <Dialog
          title={t('invitationMade')}
          onClose={() => setLink(undefined)}
          foot={
            <button type="button" class="button primary" onClick={() => void copyText(link)}>
              {base('copy')}
            </button>
          }
        >
          <p>{t('invitationOnce')}</p>
          <p class="settings-code">{link}</p>
        </Dialog>
      )}
    </>
  );
}
