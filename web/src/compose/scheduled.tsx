import { useEffect, useState } from 'preact/hooks';
import { formatDateTime, formatRelative } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { useRemote } from '../base/remote.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { Empty } from '../base/states.tsx';
import { toast } from '../base/toast.tsx';
import { addressText } from './addresses.ts';
import './compose.css';
import { fetchScheduled, type Scheduled as Waiting } from './lists.ts';
import { type OutboxEntry, outboxEntries } from './local.ts';
import { openCompose } from './open.ts';
import { openAgain, waitingToSend } from './outbox.ts';
import { undoSend } from './sending.ts';
import { isOffline } from './server.ts';

/** Mail that waits: for its time on the server, or for the connection on this device. */
export function Scheduled() {
  const t = texts('compose');
  const remote = useRemote(fetchScheduled, []);
  const [here, setHere] = useState<readonly OutboxEntry[]>([]);
  const count = waitingToSend.value;
  useEffect(() => {
    outboxEntries().then(setHere, () => undefined);
  }, [count]);
  const cancel = async ({ submission, email }: Waiting): Promise<void> => {
    try {
      await undoSend(submission.id, submission.emailId);
      toast(t('canceled'));
      if (email !== undefined) openCompose({ kind: 'draft', emailId: email.id });
    } catch (error) {
      toast(isOffline(error) ? t('notReached') : t('cannotUndo'), { bad: true });
    }
    await remote.reload();
  };
  return (
    <section class="compose-scheduled" aria-labelledby="scheduled-title">
      <h1 id="scheduled-title">{t('scheduled')}</h1>
      {here.length > 0 && (
        <>
          <h2>{t('outbox')}</h2>
          <p class="soft">{t('outboxAbout')}</p>
          <ul>
            {here.map(({ key, draft, problem }) => (
              <li key={key}>
                <Summary to={draft.to.map(addressText).join(', ')} subject={draft.subject} />
                <span class="soft">{problem ?? t('outboxWaits')}</span>
                <button type="button" class="button" onClick={() => void openAgain(key)}>
                  {texts('base')('edit')}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <p class="soft">{t('scheduledAbout')}</p>
      <RemoteView remote={remote}>
        {(waiting) =>
          waiting.length === 0 ? (
            <Empty>
              <Icon name="clock" />
              <p>{t('nothingScheduled')}</p>
            </Empty>
          ) : (
            <ul>
              {waiting.map((each) => (
                <li key={each.submission.id}>
                  <Summary
                    to={(each.email?.to ?? []).map(addressText).join(', ')}
                    subject={each.email?.subject ?? ''}
                  />
                  <time dateTime={each.submission.sendAt}>
                    {formatDateTime(Date.parse(each.submission.sendAt))}
                    <span class="soft small"> {formatRelative(Date.parse(each.submission.sendAt))}</span>
                  </time>
                  <button type="button" class="button" onClick={() => void cancel(each)}>
                    {t('cancelSending')}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </RemoteView>
    </section>
  );
}

function Summary({ to, subject }: { readonly to: string; readonly subject: string }) {
  const t = texts('compose');
  return (
    <span class="compose-summary">
      <b class="cut" dir="auto">
        {subject === '' ? t('withoutSubject') : subject}
      </b>
      <span class="cut soft" dir="auto">
        {to}
      </span>
    </span>
  );
}
