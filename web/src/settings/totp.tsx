import { useState } from 'preact/hooks';
import { Dialog } from '../base/dialog.tsx';
import { formatDate } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { withConfirmation } from './confirm-self.tsx';
import { copyText } from './copy.ts';
import type { SecurityProps } from './security.tsx';
import { PATH } from './security-types.ts';
import { useSave } from './use-save.ts';
import { Text } from './fields.tsx';

interface Begun {
  readonly secret: string;
  readonly uri: string;
  /** SVG. */
  readonly qr?: string;
}

/** Codes from an app as a second factor, and recovery codes for when the phone is lost. */
export function Totp({ facts, reload }: SecurityProps) {
  const t = texts('settings');
  const [begun, setBegun] = useState<Begun | undefined>(undefined);
  const [codes, setCodes] = useState<readonly string[] | undefined>(undefined);
  const [ending, setEnding] = useState(false);
  const { busy, save } = useSave();
  const begin = (): void =>
    void save(
      async () => setBegun(await withConfirmation(() => api<Begun>('POST', `${PATH}/totp/begin`))),
      '',
    );
  const renew = (): void =>
    void save(async () => {
      const answer = await withConfirmation(() =>
        api<{ recoveryCodes: readonly string[] }>('POST', `${PATH}/recovery-codes`),
      );
      setCodes(answer.recoveryCodes);
      await reload();
    }, '');
  const { enabled, since } = facts.totp;
  return (
    <section class="settings-section">
      <h2>{t('totp')}</h2>
      <p class="soft">{t('totpAbout')}</p>
      {enabled ? (
        <>
          <p>
            <span class="badge good">{texts('base')('on')}</span>{' '}
            {since !== undefined && t('since', { date: formatDate(since) })} ·{' '}
            {t('recoveryLeft', { count: facts.recoveryCodesLeft })}
          </p>
          <div class="row">
            <button type="button" class="button" disabled={busy} onClick={renew}>
              {t('recoveryRenew')}
            </button>
            <button type="button" class="button danger" disabled={busy} onClick={() => setEnding(true)}>
              {t('totpEnd')}
            </button>
          </div>
        </>
      ) : (
        <div class="row">
          <button type="button" class="button" disabled={busy} onClick={begin}>
            {t('totpBegin')}
          </button>
        </div>
      )}
      {begun !== undefined && (
        <Enroll
          begun={begun}
          onClose={() => setBegun(undefined)}
          onDone={(made) => {
            setBegun(undefined);
            setCodes(made);
            void reload();
          }}
        />
      )}
      {ending && <End onClose={() => setEnding(false)} onDone={() => void reload()} />}
      {codes !== undefined && <RecoveryCodes codes={codes} onClose={() => setCodes(undefined)} />}
    </section>
  );
}

interface EnrollProps {
  readonly begun: Begun;
  readonly onClose: () => void;
  readonly onDone: (codes: readonly string[]) => void;
}

function Enroll({ begun, onClose, onDone }: EnrollProps) {
  const t = texts('settings');
  const base = texts('base');
  const [code, setCode] = useState('');
  const { busy, problems, save } = useSave();
  const submit = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      const answer = await withConfirmation(() =>
        api<{ recoveryCodes: readonly string[] }>('POST', `${PATH}/totp/confirm`, { code: code.trim() }),
      );
      onDone(answer.recoveryCodes);
    }, t('totpOn'));
  };
  return (
    <Dialog title={t('totpBegin')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>{t('totpScan')}</p>
        {begun.qr !== undefined && (
          <img
            class="settings-qr"
            alt={t('totpQr')}
            src={`data:image/svg+xml,${encodeURIComponent(begun.qr)}`}
          />
        )}
        <div class="row">
          <code>{begun.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
          <button type="button" class="button" onClick={() => void copyText(begun.secret)}>
            {base('copy')}
          </button>
        </div>
        <Code label={t('totpCode')} value={code} problem={Object.values(problems)[0]} onInput={setCode} />
        <div class="dialog-foot">
          <button type="submit" class="button primary" disabled={busy}>
            {base('next')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface CodeProps {
  readonly label: string;
  readonly value: string;
  readonly problem: string | undefined;
  readonly onInput: (value: string) => void;
}

function Code({ label, value, problem, onInput }: CodeProps) {
  return (
    <Text
      label={label}
      problem={problem}
      required
      inputMode="numeric"
      autocomplete="one-time-code"
      maxLength={20}
      value={value}
      onInput={(text) => onInput(text)}
    />
  );
}

function End({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }) {
  const t = texts('settings');
  const [code, setCode] = useState('');
  const { busy, problems, save } = useSave();
  const submit = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      await withConfirmation(() => api('DELETE', `${PATH}/totp`, { code: code.trim() }));
      onClose();
      onDone();
    }, t('totpEnded'));
  };
  return (
    <Dialog title={t('totpEnd')} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>{t('totpEndSentence')}</p>
        <Code label={t('totpCode')} value={code} problem={Object.values(problems)[0]} onInput={setCode} />
        <div class="dialog-foot">
          <button type="submit" class="button danger" disabled={busy}>
            {t('totpEnd')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function RecoveryCodes({
  codes,
  onClose,
}: {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}) {
  const t = texts('settings');
  const base = texts('base');
  return (
    <Dialog
      title={t('recovery')}
      onClose={onClose}
      foot={
        <>
          <button type="button" class="button" onClick={() => void copyText(codes.join('\n'))}>
            {base('copy')}
          </button>
          <button type="button" class="button primary" onClick={onClose}>
            {t('recoveryKept')}
          </button>
        </>
      }
    >
      <p>{t('recoveryAbout')}</p>
      <ol class="settings-codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
    </Dialog>
  );
}
