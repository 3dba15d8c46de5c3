import { useEffect, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { ApiError } from '../base/http.ts';
import { me } from '../base/session.ts';
import type { Said } from '../text/said.ts';
import { Sentence } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin } from './api.ts';
import { Text } from '../settings/fields.tsx';

/** A test message, and what became of it. */
export interface Probe {
  readonly id: number | string;
  readonly to?: string;
  readonly subject?: string;
  readonly address?: string;
  readonly state?: 'waiting' | 'sent' | 'arrived' | 'deferred' | 'failed';
  readonly words?: Said;
}

const ASK_MS = 3000;

/** A message that is watched until it is where it belongs. */
export function TestMail({
  kind,
  known,
  onDone,
}: {
  readonly kind: 'send' | 'receive';
  /** One that was begun before the page was loaded. */
  readonly known: Probe | undefined;
  readonly onDone: () => Promise<void>;
}) {
  const t = texts('admin');
  const [address, setAddress] = useState('');
  const [probe, setProbe] = useState<Probe | undefined>(known);
  const { busy, problems, save } = useSave();
  const [forgotten, setForgotten] = useState('');
  // That somebody's message was refused does not mean that the one that is waited for does not come.
  const over = probe?.state === 'arrived' || (probe?.state === 'failed' && kind === 'send');
  useEffect(() => {
    if (probe === undefined || over || forgotten !== '') return undefined;
    const asked = new AbortController();
    const timer = setTimeout(() => {
      admin<Probe>('GET', `/setup/test-mail/${probe.id}`, undefined, asked.signal).then(
        (now) => {
          setProbe({ ...probe, ...now });
          if (now.state === 'arrived') void onDone();
        },
        (error: unknown) => {
          if (asked.signal.aborted) return;
          if (error instanceof ApiError && error.status === 404) setForgotten(error.message);
          else setProbe({ ...probe });
        },
      );
    }, ASK_MS);
    return () => {
      clearTimeout(timer);
      // The answer would be about a message that is watched no longer.
      asked.abort();
    };
  }, [probe, over, forgotten]);
  const begin = (event: Event): void => {
    event.preventDefault();
    const from = me.value?.address ?? '';
    setForgotten('');
    void save(async () => {
      if (kind === 'receive')
        setProbe(await admin<Probe>('POST', '/setup/test-mail/expect', { address: from }));
      else
        setProbe(
          await admin<Probe>('POST', '/setup/test-mail', {
            from,
            ...(address.trim() !== '' && { to: address.trim() }),
          }),
        );
    }, '');
  };
  return (
    <form class="stack" onSubmit={begin}>
      <div class="admin-filter">
        {kind === 'send' && (
          <Text
            label={t('testTo')}
            hint={t('testToHint')}
            problem={Object.values(problems)[0]}
            type="email"
            value={address}
            onInput={setAddress}
          />
        )}
        <button type="submit" class="button" disabled={busy}>
          {kind === 'send' ? t('testSend') : t('testReceive')}
        </button>
      </div>
      {probe !== undefined && (
        <div class="note" role="status">
          {kind === 'receive' && probe.subject !== undefined && (
            <p>{t('testExpect', { address: probe.address ?? '', subject: probe.subject })}</p>
          )}
          <p>
            {forgotten !== '' ? (
              forgotten
            ) : probe.words === undefined ? (
              t('testWaiting')
            ) : (
              <Sentence said={probe.words} />
            )}
          </p>
        </div>
      )}
    </form>
  );
}
