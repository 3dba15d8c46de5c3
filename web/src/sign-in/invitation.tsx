import { useEffect, useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { formatDate } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { navigate } from '../base/router.ts';
import { adopt, type Me } from '../base/session.ts';
import { Loading } from '../base/states.tsx';
import { isLocalPart } from './form.ts';
import { DoorFrame, FormProblem } from './frame.tsx';
import { LocalPart, NOBODY, PersonFields, personProblem } from './new-person.tsx';
import { type Problem, problemOf } from './problems.ts';
import { dropToken, takeToken } from './token.ts';

interface Invitation {
  readonly address?: string;
  readonly domain?: string;
  readonly expiresAt: number;
}

type Looked =
  | { readonly token: string; readonly invitation: Invitation }
  | { readonly problem: string }
  | undefined;

/** Somebody was invited to have a mailbox: name, password, and they are in. */
export default function Page() {
  const t = texts('signIn');
  const [looked, setLooked] = useState<Looked>(undefined);
  useEffect(() => {
    const token = takeToken('invitation');
    if (token === undefined) return setLooked({ problem: t('invitationGone') });
    api<Invitation>('POST', '/auth/invitation/look', { token }, { quiet: true }).then(
      (invitation) => setLooked({ token, invitation }),
      (error: unknown) => {
        const { sentence } = problemOf(error, 'other', t);
        setLooked({ problem: sentence === t('unreachable') ? sentence : t('invitationGone') });
      },
    );
  }, []);
  if (looked === undefined) return <Loading />;
  if ('problem' in looked)
    return (
      <DoorFrame title={t('invitationTitle')}>
        <FormProblem sentence={looked.problem} />
        <a class="button" href="/sign-in">
          {t('toSignIn')}
        </a>
      </DoorFrame>
    );
  return <Accept token={looked.token} invitation={looked.invitation} />;
}

function Accept({ token, invitation }: { readonly token: string; readonly invitation: Invitation }) {
  const t = texts('signIn');
  const { address, domain } = invitation;
  const [localPart, setLocalPart] = useState('');
  const [person, setPerson] = useState(NOBODY);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const own = address ?? `${localPart.trim()}@${domain ?? ''}`;
  const submit = async (): Promise<void> => {
    if (address === undefined && !isLocalPart(localPart.trim()))
      return setProblem({ sentence: t('localPartMissing'), field: 'address' });
    const missing = personProblem(person, t);
    if (missing !== undefined) return setProblem(missing);
    const { password } = person;
    const displayName = person.displayName.trim();
    setBusy(true);
    setProblem(undefined);
    try {
      const wish = {
        token,
        displayName,
        password,
        ...(address === undefined && { address: own }),
      };
      const { me } = await api<{ me: Me }>('POST', '/auth/invitation/accept', wish, { quiet: true });
      dropToken('invitation');
      adopt(me);
      navigate('/mail', { replace: true });
    } catch (error) {
      setProblem(problemOf(error, 'other', t));
    } finally {
      setBusy(false);
    }
  };
  const of = (field: string): string | undefined => (problem?.field === field ? problem.sentence : undefined);
  const known = ['address', 'displayName', 'password'].includes(problem?.field ?? '');
  return (
    <DoorFrame
      title={t('invitationTitle')}
      lead={
        address === undefined ? t('invitationIn', { domain: domain ?? '' }) : t('invitationFor', { address })
      }
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <FormProblem sentence={known ? undefined : problem?.sentence} />
        {address === undefined ? (
          <Field
            label={t('localPart')}
            hint={t('localPartHint', { address: localPart === '' ? `…@${domain ?? ''}` : own })}
            problem={of('address')}
          >
            {(attributes) => (
              <LocalPart attributes={attributes} value={localPart} focused onInput={setLocalPart} />
            )}
          </Field>
        ) : (
          // For password managers: what the password belongs to.
          <input type="hidden" name="username" autocomplete="username" value={address} />
        )}
        <PersonFields person={person} onChange={setPerson} of={of} />
        <button type="submit" class="button primary" disabled={busy}>
          {t('createMailbox')}
        </button>
        <p class="small soft">{t('invitationUntil', { date: formatDate(invitation.expiresAt) })}</p>
      </form>
    </DoorFrame>
  );
}
