import { useEffect, useRef, useState } from 'preact/hooks';
import { Check, Field } from '../base/field.tsx';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { type Me, sessionEnded } from '../base/session.ts';
import { passkeysSupported, signInWithPasskey, stopOffering } from '../base/webauthn.ts';
import { DoorFrame, FormProblem } from './frame.tsx';
import { type Problem, problemOf } from './problems.ts';
import { Secret } from './secret.tsx';
import type { Method, Ticket } from './second-factor.tsx';

type Answer =
  | { readonly state: 'signed-in'; readonly me: Me }
  | { readonly state: 'second-factor'; readonly ticket: string; readonly methods: readonly Method[] };

interface PasswordProps {
  /** Why we are back here. */
  readonly notice: string | undefined;
  readonly onDone: (me: Me) => void;
  readonly onSecondFactor: (ticket: Ticket) => void;
}

/** Address and password, or a passkey alone. */
export function Password({ notice, onDone, onSecondFactor }: PasswordProps) {
  const t = texts('signIn');
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [remember, setRemember] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(
    notice === undefined ? undefined : { sentence: notice },
  );
  const form = useRef<HTMLFormElement>(null);
  useOfferedPasskeys(remember, onDone);

  const refuse = (found: Problem): void => {
    setProblem(found);
    if (found.field !== undefined)
      form.current?.querySelector<HTMLInputElement>(`[name=${CSS.escape(found.field)}]`)?.focus();
  };
  const submit = async (): Promise<void> => {
    if (login.trim() === '') return refuse({ sentence: t('addressMissing'), field: 'login' });
    if (password === '') return refuse({ sentence: t('passwordMissing'), field: 'password' });
    setBusy(true);
    setProblem(undefined);
    try {
      const input = { login: login.trim(), password, remember };
      const answer = await api<Answer>('POST', '/auth/sign-in', input, { quiet: true });
      if (answer.state === 'signed-in') onDone(answer.me);
      else
        onSecondFactor({ ticket: answer.ticket, methods: answer.methods, address: login.trim(), remember });
    } catch (error) {
      refuse(problemOf(error, 'password', t));
    } finally {
      setBusy(false);
    }
  };
  const byPasskey = async (): Promise<void> => {
    setProblem(undefined);
    try {
      const found = await signInWithPasskey({ remember });
      if (found !== undefined) onDone(found);
    } catch (error) {
      refuse(problemOf(error, 'passkey', t));
    }
  };
  const of = (field: string): string | undefined => (problem?.field === field ? problem.sentence : undefined);
  const general = problem?.field === 'login' || problem?.field === 'password' ? undefined : problem?.sentence;
  return (
    <DoorFrame
      title={t('signInTo', { server: location.hostname })}
      lead={t(sessionEnded.value ? 'sessionEnded' : 'signInLead')}
    >
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <FormProblem sentence={general} />
        <Field label={t('address')} problem={of('login')}>
          {(attributes) => (
            <input
              {...attributes}
              type="email"
              name="login"
              autocomplete="username webauthn"
              autocapitalize="off"
              spellcheck={false}
              autofocus
              value={login}
              onInput={(event) => setLogin(event.currentTarget.value)}
            />
          )}
        </Field>
        <Secret
          label={t('password')}
          autocomplete="current-password"
          problem={of('password')}
          value={password}
          onInput={setPassword}
        />
        <Check label={t('remember')} checked={remember} onChange={setRemember} />
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? t('signingIn') : t('signIn')}
        </button>
      </form>
      {passkeysSupported() && (
        <>
          <div class="door-or">{t('or')}</div>
          <button type="button" class="button" onClick={() => void byPasskey()}>
            <Icon name="key" />
            {t('withPasskey')}
          </button>
        </>
      )}
    </DoorFrame>
  );
}

/** Offer passkeys among what the browser suggests for the address, for as long as the page is shown. */
function useOfferedPasskeys(remember: boolean, onDone: (me: Me) => void): void {
  const wish = useRef(remember);
  wish.current = remember;
  useEffect(() => {
    if (!passkeysSupported()) return undefined;
    let left = false;
    // That nothing was chosen, or that the browser does not do it, is no fault worth a word.
    signInWithPasskey({ autofill: true, remember: wish.current }).then(
      (found) => found !== undefined && !left && onDone(found),
      () => undefined,
    );
    return () => {
      left = true;
      stopOffering().catch(() => undefined);
    };
  }, []);
}
