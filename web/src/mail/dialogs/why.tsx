import { useState } from 'preact/hooks';
import { Dialog } from '../../base/dialog.tsx';
import { formatDateTime } from '../../base/format.ts';
import { api } from '../../base/http.ts';
import { language, texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { useRemote } from '../../base/remote.ts';
import { RemoteView } from '../../base/remote-view.tsx';
import { toast, toastError } from '../../base/toast.tsx';
import type { Id } from '../../jmap/types.ts';
import { loadSentences, type Said } from '../../text/said.ts';
import { Sentence } from '../../text/sentence.tsx';
import { guarded, markJunk } from '../actions.ts';
import { mailbox } from '../state.ts';
import { currentTargets, oneEmail, openRow } from '../targets.ts';
import { closeDialog } from './open.ts';

interface Explanation {
  readonly trace?: string;
  readonly verdict: {
    readonly score: number;
    readonly spam: boolean;
    readonly action: string;
    readonly words: Said;
  } | null;
  readonly reasons: readonly { readonly name: string; readonly score: number; readonly words: Said }[];
  readonly timeline: readonly {
    readonly at: number;
    readonly kind: string;
    readonly words: { readonly headline: Said; readonly details: readonly Said[] };
  }[];
  readonly sender: {
    readonly address: string;
    readonly domain: string;
    readonly authenticated: 'pass' | 'fail' | 'none';
    readonly words: Said;
  };
  readonly filing: { readonly script?: string; readonly line?: number; readonly words?: Said } | null;
  readonly whyWords: readonly Said[];
  readonly levers: { readonly address: string; readonly domain: string; readonly state: Lever };
}
type Lever = 'allowed' | 'blocked' | 'none';

/** Why a message is where it is, what happened to it, and what can be done about it. */
export function WhyDialog({ ask }: { readonly ask: { readonly emailId: Id } }) {
  const t = texts('mail');
  const remote = useRemote(
    async (signal) => {
      const path = `/account/v1/explain/${encodeURIComponent(ask.emailId)}`;
      const [found] = await Promise.all([
        api<Explanation>('GET', path, undefined, { signal }),
        loadSentences('why', 'rules', 'events'),
      ]);
      return found;
    },
    [ask.emailId],
  );
  return (
    <Dialog title={t('why')} wide onClose={closeDialog}>
      <RemoteView remote={remote}>{(found) => <Explained found={found} emailId={ask.emailId} />}</RemoteView>
    </Dialog>
  );
}

function Explained({ found, emailId }: { readonly found: Explanation; readonly emailId: Id }) {
  const t = texts('mail');
  // The same is told below, under its heading.
  const [first, ...others] = found.whyWords.filter(
    (each, i) => i === 0 || each.text !== found.sender.words.text,
  );
  const told = new Set(found.whyWords.map(({ text }) => text));
  return (
    <div class="mail-why">
      {first !== undefined && (
        <p class="mail-why-first">
          <Sentence said={first} />
        </p>
      )}
      {others.length > 0 && (
        <ul>
          {others.map((each) => (
            <li key={each.text}>
              <Sentence said={each} />
            </li>
          ))}
        </ul>
      )}
      <Levers levers={found.levers} emailId={emailId} />
      <h3>{t('whySender')}</h3>
      <p class={`mail-checked ${found.sender.authenticated}`}>
        <Icon name={found.sender.authenticated === 'pass' ? 'shield' : 'info'} />
        <Sentence said={found.sender.words} />
      </p>
      {found.filing?.words !== undefined &&
        !(found.filing.script === undefined && found.verdict !== null) && (
          <p>
            <Sentence said={found.filing.words} />
          </p>
        )}
      {found.verdict !== null && (
        <>
          <h3>{t('whyVerdict')}</h3>
          {!told.has(found.verdict.words.text) && (
            <p>
              <Sentence said={found.verdict.words} />
            </p>
          )}
          {found.reasons.length > 0 && (
            <table class="table mail-reasons">
              <thead>
                <tr>
                  <th>{t('whyReason')}</th>
                  <th class="mail-number">{t('whyScore')}</th>
                </tr>
              </thead>
              <tbody>
                {found.reasons.map(({ name, score, words }) => (
                  <tr key={name}>
                    <td>
                      <Sentence said={words} />
                    </td>
                    <td class="mail-number">
                      {score > 0 ? '+' : ''}
                      {score.toLocaleString(language.value, { maximumFractionDigits: 2 })}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
      {found.timeline.length > 0 && (
        <>
          <h3>{t('whyTimeline')}</h3>
          <ol class="mail-timeline">
            {found.timeline.map(({ at, words }, i) => (
              <li key={i}>
                <time
                  dateTime={new Date(at).toISOString()}
                  title={new Date(at).toISOString()}
                  class="soft small"
                >
                  {formatDateTime(at)}
                </time>
                <span class="mail-told">
                  <Sentence said={words.headline} />
                  <Details said={words.details} />
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

/** For those who want to know more. */
function Details({ said }: { readonly said: readonly Said[] }) {
  const t = texts('base');
  if (said.length === 0) return null;
  return (
    <details class="small soft">
      <summary>{t('more')}</summary>
      {said.map((each) => (
        <p key={each.text}>
          <Sentence said={each} />
        </p>
      ))}
    </details>
  );
}

function Levers({ levers, emailId }: { readonly levers: Explanation['levers']; readonly emailId: Id }) {
  const t = texts('mail');
  const [state, setState] = useState<Lever>(levers.state);
  const set = async (wanted: 'allow' | 'block' | 'none'): Promise<void> => {
    await api('POST', '/account/v1/senders', { address: levers.address, state: wanted });
    setState(wanted === 'allow' ? 'allowed' : wanted === 'block' ? 'blocked' : 'none');
    toast(
      t(wanted === 'allow' ? 'senderAllowed' : wanted === 'block' ? 'senderBlocked' : 'senderForgotten', {
        address: levers.address,
      }),
    );
  };
  const junked = mailbox.value?.role === 'junk';
  const mark = async (): Promise<void> => {
    closeDialog();
    const row = openRow();
    const targets = row === undefined ? oneEmail(emailId) : await currentTargets([row]);
    await markJunk(targets, !junked);
  };
  return (
    <div class="row mail-levers">
      <button type="button" class="button" onClick={() => void guarded(mark)}>
        <Icon name={junked ? 'inbox' : 'junk'} />
        {t(junked ? 'notJunk' : 'junk')}
      </button>
      {levers.address !== '' && (
        <>
          <button
            type="button"
            class="button"
            aria-pressed={state === 'allowed'}
            onClick={() => void set(state === 'allowed' ? 'none' : 'allow').catch(toastError)}
          >
            <Icon name={state === 'allowed' ? 'check' : 'shield'} />
            {t(state === 'allowed' ? 'alwaysAllowed' : 'alwaysAllow', { address: levers.address })}
          </button>
          <button
            type="button"
            class="button"
            aria-pressed={state === 'blocked'}
            onClick={() => void set(state === 'blocked' ? 'none' : 'block').catch(toastError)}
          >
            <Icon name={state === 'blocked' ? 'check' : 'ban'} />
            {t(state === 'blocked' ? 'isBlocked' : 'block', { address: levers.address })}
          </button>
        </>
      )}
    </div>
  );
}
