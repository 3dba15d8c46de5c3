import { useEffect, useState } from 'preact/hooks';
import { language, texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { me } from '../../base/session.ts';
import { download } from '../../jmap/client.ts';
import { openComposer } from '../compose.ts';
import type { Invited } from './calendar.ts';
import type { ExtraProps } from './extras.tsx';
import { partsOf } from './load.ts';
import { Lines } from './plain-text.tsx';

type Calendar = typeof import('./calendar.ts');
interface Found {
  readonly invited: Invited;
  readonly text: string;
  readonly calendar: Calendar;
}

/** What, when, where and who of an invitation; answers are sent with the composer. */
export function Invitation({ email, store }: ExtraProps) {
  const t = texts('mail');
  const [found, setFound] = useState<Found | undefined>(undefined);
  useEffect(() => {
    const part = partsOf(email.bodyStructure).find(({ type }) => type.toLowerCase() === 'text/calendar');
    if (part?.blobId == null) return;
    void Promise.all([download(store.id, part.blobId), import('./calendar.ts')])
      .then(([octets, calendar]) => {
        const text = new TextDecoder().decode(octets);
        const invited = calendar.readInvitation(text);
        if (invited !== undefined) setFound({ invited, text, calendar });
      })
      .catch(() => undefined);
  }, [email.id]);
  if (found === undefined) return null;
  const { invited, text, calendar } = found;
  const { method, organizer } = invited;
  const own = me.value?.address.toLowerCase() ?? '';
  const answers = {
    accepted: t('answerAccepted'),
    declined: t('answerDeclined'),
    tentative: t('answerTentative'),
    none: t('answerNone'),
  };
  const title =
    method === 'CANCEL'
      ? t('eventCanceled')
      : method === 'REPLY'
        ? t('eventReply')
        : method === 'REQUEST'
          ? t('eventInvitation')
          : t('event');
  const reply = (answer: 'ACCEPTED' | 'TENTATIVE' | 'DECLINED', label: string): void => {
    if (organizer === undefined) return;
    const ics = calendar.replyCalendar(
      text,
      { name: me.value?.displayName ?? '', address: own },
      answer,
      Date.now(),
    );
    openComposer({
      kind: 'new',
      to: [{ name: organizer.name || null, email: organizer.address }],
      subject: `${label}: ${invited.summary}`,
      text: '',
      files: [new File([ics], 'reply.ics', { type: 'text/calendar; method=REPLY; charset=utf-8' })],
    });
  };
  return (
    <section class={method === 'CANCEL' ? 'mail-event canceled' : 'mail-event'} aria-label={title}>
      <h4>
        <Icon name="calendar" />
        {title}
      </h4>
      <p class="mail-event-what" dir="auto">
        {invited.summary}
      </p>
      <p>
        {when(invited)}
        {invited.repeats && <span class="soft"> · {t('eventRepeats')}</span>}
      </p>
      {invited.location !== '' && (
        <div dir="auto">
          <Lines text={invited.location} />
        </div>
      )}
      {organizer !== undefined && (
        <p class="soft">{t('eventFrom', { name: organizer.name || organizer.address })}</p>
      )}
      {invited.attendees.length > 0 && (
        <details>
          <summary>{t('eventPeople', { count: invited.attendees.length })}</summary>
          <ul>
            {invited.attendees.map(({ name, address, answer }) => (
              <li key={address}>
                <bdi>{name || address}</bdi> <span class="soft">({answers[answer]})</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {invited.description.trim() !== '' && (
        <details>
          <summary>{texts('base')('more')}</summary>
          <div dir="auto">
            <Lines text={invited.description} />
          </div>
        </details>
      )}
      {method === 'REQUEST' && organizer !== undefined && organizer.address !== own && (
        <div class="row">
          <button type="button" class="button" onClick={() => reply('ACCEPTED', t('answerAccepted'))}>
            {t('accept')}
          </button>
          <button type="button" class="button" onClick={() => reply('TENTATIVE', t('answerTentative'))}>
            {t('maybe')}
          </button>
          <button type="button" class="button" onClick={() => reply('DECLINED', t('answerDeclined'))}>
            {t('decline')}
          </button>
        </div>
      )}
    </section>
  );
}

function when({ start, end, wholeDays }: Invited): string {
  if (!wholeDays)
    return new Intl.DateTimeFormat(language.value, { dateStyle: 'full', timeStyle: 'short' }).formatRange(
      start,
      end,
    );
  // The end of whole days is the day after the last.
  return new Intl.DateTimeFormat(language.value, { dateStyle: 'full' }).formatRange(
    start,
    Math.max(start, end - 1),
  );
}
