import { useEffect, useState } from 'preact/hooks';
import { api, ApiError } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { route } from '../base/router.ts';
import { me } from '../base/session.ts';
import { Loading } from '../base/states.tsx';
import { DoorFrame, FormProblem } from './frame.tsx';
import { problemOf } from './problems.ts';
import { Secret } from './secret.tsx';

interface Asked {
  readonly client: string;
  readonly scopes: readonly string[];
  /** Where the answer goes: a host, or the scheme of a program on this device. */
  readonly redirect: string;
}

const SCOPES = {
  mail: 'scopeMail',
  send: 'scopeSend',
  settings: 'scopeSettings',
  admin: 'scopeAdmin',
} as const;
/** Where a decision may lead: never to something that would run as a script of ours. */
const UNSAFE = /^(?:javascript|data|vbscript|blob|file):/i;

/** A program asks for access by OAuth 2 (RFC 6749 section 4.1.1): the person decides. */
export default function Page() {
  const t = texts('signIn');
  const id = route.value.query.get('request') ?? '';
  const [asked, setAsked] = useState<Asked | 'gone' | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  /** Undefined until the server wants to know again who one is. */
  const [password, setPassword] = useState<string | undefined>(undefined);
  useEffect(() => {
    api<Asked>('GET', `/oauth/request/${encodeURIComponent(id)}`).then(setAsked, () => setAsked('gone'));
  }, [id]);
  const decide = async (allow: boolean): Promise<void> => {
    setBusy(true);
    try {
      if (allow && password !== undefined)
        await api('POST', '/auth/confirm', /^\d{6}$/.test(password) ? { code: password } : { password });
      const { redirect } = await api<{ redirect: string }>('POST', '/oauth/decision', { request: id, allow });
      if (UNSAFE.test(redirect.trim())) throw new Error(t('consentGone'));
      location.assign(redirect);
    } catch (error) {
      setBusy(false);
      if (error instanceof ApiError && error.kind === 'reauthenticate') setPassword('');
      else setProblem(problemOf(error, 'other', t).sentence);
    }
  };
  if (asked === undefined) return <Loading />;
  if (asked === 'gone')
    return (
      <DoorFrame title={t('consentTitle', { client: '…' })}>
        <FormProblem sentence={t('consentGone')} />
      </DoorFrame>
    );
  const { client, redirect: place } = asked;
  return (
    <DoorFrame
      title={t('consentTitle', { client })}
      lead={t('consentLead', { address: me.value?.address ?? '', client })}
    >
      <FormProblem sentence={problem} />
      <ul class="door-scopes">
        {asked.scopes.map((scope) => (
          <li key={scope}>
            <Icon name="check" />
            <span>{scope in SCOPES ? t(SCOPES[scope as keyof typeof SCOPES]) : scope}</span>
          </li>
        ))}
      </ul>
      <p class="note warning">{t('consentUnverified')}</p>
      <p class="soft">{t('consentBack', { place })}</p>
      {password !== undefined && (
        <Secret
          label={t('consentPassword')}
          hint={t('consentPasswordHint')}
          autocomplete="current-password"
          value={password}
          onInput={setPassword}
        />
      )}
      <div class="door-decision">
        <button type="button" class="button" disabled={busy} onClick={() => void decide(false)}>
          {t('deny')}
        </button>
        <button type="button" class="button primary" disabled={busy} onClick={() => void decide(true)}>
          {t('allow')}
        </button>
      </div>
      <p class="small soft">{t('consentNever')}</p>
    </DoorFrame>
  );
}
