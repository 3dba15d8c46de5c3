import { useEffect, useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { navigate } from '../base/router.ts';
import { adopt, type Me } from '../base/session.ts';
import { Loading } from '../base/states.tsx';
import { isDomain, isLocalPart } from './form.ts';
import { DoorFrame, FormProblem } from './frame.tsx';
import { LocalPart, NOBODY, PersonFields, personProblem } from './new-person.tsx';
import { type Problem, problemOf } from './problems.ts';
import { dropToken, takeToken } from './token.ts';

/** The first start: the domain and the account that administers the server; the wizard goes on behind it. */
export default function Page() {
  const t = texts('signIn');
  const [token, setToken] = useState<string | undefined>(undefined);
  const [state, setState] = useState<'looking' | 'token' | { readonly hostname: string }>('looking');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const look = (wanted: string): void => {
    setProblem(undefined);
    api<{ hostname: string }>('POST', '/auth/first-run/look', { token: wanted }, { quiet: true }).then(
      ({ hostname }) => {
        setToken(wanted);
        setState({ hostname });
      },
      (error: unknown) => {
        const { sentence } = problemOf(error, 'other', t);
        setProblem(sentence === t('unreachable') || sentence === t('locked') ? sentence : t('setupGone'));
        setState('token');
      },
    );
  };
  useEffect(() => {
    const found = takeToken('setup');
    if (found === undefined) setState('token');
    else look(found);
  }, []);
  if (state === 'looking') return <Loading />;
  if (state === 'token' || token === undefined) return <AskToken problem={problem} onToken={look} />;
  return <FirstAccount token={token} hostname={state.hostname} />;
}

function AskToken({
  problem,
  onToken,
}: {
  readonly problem: string | undefined;
  readonly onToken: (token: string) => void;
}) {
  const t = texts('signIn');
  const [token, setToken] = useState('');
  return (
    <DoorFrame title={t('setupTitle')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // The whole link does as well.
          const wanted = token.trim().replace(/^.*token=/, '');
          if (wanted !== '') onToken(wanted);
        }}
      >
        <FormProblem sentence={problem} />
        <Field label={t('setupToken')} hint={t('setupTokenHint')}>
          {(attributes) => (
            <input
              {...attributes}
              name="token"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              autofocus
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          )}
        </Field>
        <button type="submit" class="button primary">
          {t('confirm')}
        </button>
        <a class="button quiet" href="/sign-in">
          {t('toSignIn')}
        </a>
      </form>
    </DoorFrame>
  );
}

function FirstAccount({ token, hostname }: { readonly token: string; readonly hostname: string }) {
  const t = texts('signIn');
  const [domain, setDomain] = useState(() => hostname.replace(/^(?:mail|mx\d*|smtp)\./, ''));
  const [localPart, setLocalPart] = useState('');
  const [person, setPerson] = useState(NOBODY);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const address = `${localPart.trim()}@${domain.trim()}`;
  const submit = async (): Promise<void> => {
    if (!isDomain(domain.trim())) return setProblem({ sentence: t('domainMissing'), field: 'domain' });
    if (!isLocalPart(localPart.trim()))
      return setProblem({ sentence: t('localPartMissing'), field: 'address' });
    const missing = personProblem(person, t);
    if (missing !== undefined) return setProblem(missing);
    const { password } = person;
    const displayName = person.displayName.trim();
    setBusy(true);
    setProblem(undefined);
    try {
      const wish = { token, domain: domain.trim(), address, displayName, password };
      const { me } = await api<{ me: Me }>('POST', '/auth/first-run', wish, { quiet: true });
      dropToken('setup');
      adopt(me);
      navigate('/admin/setup', { replace: true });
    } catch (error) {
      setProblem(problemOf(error, 'other', t));
    } finally {
      setBusy(false);
    }
  };
  const of = (field: string): string | undefined => (problem?.field === field ? problem.sentence : undefined);
  const known = ['domain', 'address', 'displayName', 'password'].includes(problem?.field ?? '');
  return (
    <DoorFrame title={t('setupTitle')} lead={t('setupLead', { hostname })}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <FormProblem sentence={known ? undefined : problem?.sentence} />
        <Field label={t('domain')} hint={t('domainHint')} problem={of('domain')}>
          {(attributes) => (
            <input
              {...attributes}
              name="domain"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              autofocus
              value={domain}
              onInput={(event) => setDomain(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field
          label={t('localPart')}
          hint={t('adminNameHint', { address: localPart === '' ? `…@${domain}` : address })}
          problem={of('address')}
        >
          {(attributes) => (
            <LocalPart attributes={attributes} value={localPart} focused={false} onInput={setLocalPart} />
          )}
        </Field>
        <PersonFields person={person} onChange={setPerson} of={of} />
        <button type="submit" class="button primary" disabled={busy}>
          {t('setupStart')}
        </button>
      </form>
    </DoorFrame>
  );
}
