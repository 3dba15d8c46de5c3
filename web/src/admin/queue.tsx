import { useEffect, useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { navigate, pathOf, route } from '../base/router.ts';
import { toast } from '../base/toast.tsx';
import type { Said } from '../text/said.ts';
import { Sentences, useSentences } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { tracePath } from './trace-query.ts';
import { Events, type JournalEvent } from './events.tsx';
import { lastReplyOf, nextAttemptOf, type Recipient, waitingOf } from './queue-words.ts';
import { breakable, DataTable, Facts } from './table.tsx';
import { Time } from './time.tsx';
import { Text } from '../settings/fields.tsx';

interface Message {
  readonly queueId: string;
  readonly trace: string;
  readonly reversePath: string;
  readonly origin: string;
  readonly size: number;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly holdWords?: readonly Said[];
  readonly recipients: readonly Recipient[];
}

/** Milliseconds between two looks: what leaves, or is sent back, goes from the list by itself. */
const LOOK_MS = 5000;

export function Queue() {
  const id = route.value.parts[2];
  return id === undefined ? <List /> : <One key={id} id={id} />;
}

function List() {
  const t = texts('admin');
  useSentences('ways');
  const base = texts('base');
  const [state, setState] = useState('');
  const [text, setText] = useState('');
  const [query, setQuery] = useState<{ state?: string; text?: string }>({});
  const remote = useAdmin<{ messages: readonly Message[]; next?: number | string }>('/queue', {
    ...query,
    limit: 100,
  });
  const { loading, reload } = remote;
  useEffect(() => {
    // A look that takes longer than that is waited for.
    if (loading) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) void reload();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [loading, reload]);
  const { busy, save } = useSave();
  const retryAll = (): void =>
    void save(async () => {
      await admin('POST', '/queue/retry', {});
      await remote.reload();
    }, t('retried'));
  return (
    <>
      <form
        class="admin-filter"
        onSubmit={(event) => {
          event.preventDefault();
          setQuery({ ...(state !== '' && { state }), ...(text.trim() !== '' && { text: text.trim() }) });
        }}
      >
        <Text
          label={base('search')}
          hint={t('queueSearchHint')}
          type="search"
          value={text}
          onInput={setText}
        />
        <Field label={t('state')}>
          {(input) => (
            <select {...input} value={state} onChange={(event) => setState(event.currentTarget.value)}>
              <option value="">{t('any')}</option>
              <option value="queued">{t('waiting')}</option>
              <option value="held">{t('held')}</option>
            </select>
          )}
        </Field>
        <button type="submit" class="button">
          {base('search')}
        </button>
        <button type="button" class="button" disabled={busy} onClick={retryAll}>
          {t('retryAll')}
        </button>
      </form>
      <RemoteView remote={remote}>
        {({ messages }) => (
          <DataTable
            label={t('queue')}
            rows={messages}
            rowKey={(each) => each.queueId}
            empty={t('queueEmpty')}
            columns={[
              {
                title: t('message'),
                cell: (each) => (
                  <>
                    <a href={pathOf('admin', 'queue', each.queueId)}>{each.queueId}</a>
                    <div class="small soft">
                      <Time at={each.createdAt} relative />
                    </div>
                    <div class="small">
                      <a href={tracePath({ q: each.trace })}>{t('trace')}</a>
                    </div>
                  </>
                ),
              },
              { title: t('from'), cell: (each) => each.reversePath || '<>' },
              { title: t('to'), cell: (each) => <To recipients={each.recipients} /> },
              {
                title: t('lastReply'),
                cell: (each) =>
                  each.holdWords === undefined ? (
                    (lastReplyOf(each.recipients) ?? '–')
                  ) : (
                    <Sentences said={each.holdWords} />
                  ),
              },
              { title: t('nextAttempt'), cell: (each) => <NextAttempt of={each} /> },
            ]}
          />
        )}
      </RemoteView>
    </>
  );
}

function NextAttempt({ of: { recipients, holdWords } }: { readonly of: Message }) {
  const t = texts('admin');
  const at = nextAttemptOf(recipients);
  if (at !== undefined) return <Time at={at} relative />;
  const held = holdWords !== undefined || recipients.some(({ state }) => state === 'held');
  return held ? <span class="badge warning">{t('held')}</span> : <>–</>;
}

function To({ recipients }: { readonly recipients: readonly Recipient[] }) {
  const [first, ...rest] = waitingOf(recipients);
  return (
    <>
      {breakable(first?.address)}
      {rest.length > 0 && ` +${rest.length}`}
    </>
  );
}

const ACTS = ['retry', 'hold', 'release', 'bounce', 'drop'] as const;

const STATES = {
  queued: 'waiting',
  leased: 'stateLeased',
  held: 'held',
  delivered: 'stateDelivered',
  failed: 'stateFailed',
  dropped: 'stateDropped',
} as const;

function One({ id }: { readonly id: string }) {
  const t = texts('admin');
  useSentences('ways');
  const path = `/queue/${encodeURIComponent(id)}`;
  const remote = useAdmin<{ message: Message } | Message>(path);
  const transcript = useAdmin<{ events: readonly JournalEvent[] }>(`${path}/transcript`, { words: true });
  const { busy, save } = useSave();
  const act = async (what: 'retry' | 'hold' | 'release' | 'bounce' | 'drop'): Promise<void> => {
    if (what === 'drop' || what === 'bounce') {
      const title = what === 'drop' ? t('dropTitle') : t('bounceTitle');
      const sentence = what === 'drop' ? t('dropSentence') : t('bounceSentence');
      if (!(await confirm({ title, sentence, yes: what === 'drop' ? t('drop') : t('bounce'), danger: true })))
        return;
    }
    const done = await save(() => admin('POST', `${path}/${what}`, {}), '');
    if (!done) return;
    toast(t('doneWith'));
    if (what === 'drop' || what === 'bounce') navigate('/admin/queue');
    else await Promise.all([remote.reload(), transcript.reload()]);
  };
  return (
    <RemoteView remote={remote}>
      {(answer) => {
        const message = 'message' in answer ? answer.message : answer;
        const held = message.recipients.some(({ state }) => state === 'held');
        const free = message.recipients.some(({ state }) => state === 'queued' || state === 'leased');
        return (
          <>
            <p>
              <a href="/admin/queue">← {t('queue')}</a>
            </p>
            <h2>{message.queueId}</h2>
            <Facts
              facts={[
                [t('from'), message.reversePath || '<>'],
                [t('size'), formatSize(message.size)],
                [t('since'), <Time key="s" at={message.createdAt} />],
                [
                  t('givesUp'),
                  message.expiresAt === undefined ? '–' : <Time key="e" at={message.expiresAt} />,
                ],
                ...(message.holdWords === undefined
                  ? []
                  : [[t('held'), <Sentences key="h" said={message.holdWords} />] as const]),
              ]}
            />
            <div class="row">
              {ACTS.filter((what) => (what === 'hold' ? free : what !== 'release' || held)).map((what) => (
                <button
                  key={what}
                  type="button"
                  class={what === 'drop' || what === 'bounce' ? 'button danger' : 'button'}
                  disabled={busy}
                  onClick={() => void act(what)}
                >
                  {t(what)}
                </button>
              ))}
            </div>
            <DataTable
              label={t('to')}
              rows={message.recipients}
              rowKey={(each) => each.address}
              empty=""
              columns={[
                { title: t('to'), cell: (each) => each.address },
                { title: t('state'), cell: (each) => t(STATES[each.state]) },
                { title: t('attempts'), end: true, cell: (each) => each.attempts },
                {
                  title: t('nextAttempt'),
                  cell: (each) => (each.state === 'queued' ? <Time at={each.nextAt} /> : '–'),
                },
                {
                  title: t('lastReply'),
                  cell: (each) => [each.lastHost, each.lastReply].filter(Boolean).join(': ') || '–',
                },
              ]}
            />
            <section class="settings-section">
              <h2>{t('transcript')}</h2>
              <p>
                <a href={tracePath({ q: message.trace })}>{t('wholeHistory')}</a>
              </p>
              <RemoteView remote={transcript}>{({ events }) => <Events events={events} />}</RemoteView>
            </section>
          </>
        );
      }}
    </RemoteView>
  );
}
