import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { Text } from '../settings/fields.tsx';
import type { Said } from '../text/said.ts';
import { Sentences, useSentences } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { EditedList } from './edited-list.tsx';
import { DataTable } from './table.tsx';
import { TimeAndAway } from './time.tsx';

interface Ban {
  readonly subject: string;
  readonly kind: string;
  readonly reason: string;
  readonly reasonWords?: readonly Said[];
  readonly since?: number;
  readonly until: number;
}

const HOUR_S = 3600;
/** The server bans for no longer. */
const MOST_HOURS = 30 * 24;

function Reason({
  of: { reason, reasonWords },
}: {
  readonly of: { readonly reason: string; readonly reasonWords?: readonly Said[] };
}) {
  return reasonWords === undefined ? <>{reason}</> : <Sentences said={reasonWords} />;
}

/** Who may not log in, and whose sending is held. */
export function Bans() {
  const t = texts('admin');
  useSentences('ways');
  const remote = useAdmin<{ bans: readonly Ban[] }>('/bans');
  const [network, setNetwork] = useState('');
  const [hours, setHours] = useState(24);
  const [reason, setReason] = useState('');
  return (
    <>
      <p class="soft">{t('bansAbout')}</p>
      <EditedList
        label={t('bans')}
        remote={remote}
        rows={({ bans }) => bans}
        name={(each) => each.subject}
        empty={t('bansNone')}
        columns={[
          { title: t('network'), cell: (each) => each.subject },
          { title: t('reason'), cell: (each) => <Reason of={each} /> },
          { title: t('until'), cell: (each) => <TimeAndAway at={each.until} /> },
        ]}
        fields={(problem) => (
          <>
            <Text
              label={t('banNetwork')}
              problem={problem}
              required
              placeholder="203.0.113.0/24"
              value={network}
              onInput={setNetwork}
            />
            <Field label={t('forHours')}>
              {(input) => (
                <input
                  {...input}
                  type="number"
                  min={1}
                  max={MOST_HOURS}
                  value={hours}
                  onInput={(event) => setHours(Number(event.currentTarget.value))}
                />
              )}
            </Field>
            <Text label={t('reason')} maxLength={500} value={reason} onInput={setReason} />
          </>
        )}
        addWords={t('ban')}
        add={async () => {
          const seconds = Math.round(hours * HOUR_S);
          await admin('POST', '/bans', { network: network.trim(), seconds, reason: reason.trim() });
          setNetwork('');
          setReason('');
        }}
        removeTitle={(name) => t('banLiftTitle', { network: name })}
        remove={(each) => admin('DELETE', `/bans/${encodeURIComponent(each.subject)}`)}
      />
      <Exempt />
      <Holds />
    </>
  );
}

interface Exemption {
  readonly network: string;
  readonly note: string;
}

/** Networks that are never banned. */
function Exempt() {
  const t = texts('admin');
  const remote = useAdmin<{ exemptions: readonly Exemption[] }>('/bans/exemptions');
  const [network, setNetwork] = useState('');
  const [note, setNote] = useState('');
  return (
    <section class="settings-section">
      <h2>{t('exempt')}</h2>
      <p class="soft">{t('exemptAbout')}</p>
      <EditedList
        label={t('exempt')}
        remote={remote}
        rows={({ exemptions }) => exemptions}
        name={(each) => each.network}
        empty={t('exemptNone')}
        columns={[
          { title: t('banNetwork'), cell: (each) => each.network },
          { title: t('note'), cell: (each) => each.note },
        ]}
        fields={(problem) => (
          <>
            <Text
              label={t('exemptNetwork')}
              problem={problem}
              required
              placeholder="192.0.2.0/24"
              value={network}
              onInput={setNetwork}
            />
            <Text label={t('note')} maxLength={500} value={note} onInput={setNote} />
          </>
        )}
        add={async () => {
          await admin('POST', '/bans/exemptions', { network: network.trim(), note: note.trim() });
          setNetwork('');
          setNote('');
        }}
        removeTitle={(name) => t('exemptRemoveTitle', { network: name })}
        remove={(each) => admin('DELETE', `/bans/exemptions/${encodeURIComponent(each.network)}`)}
      />
    </section>
  );
}

interface Held {
  readonly account: string;
  readonly hold?: {
    readonly reason: string;
    readonly reasonWords?: readonly Said[];
    readonly since: number;
  };
  readonly messages: number;
}

function Holds() {
  const t = texts('admin');
  const remote = useAdmin<{ held: readonly Held[] }>('/holds');
  const { busy, save } = useSave();
  const release = async (account: string, drop: boolean): Promise<void> => {
    const title = t('holdDropTitle', { address: account });
    if (drop && !(await confirm({ title, sentence: t('dropSentence'), yes: t('drop'), danger: true })))
      return;
    await save(async () => {
      await admin('POST', `/holds/${encodeURIComponent(account)}/release`, { drop });
      await remote.reload();
    }, t('doneWith'));
  };
  return (
    <section class="settings-section">
      <h2>{t('holds')}</h2>
      <RemoteView remote={remote}>
        {({ held }) => (
          <DataTable
            label={t('holds')}
            rows={held}
            rowKey={(each) => each.account}
            empty={t('holdsNone')}
            columns={[
              { title: t('account'), cell: (each) => each.account },
              {
                title: t('reason'),
                cell: (each) => (each.hold === undefined ? '–' : <Reason of={each.hold} />),
              },
              { title: t('messagesKept'), end: true, cell: (each) => each.messages },
              {
                title: '',
                end: true,
                cell: (each) => (
                  <span class="row">
                    <button
                      type="button"
                      class="button"
                      disabled={busy}
                      onClick={() => void release(each.account, false)}
                    >
                      {t('release')}
                    </button>
                    <button
                      type="button"
                      class="button danger"
                      disabled={busy}
                      onClick={() => void release(each.account, true)}
                    >
                      {t('drop')}
                    </button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </RemoteView>
    </section>
  );
}
