import { useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import type { Said } from '../text/said.ts';
import { Sentence, Sentences, useSentences } from '../text/sentence.tsx';
import { Failure, Loading } from '../base/states.tsx';
import { useRemote } from '../base/remote.ts';
import { me } from '../base/session.ts';
import { admin } from './api.ts';
import { Mend, type Remedy } from './mend.tsx';
import { Time } from './time.tsx';

type State = 'ok' | 'warning' | 'problem' | 'unknown';

interface Report {
  readonly at: number;
  readonly lines: readonly {
    readonly check: string;
    readonly domain?: string;
    readonly subject: string;
    readonly subjectWords: Said;
    readonly state: State;
    readonly foundWords: readonly Said[];
    readonly whyWords: Said;
    readonly mendWords: readonly Remedy[];
  }[];
}

export const STATE_BADGE: Readonly<Record<State, string>> = {
  ok: 'badge good',
  warning: 'badge warning',
  problem: 'badge danger',
  unknown: 'badge',
};

/** What each state is called. */
export function stateWords(): Readonly<Record<State, string>> {
  const t = texts('admin');
  return {
    ok: t('stateOk'),
    warning: t('stateWarning'),
    problem: t('stateProblem'),
    unknown: t('stateUnknown'),
  };
}

const ORDER: readonly State[] = ['problem', 'warning', 'unknown', 'ok'];

/** Everything around the server that mail needs, and how to mend what is wrong (the doctor). */
export function Checks() {
  const t = texts('admin');
  useSentences('setup', 'checks');
  const [shown, setShown] = useState<'bad' | 'all'>('bad');
  const [round, setRound] = useState(0);
  const domain = me.value?.role === 'domain-admin' ? me.value.domain : undefined;
  const remote = useRemote(
    (signal) => admin<Report>('POST', '/doctor', domain === undefined ? {} : { domain }, signal),
    [round, domain],
  );
  if (remote.error !== undefined && remote.data === undefined)
    return <Failure sentence={remote.error.message} onRetry={() => void remote.reload()} />;
  if (remote.data === undefined)
    return (
      <>
        <p class="soft">{t('checksRunning')}</p>
        <Loading />
      </>
    );
  const { at, lines } = remote.data;
  const sorted = lines
    .filter(({ state }) => shown === 'all' || state !== 'ok')
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const words = stateWords();
  return (
    <>
      <div class="row">
        <button type="button" class="button" disabled={remote.loading} onClick={() => setRound(round + 1)}>
          {t('checkAgain')}
        </button>
        <button type="button" class="button quiet" onClick={() => setShown(shown === 'all' ? 'bad' : 'all')}>
          {shown === 'all' ? t('showBad') : t('showAll', { count: lines.length })}
        </button>
        <span class="soft small">
          <Time at={at} />
        </span>
      </div>
      {sorted.length === 0 && <p class="note good">{t('checksWell', { count: lines.length })}</p>}
      <ul class="settings-list" hidden={sorted.length === 0}>
        {sorted.map((line, index) => (
          <li key={`${line.check} ${line.subject} ${index}`} class="settings-item">
            <div class="settings-item-main">
              <div class="row">
                <span class={STATE_BADGE[line.state]}>{words[line.state]}</span>
                <span class="settings-item-name">
                  <Sentence said={line.subjectWords} />
                </span>
                {line.domain !== undefined && <span class="soft small">{line.domain}</span>}
              </div>
              <div>
                <Sentences said={line.foundWords} />
              </div>
              {line.state !== 'ok' && (
                <>
                  <div class="soft small">
                    <Sentence said={line.whyWords} />
                  </div>
                  {line.mendWords.map((each) => (
                    <Mend key={JSON.stringify(each)} remedy={each} />
                  ))}
                </>
              )}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
