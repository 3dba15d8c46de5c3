import { useEffect, useRef, useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import type { Me } from '../base/session.ts';
import { signInWithPasskey } from '../base/webauthn.ts';
import { DoorFrame, FormProblem } from './frame.tsx';
import { isExpired, type Problem, problemOf } from './problems.ts';

export type Method = 'totp' | 'passkey' | 'recovery';

/** The server's word that the password was right. */
export interface Ticket {
  readonly ticket: string;
  readonly methods: readonly Method[];
  readonly address: string;
  readonly remember: boolean;
}

interface SecondFactorProps {
  readonly ticket: Ticket;
  readonly onDone: (me: Me) => void;
  readonly onBack: (sentence?: string) => void;
}

/** Digits of a code (RFC 6238 as authenticator apps do it). */
const DIGITS = 6;

/** After the password: a code of an app, a recovery code or a passkey. */
export function SecondFactor({ ticket, onDone, onBack }: SecondFactorProps) {
  const t = texts('signIn');
  const [method, setMethod] = useState<Method>(ticket.methods[0] ?? 'totp');
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const fail = (error: unknown): void => {
    if (isExpired(error)) onBack(t('expired'));
    else setProblem(problemOf(error, method, t));
  };
  const choose = (next: Method): void => {
    setProblem(undefined);
    setMethod(next);
  };
  const labels = { totp: t('useTotp'), recovery: t('useRecovery'), passkey: t('usePasskey') };
  const leads = { totp: t('totpLead'), recovery: t('recoveryLead'), passkey: t('passkeyLead') };
  return (
    <DoorFrame title={t('secondFactor')} lead={t('secondFactorLead', { address: ticket.address })}>
      <p>{leads[method]}</p>
      {method === 'passkey' ? (
        <Passkey ticket={ticket} problem={problem} onDone={onDone} onFail={fail} />
      ) : (
        <Code key={method} method={method} ticket={ticket} problem={problem} onDone={onDone} onFail={fail} />
      )}
      <div class="door-ways">
        {ticket.methods
          .filter((each) => each !== method)
          .map((each) => (
            <button key={each} type="button" class="button" onClick={() => choose(each)}>
              {labels[each]}
            </button>
          ))}
        <button type="button" class="button quiet" onClick={() => onBack()}>
          {t('startAgain')}
        </button>
      </div>
    </DoorFrame>
  );
}

interface WayProps {
  readonly ticket: Ticket;
  readonly problem: Problem | undefined;
  readonly onDone: (me: Me) => void;
  readonly onFail: (error: unknown) => void;
}

function Code({
  method,
  ticket,
  problem,
  onDone,
  onFail,
}: WayProps & { readonly method: 'totp' | 'recovery' }) {
  const t = texts('signIn');
  const input = useRef<HTMLInputElement>(null);
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState<string | undefined>(undefined);
  const totp = method === 'totp';
  useEffect(() => input.current?.focus(), []);
  const send = async (entered: string): Promise<void> => {
    const clean = totp ? entered.replace(/\D/g, '') : entered.trim();
    if (totp ? clean.length !== DIGITS : clean === '') {
      setMissing(totp ? t('totpShort') : t('recoveryMissing'));
      input.current?.focus();
      return;
    }
    setMissing(undefined);
    setBusy(true);
    try {
      const wish = { ticket: ticket.ticket, method, code: clean };
      const { me } = await api<{ me: Me }>('POST', '/auth/second-factor', wish, { quiet: true });
      onDone(me);
    } catch (error) {
      setCode('');
      onFail(error);
      input.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send(code);
      }}
    >
      <FormProblem sentence={problem?.field === 'code' ? undefined : problem?.sentence} />
      <div class={totp ? 'door-code' : 'door-code recovery'}>
        <Field
          label={totp ? t('totpCode') : t('recoveryCode')}
          problem={missing ?? (problem?.field === 'code' ? problem.sentence : undefined)}
        >
          {(attributes) => (
            <input
              {...attributes}
              ref={input}
              name="code"
              inputMode={totp ? 'numeric' : 'text'}
              autocomplete={totp ? 'one-time-code' : 'off'}
              autocapitalize="off"
              spellcheck={false}
              maxLength={totp ? DIGITS + 1 : 64}
              value={code}
              onInput={(event) => {
                const { value } = event.currentTarget;
                setCode(value);
                // A code that is whole needs no button.
                if (totp && !busy && value.replace(/\D/g, '').length === DIGITS) void send(value);
              }}
            />
          )}
        </Field>
      </div>
      <button type="submit" class="button primary" disabled={busy}>
        {t('confirm')}
      </button>
    </form>
  );
}

function Passkey({ ticket, problem, onDone, onFail }: WayProps) {
  const t = texts('signIn');
  const [busy, setBusy] = useState(false);
  const ask = async (): Promise<void> => {
    setBusy(true);
    try {
      const found = await signInWithPasskey({ ticket: ticket.ticket, remember: ticket.remember });
      if (found !== undefined) onDone(found);
    } catch (error) {
      onFail(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <FormProblem sentence={problem?.sentence} />
      <button type="button" class="button primary" autofocus disabled={busy} onClick={() => void ask()}>
        <Icon name="key" />
        {t('usePasskey')}
      </button>
    </>
  );
}
