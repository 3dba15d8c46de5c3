import { texts } from '../base/i18n.ts';
import type { Said } from '../text/said.ts';
import { Sentence, Sentences, useSentences } from '../text/sentence.tsx';
import { Icon } from '../base/icon.tsx';
import { copyText } from '../settings/copy.ts';
import { STATE_BADGE, stateWords } from './checks.tsx';

export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly why: string;
  readonly whyWords?: Said;
  readonly elsewhere?: boolean;
  readonly onlyIfWords?: Said;
  /** What was found when it was looked up. */
  readonly state?: 'ok' | 'warning' | 'problem' | 'unknown';
  readonly foundWords?: readonly Said[];
}

/** Records to publish, each with a button that copies its value. */
export function Records({ records }: { readonly records: readonly DnsRecord[] }) {
  useSentences('setup', 'checks', 'ways');
  const t = texts('admin');
  const base = texts('base');
  const words = stateWords();
  return (
    <ul class="settings-list">
      {records.map((record) => (
        <li key={`${record.name} ${record.type} ${record.value}`} class="settings-item">
          <div class="settings-item-main">
            <div class="row">
              <span class="badge">{record.type}</span>
              <span class="admin-record">{record.name}</span>
              {record.state !== undefined && (
                <span class={STATE_BADGE[record.state]}>{words[record.state]}</span>
              )}
              {record.elsewhere === true && <span class="badge warning">{t('recordElsewhere')}</span>}
            </div>
            <div class="admin-record">{record.value}</div>
            <div class="soft small">
              {record.whyWords === undefined ? record.why : <Sentence said={record.whyWords} />}
              {record.onlyIfWords !== undefined && (
                <>
                  {' '}
                  (<Sentence said={record.onlyIfWords} />)
                </>
              )}
            </div>
            {record.foundWords !== undefined && record.state !== 'ok' && (
              <div class="small">
                <Sentences said={record.foundWords} />
              </div>
            )}
          </div>
          <button
            type="button"
            class="icon-button"
            aria-label={`${base('copy')}: ${record.type} ${record.name}`}
            onClick={() => void copyText(record.value)}
          >
            <Icon name="copy" />
          </button>
        </li>
      ))}
    </ul>
  );
}
