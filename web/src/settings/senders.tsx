import { useState } from 'preact/hooks';
import { formatDate } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { useSave } from './use-save.ts';
import { Text } from './fields.tsx';

interface Sender {
  readonly address: string;
  readonly state: 'allowed' | 'blocked';
  readonly since: number;
}

type Wanted = 'allow' | 'block';

/** Whom the filter lets through, and whose mail goes to Junk. */
export function Senders() {
  const t = texts('settings');
  const base = texts('base');
  const remote = useRemote(
    (signal) => api<{ senders: readonly Sender[] }>('GET', '/account/v1/senders', undefined, { signal }),
    [],
  );
  const [address, setAddress] = useState('');
  const [state, setState] = useState<Wanted>('block');
  const { busy, problems, save } = useSave();
  const put = (whom: string, wanted: Wanted | 'none'): Promise<boolean> =>
    save(async () => {
      await api('POST', '/account/v1/senders', { address: whom, state: wanted });
      await remote.reload();
    });
  return (
    <>
      <p class="soft">{t('sendersAbout')}</p>
      <form
        class="settings-form"
        onSubmit={(event) => {
          event.preventDefault();
          void put(address.trim(), state).then((done) => done && setAddress(''));
        }}
      >
        <Text
          label={t('senderAddress')}
          hint={t('senderAddressHint')}
          problem={Object.values(problems)[0]}
          required
          value={address}
          onInput={setAddress}
        />
        <div class="row">
          <select
            class="input"
            style={{ width: 'auto' }}
            aria-label={t('senderState')}
            value={state}
            onChange={(event) => setState(event.currentTarget.value as Wanted)}
          >
            <option value="block">{t('senderBlock')}</option>
            <option value="allow">{t('senderAllow')}</option>
          </select>
          <button type="submit" class="button primary" disabled={busy}>
            {base('add')}
          </button>
        </div>
      </form>
      <RemoteView remote={remote}>
        {({ senders }) =>
          senders.length === 0 ? (
            <p class="soft">{t('sendersNone')}</p>
          ) : (
            <ul class="settings-list">
              {senders.map((each) => (
                <li key={each.address} class="settings-item">
                  <div class="settings-item-main">
                    <div class="settings-item-name">{each.address}</div>
                    <div class="soft small">{t('since', { date: formatDate(each.since) })}</div>
                  </div>
                  <span class={each.state === 'allowed' ? 'badge good' : 'badge danger'}>
                    {each.state === 'allowed' ? t('senderAllowed') : t('senderBlocked')}
                  </span>
                  <button
                    type="button"
                    class="button"
                    disabled={busy}
                    onClick={() => void put(each.address, 'none')}
                  >
                    {base('remove')}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </RemoteView>
    </>
  );
}
