import { useState } from 'preact/hooks';
import { formatNumber, formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { Text } from '../settings/fields.tsx';
import type { Said } from '../text/said.ts';
import { Sentences, useSentences } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { LineForm } from './line-form.tsx';
import { periodWords } from './route-words.ts';
import { DataTable } from './table.tsx';
import { Time } from './time.tsx';

interface Refusal {
  readonly way: string;
  readonly destination: string;
  readonly cause: string;
  readonly reply: string;
  readonly since: number;
  readonly until: number;
}

/** Who takes nothing from us at present. */
export function Refusals() {
  const t = texts('admin');
  const remote = useAdmin<{ refusals: readonly Refusal[] }>('/routing/refusals');
  const { busy, save } = useSave();
  const forget = ({ way, destination }: Refusal): void =>
    void save(async () => {
      await admin(
        'DELETE',
        `/routing/refusals/${encodeURIComponent(way)}/${encodeURIComponent(destination)}`,
      );
      await remote.reload();
    });
  return (
    <section class="settings-section">
      <h2>{t('refusals')}</h2>
      <RemoteView remote={remote}>
        {({ refusals }) => (
          <DataTable
            label={t('refusals')}
            rows={refusals}
            rowKey={(each) => `${each.way} ${each.destination}`}
            empty={t('refusalsNone')}
            columns={[
              { title: t('destination'), cell: (each) => each.destination },
              { title: t('way'), cell: (each) => each.way },
              { title: t('lastReply'), cell: (each) => each.reply },
              { title: t('until'), cell: (each) => <Time at={each.until} /> },
              {
                title: '',
                end: true,
                cell: (each) => (
                  <button type="button" class="button" disabled={busy} onClick={() => forget(each)}>
                    {t('tryNow')}
                  </button>
                ),
              },
            ]}
          />
        )}
      </RemoteView>
    </section>
  );
}

interface Used {
  readonly way: string;
  /** Day or month, UTC. */
  readonly period: string;
  readonly messages: number;
  readonly recipients: number;
  readonly octets: number;
  readonly cost?: number;
}

/** Milliseconds of a month of usage. */
const MONTH_MS = 31 * 86_400_000;

/** What each way carried in the last month. */
export function Usage() {
  const t = texts('admin');
  const [since] = useState(() => new Date(Date.now() - MONTH_MS).toISOString().slice(0, 10));
  const remote = useAdmin<{ usage: readonly Used[] }>('/routing/usage', { since });
  return (
    <section class="settings-section">
      <h2>{t('usage')}</h2>
      <RemoteView remote={remote}>
        {({ usage }) => (
          <DataTable
            label={t('usage')}
            rows={usage}
            rowKey={(each) => `${each.way} ${each.period}`}
            empty={t('usageNone')}
            columns={[
              { title: t('way'), cell: (each) => each.way },
              { title: t('when'), cell: (each) => periodWords(each.period) },
              { title: t('messagesKept'), end: true, cell: (each) => formatNumber(each.messages) },
              { title: t('to'), end: true, cell: (each) => formatNumber(each.recipients) },
              { title: t('size'), end: true, cell: (each) => formatSize(each.octets) },
              {
                title: t('cost'),
                end: true,
                cell: (each) => (each.cost === undefined ? '–' : each.cost.toFixed(2)),
              },
            ]}
          />
        )}
      </RemoteView>
    </section>
  );
}

interface ProbeAnswer {
  readonly steps: readonly {
    readonly step: string;
    readonly host?: string;
    readonly result: 'ok' | 'note' | 'problem';
    readonly text: string;
    readonly words?: readonly Said[];
  }[];
  readonly deliverable: boolean;
}

/** Goes to the host of an address up to RCPT, and sends nothing. */
export function Probe() {
  const t = texts('admin');
  useSentences('ways');
  const [address, setAddress] = useState('');
  const [answer, setAnswer] = useState<ProbeAnswer | undefined>(undefined);
  const { busy, problems, save } = useSave();
  const badges = { ok: 'badge good', note: 'badge', problem: 'badge danger' };
  return (
    <section class="settings-section">
      <h2>{t('probe')}</h2>
      <LineForm
        yes={t('ask')}
        busy={busy}
        onSubmit={() =>
          save(async () => setAnswer(await admin('POST', '/routing/probe', { address: address.trim() })), '')
        }
      >
        <Text
          label={t('address')}
          hint={t('probeHint')}
          problem={Object.values(problems)[0]}
          type="email"
          required
          value={address}
          onInput={setAddress}
        />
      </LineForm>
      {answer !== undefined && (
        <ul class="settings-list" aria-live="polite">
          {answer.steps.map((each, index) => (
            <li key={index} class="settings-item">
              <span class={badges[each.result]}>{each.step}</span>
              <div class="settings-item-main">
                {each.host} {each.words === undefined ? each.text : <Sentences said={each.words} />}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
