import { useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { formatDate, formatRelative } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { confirm } from '../base/dialog.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { forgetServer } from '../compose/server.ts';
import { copyText } from './copy.ts';
import { type Saving, useSave } from './use-save.ts';
import { Text } from './fields.tsx';

export interface MaskedAddress {
  readonly id: number | string;
  readonly address: string;
  readonly label: string;
  readonly site?: string | null;
  readonly state: 'on' | 'off';
  readonly createdAt: number;
  readonly lastAt?: number | null;
  readonly count: number;
  readonly senders: readonly {
    readonly domain: string;
    readonly count: number;
    readonly firstAt: number;
    readonly expected: boolean;
  }[];
  readonly leaked: boolean;
}

interface Answer {
  readonly addresses: readonly MaskedAddress[];
  readonly domains: readonly string[];
}

/** An address for each site: it tells who passed it on, and can be switched off alone. */
export function Masked() {
  const t = texts('settings');
  const remote = useRemote((signal) => api<Answer>('GET', '/account/v1/masked', undefined, { signal }), []);
  const [label, setLabel] = useState('');
  const [site, setSite] = useState('');
  const [domain, setDomain] = useState('');
  const { busy, problems, save } = useSave();
  const add = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      const made = await api<MaskedAddress>('POST', '/account/v1/masked', {
        label: label.trim(),
        ...(site.trim() !== '' && { site: site.trim() }),
        ...(domain !== '' && { domain }),
      });
      setLabel('');
      setSite('');
      forgetServer();
      await remote.reload();
      await copyText(made.address);
    }, t('maskedMade'));
  };
  return (
    <>
      <p class="soft">{t('maskedAbout')}</p>
      <form class="settings-form" onSubmit={add}>
        <div class="settings-pair">
          <Text
            label={t('maskedLabel')}
            problem={problems['label'] ?? problems['']}
            required
            maxLength={100}
            value={label}
            onInput={setLabel}
          />
          <Text
            label={t('maskedSite')}
            hint={t('maskedSiteHint')}
            problem={problems['site']}
            placeholder="shop.example"
            value={site}
            onInput={setSite}
          />
          {(remote.data?.domains.length ?? 0) > 1 && (
            <Field label={t('maskedDomain')}>
              {(input) => (
                <select {...input} value={domain} onChange={(event) => setDomain(event.currentTarget.value)}>
                  {remote.data?.domains.map((each) => (
                    <option key={each} value={each}>
                      {each}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
        </div>
        <div class="row">
          <button type="submit" class="button primary" disabled={busy}>
            {t('maskedAdd')}
          </button>
        </div>
      </form>
      <RemoteView remote={remote}>
        {({ addresses }) =>
          addresses.length === 0 ? (
            <p class="soft">{t('maskedNone')}</p>
          ) : (
            <ul class="settings-list">
              {addresses.map((each) => (
                <Row key={each.id} masked={each} busy={busy} save={save} reload={remote.reload} />
              ))}
            </ul>
          )
        }
      </RemoteView>
    </>
  );
}

function Row({
  masked,
  busy: waiting,
  save: keep,
  reload,
}: {
  readonly masked: MaskedAddress;
  readonly busy: boolean;
  readonly save: Saving['save'];
  readonly reload: () => Promise<void>;
}) {
  const t = texts('settings');
  const base = texts('base');
  const path = `/account/v1/masked/${masked.id}`;
  const others = masked.senders.filter(({ expected }) => !expected);
  const change = (run: () => Promise<unknown>): void =>
    void keep(async () => {
      await run();
      forgetServer();
      await reload();
    });
  const remove = async (): Promise<void> => {
    const title = t('maskedRemoveTitle', { address: masked.address });
    if (await confirm({ title, sentence: t('maskedRemoveSentence'), yes: base('delete'), danger: true }))
      change(() => api('DELETE', path));
  };
  return (
    <li class="settings-item">
      <div class="settings-item-main">
        <div class="row">
          <span class="settings-item-name mono">{masked.address}</span>
          <button
            type="button"
            class="icon-button"
            aria-label={`${base('copy')}: ${masked.address}`}
            onClick={() => void copyText(masked.address)}
          >
            <Icon name="copy" />
          </button>
          {masked.state === 'off' && <span class="badge">{base('off')}</span>}
          {masked.leaked && <span class="badge danger">{t('maskedLeaked')}</span>}
        </div>
        <div class="soft small">
          {masked.label}
          {masked.site ? ` · ${masked.site}` : ''} · {t('messages', { count: masked.count })}
          {masked.lastAt ? ` · ${formatRelative(masked.lastAt)}` : ''}
        </div>
        {others.length > 0 && (
          <ul class="small" style={{ paddingInlineStart: '1.2em' }}>
            {others.map(({ domain: from, count, firstAt }) => (
              <li key={from}>{t('maskedOther', { domain: from, count, date: formatDate(firstAt) })}</li>
            ))}
          </ul>
        )}
      </div>
      <button
        type="button"
        class="button"
        disabled={waiting}
        onClick={() => change(() => api('PUT', path, { state: masked.state === 'on' ? 'off' : 'on' }))}
      >
        {masked.state === 'on' ? t('switchOff') : t('switchOn')}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={`${base('delete')}: ${masked.address}`}
        onClick={() => void remove()}
      >
        <Icon name="trash" />
      </button>
    </li>
  );
}
