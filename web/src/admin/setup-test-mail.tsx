import { useEffect, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
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
  const over = probe?.state === 'arrived' || probe?.state === 'failed';
  useEffect(() => {
    if (probe === undefined || over) return undefined;
    const timer = setTimeout(() => {
      admin<Probe>('GET', `/setup/test-mail/${probe.id}`).then(
        (now) => {
          setProbe({ ...probe, ...now });
          if (now.state === 'arrived') void onDone();
        },
        () => setProbe({ ...probe }),
      );
    }, ASK_MS);
    return () => clearTimeout(timer);
  }, [probe, over]);
  const begin = (event: Event): void => {
    event.preventDefault();
    const from = me.value?.address ?? '';
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
          <p>{probe.words === undefined ? t('testWaiting') : <Sentence said={probe.words} />}</p>
        </div>
      )}
    </form>
  );
}
