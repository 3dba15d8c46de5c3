import { useState } from 'preact/hooks';
import { api } from '../../base/http.ts';
import { formatLong, formatSize } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { toast, toastError } from '../../base/toast.tsx';
import { confirm } from '../../base/dialog.tsx';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email, EmailAddress } from '../../jmap/types.ts';
import { openComposer } from '../compose.ts';
import { openDialog } from '../dialogs/open.ts';
import { authentication } from './authentication.ts';
import { addressInName, safeUrl } from './links.ts';

/** The fields of a message that people ask for, and what is known of its sender. */
export function HeaderDetails({ email }: { readonly email: Email }) {
  const t = texts('mail');
  const list = email['header:List-Id:asText'];
  const at = email.sentAt === null ? undefined : Date.parse(email.sentAt);
  const rows: [string, preact.ComponentChildren][] = [
    [t('from'), <People key="from" people={email.from} />],
    [t('to'), <People key="to" people={email.to} />],
  ];
  if (email.cc?.length) rows.push([t('cc'), <People key="cc" people={email.cc} />]);
  if (email.bcc?.length) rows.push([t('bcc'), <People key="bcc" people={email.bcc} />]);
  if (email.replyTo?.length) rows.push([t('replyTo'), <People key="reply" people={email.replyTo} />]);
  if (email.sender?.length && email.sender[0]?.email !== email.from?.[0]?.email)
    rows.push([t('sentBy'), <People key="sender" people={email.sender} />]);
  if (at !== undefined && !Number.isNaN(at)) rows.push([t('sentAt'), formatLong(at)]);
  rows.push([t('receivedAt'), formatLong(Date.parse(email.receivedAt))]);
  if (typeof list === 'string') rows.push([t('list'), list]);
  rows.push([t('size'), formatSize(email.size)], [t('checked'), <Checked key="checked" email={email} />]);
  return (
    <dl class="mail-details">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function People({ people }: { readonly people: readonly EmailAddress[] | null }) {
  const [all, setAll] = useState(false);
  const t = texts('mail');
  const list = people ?? [];
  const shown = all ? list : list.slice(0, 12);
  return (
    <span class="mail-people">
      {shown.map((person, i) => (
        <button
          key={`${i}${person.email}`}
          type="button"
          class="mail-plain mail-person"
          onClick={() => openComposer({ kind: 'new', to: [person] })}
          title={t('writeTo', { address: person.email })}
        >
          {person.name !== null && person.name !== '' && <bdi>{person.name} </bdi>}
          <bdi class="soft">{person.email}</bdi>
        </button>
      ))}
      {shown.length < list.length && (
        <button type="button" class="mail-link" onClick={() => setAll(true)}>
          {t('andMore', { count: list.length - shown.length })}
        </button>
      )}
    </span>
  );
}

/** What the server found out about the sender, in plain words. */
function Checked({ email }: { readonly email: Email }) {
  const t = texts('mail');
  const found = authentication(email);
  const sentence =
    found.state === 'pass'
      ? t('senderPass', { domain: found.domain })
      : found.state === 'other'
        ? t('senderOther', { domain: found.domain, signer: found.signer ?? '' })
        : found.state === 'fail'
          ? t('senderFail', { domain: found.domain })
          : t('senderNone');
  return (
    <span class={`mail-checked ${found.state}`}>
      <Icon name={found.state === 'pass' ? 'shield' : found.state === 'fail' ? 'warning' : 'info'} />
      <span>{sentence}</span>{' '}
      <button type="button" class="mail-link" onClick={() => openDialog({ kind: 'why', emailId: email.id })}>
        {t('why')}
      </button>
    </span>
  );
}

/** What should be seen without being asked for: a sender that is not who it says, a list that can be left. */
export function SenderNotes({ email, store }: { readonly email: Email; readonly store: AccountStore }) {
  const t = texts('mail');
  const found = authentication(email);
  const name = email.from?.[0]?.name ?? '';
  const address = email.from?.[0]?.email ?? '';
  // A name that is somebody else's address.
  const pretends = addressInName(name);
  const isDraft = email.keywords['$draft'] === true;
  const unsubscribe = email['header:List-Unsubscribe:asURLs'];
  return (
    <>
      {found.state === 'fail' && !isDraft && (
        <div class="mail-banner danger" role="note">
          <Icon name="warning" />
          <span>{t('senderFail', { domain: found.domain })}</span>
        </div>
      )}
      {pretends !== undefined && pretends !== address.toLowerCase() && (
        <div class="mail-banner danger" role="note">
          <Icon name="warning" />
          <span>{t('namePretends', { name: pretends, address })}</span>
        </div>
      )}
      {found.state === 'other' && found.signer !== undefined && (
        <p class="soft small mail-via">{t('via', { domain: found.signer })}</p>
      )}
      {Array.isArray(unsubscribe) && unsubscribe.length > 0 && !isDraft && (
        <Unsubscribe email={email} store={store} urls={unsubscribe as readonly string[]} />
      )}
    </>
  );
}

function Unsubscribe({
  email,
  urls,
}: {
  readonly email: Email;
  readonly store: AccountStore;
  readonly urls: readonly string[];
}) {
  const t = texts('mail');
  const [done, setDone] = useState(false);
  if (done) return null;
  const list = email.from?.[0]?.name || (email.from?.[0]?.email ?? '');
  const run = async (): Promise<void> => {
    const yes = await confirm({
      title: t('leaveList'),
      sentence: t('leaveListSentence', { list }),
      yes: t('leaveYes'),
    });
    if (!yes) return;
    type Answer = { readonly state: 'done' | 'sent-mail' | 'open-page'; readonly url?: string };
    const answer = await api<Answer>('POST', '/account/v1/unsubscribe', { emailId: email.id });
    const page = answer.url ?? urls.find((each) => /^https:/i.test(each));
    const url = page === undefined ? undefined : safeUrl(page);
    if (answer.state === 'open-page' && url !== undefined) {
      window.open(url.href, '_blank', 'noopener,noreferrer');
      return;
    }
    setDone(true);
    toast(t(answer.state === 'done' ? 'left' : 'leftByMail'));
  };
  return (
    <div class="mail-unsubscribe small">
      <span class="soft">{t('fromList')}</span>{' '}
      <button type="button" class="mail-link" onClick={() => void run().catch(toastError)}>
        {t('unsubscribe')}
      </button>
    </div>
  );
}
