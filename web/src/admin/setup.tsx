import { useEffect, useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { type DnsRecord, Records } from './records.tsx';
import { me } from '../base/session.ts';

interface Step {
  readonly id: 'domain' | 'dns' | 'certificate' | 'account' | 'send' | 'receive' | 'backup';
  readonly title: string;
  readonly state: 'done' | 'open' | 'problem' | 'skipped';
  readonly sentence: string;
  readonly mend: readonly string[];
  readonly records?: readonly DnsRecord[];
  readonly provider?: boolean;
}

interface Answer {
  readonly firstRun: boolean;
  readonly complete: boolean;
  readonly domain?: string;
  readonly steps: readonly Step[];
}

const BADGES = {
  done: 'badge good',
  open: 'badge warning',
  problem: 'badge danger',
  skipped: 'badge',
} as const;
const PAGES: Partial<Readonly<Record<Step['id'], string>>> = {
  domain: 'domains',
  certificate: 'certificates',
  account: 'accounts',
  backup: 'backups',
};

/** The way from nothing to mail that comes and goes, step by step, with live checks. */
export function Setup() {
  const t = texts('admin');
  const remote = useAdmin<Answer>('/setup', { check: true });
  const { busy, save } = useSave();
  const skip = (step: Step): void =>
    void save(async () => {
      await admin('PUT', `/setup/steps/${step.id}`, { skipped: step.state !== 'skipped' });
      await remote.reload();
    }, '');
  const words = {
    done: t('stepDone'),
    open: t('stepOpen'),
    problem: t('stateProblem'),
    skipped: t('stepSkipped'),
  };
  return (
    <RemoteView remote={remote}>
      {({ complete, domain, steps }) => (
        <>
          {complete && <p class="note good">{t('setupComplete')}</p>}
          <div class="row">
            <button
              type="button"
              class="button"
              disabled={remote.loading}
              onClick={() => void remote.reload()}
            >
              {t('checkAgain')}
            </button>
          </div>
          <ol class="admin-steps">
            {steps.map((step) => (
              <li key={step.id} class="card stack">
                <div class="admin-step-head">
                  <span class={BADGES[step.state]}>{words[step.state]}</span>
                  <h2>{step.title}</h2>
                </div>
                <p>
                  {step.id === 'domain' && domain !== undefined ? <strong>{domain}</strong> : step.sentence}
                </p>
                {step.records !== undefined && <Records records={step.records} />}
                {step.provider === true && domain !== undefined && (
                  <Publish domain={domain} onDone={remote.reload} />
                )}
                {(step.id === 'send' || step.id === 'receive') && (
                  <TestMail kind={step.id} onDone={remote.reload} />
                )}
                {step.state !== 'done' && <Commands step={step} />}
                {step.state !== 'done' && (
                  <div class="row">
                    {PAGES[step.id] !== undefined && (
                      <a class="button" href={`/admin/${PAGES[step.id]}`}>
                        {t('goThere')}
                      </a>
                    )}
                    <button type="button" class="button quiet" disabled={busy} onClick={() => skip(step)}>
                      {step.state === 'skipped' ? t('stepAgain') : t('stepSkip')}
                    </button>
                  </div>
                )}
              </li>
            ))}
          </ol>
        </>
      )}
    </RemoteView>
  );
}

/** The same by hand. What the page shows already, as records or by its own buttons, is not said twice. */
function Commands({ step }: { readonly step: Step }) {
  const t = texts('admin');
  if (step.id === 'send' || step.id === 'receive') return null;
  const commands = step.mend.filter((each) => !/^\S+\. \d+ IN /.test(each));
  if (commands.length === 0) return null;
  return (
    <details>
      <summary>{t('onCommandLine')}</summary>
      <pre class="settings-code" tabIndex={0}>
        {commands.join('\n')}
      </pre>
    </details>
  );
}

interface Plan {
  readonly digest: string;
  readonly [key: string]: unknown;
}

/** Have the DNS provider publish what is missing: first what would be done, then doing it. */
function Publish({ domain, onDone }: { readonly domain: string; readonly onDone: () => Promise<void> }) {
  const t = texts('admin');
  const [plan, setPlan] = useState<Plan | undefined>(undefined);
  const { busy, problems, save } = useSave();
  const path = `/dns/${encodeURIComponent(domain)}`;
  const look = (): void => void save(async () => setPlan(await admin<Plan>('POST', `${path}/plan`, {})), '');
  const apply = (): void =>
    void save(async () => {
      await admin('POST', `${path}/apply`, { digest: plan?.digest });
      setPlan(undefined);
      await onDone();
    }, t('published'));
  return (
    <div class="stack">
      {plan === undefined ? (
        <div class="row">
          <button type="button" class="button" disabled={busy} onClick={look}>
            {t('publishLook')}
          </button>
        </div>
      ) : (
        <>
          <pre class="settings-code" tabIndex={0}>
            {JSON.stringify(plan['changes'] ?? plan, null, 2)}
          </pre>
          <div class="row">
            <button type="button" class="button primary" disabled={busy} onClick={apply}>
              {t('publish')}
            </button>
          </div>
        </>
      )}
      {Object.values(problems)[0] !== undefined && <p class="note danger">{Object.values(problems)[0]}</p>}
    </div>
  );
}

interface Probe {
  readonly id: number | string;
  readonly to?: string;
  readonly subject?: string;
  readonly address?: string;
  readonly state?: 'waiting' | 'sent' | 'arrived' | 'deferred' | 'failed';
  readonly sentence?: string;
}

const ASK_MS = 3000;

/** A message that is watched until it is where it belongs. */
function TestMail({
  kind,
  onDone,
}: {
  readonly kind: 'send' | 'receive';
  readonly onDone: () => Promise<void>;
}) {
  const t = texts('admin');
  const [address, setAddress] = useState('');
  const [probe, setProbe] = useState<Probe | undefined>(undefined);
  const { busy, problems, save } = useSave();
  const over =
    probe?.state === 'arrived' || probe?.state === 'failed' || (kind === 'send' && probe?.state === 'sent');
  useEffect(() => {
    if (probe === undefined || over) return undefined;
    const timer = setTimeout(() => {
      admin<Probe>('GET', `/setup/test-mail/${probe.id}`).then(
        (now) => {
          setProbe({ ...probe, ...now });
          if (now.state === 'arrived' || now.state === 'sent') void onDone();
        },
        () => setProbe({ ...probe }),
      );
    }, ASK_MS);
    return () => clearTimeout(timer);
  }, [probe, over]);
  const begin = (event: Event): void => {
    event.preventDefault();
    const from = me.value?.address ?? '';
    void save(async () => {
      if (kind === 'receive')
        setProbe(await admin<Probe>('POST', '/setup/test-mail/expect', { address: from }));
      else
        setProbe(
          await admin<Probe>('POST', '/setup/test-mail', {
            from,
            ...(address.trim() !== '' && { to: address.trim() }),
          }),
        );
    }, '');
  };
  return (
    <form class="stack" onSubmit={begin}>
      <div class="admin-filter">
        {kind === 'send' && (
          <Field label={t('testTo')} hint={t('testToHint')} problem={Object.values(problems)[0]}>
            {(input) => (
              <input
                {...input}
                type="email"
                value={address}
                onInput={(event) => setAddress(event.currentTarget.value)}
              />
            )}
          </Field>
        )}
        <button type="submit" class="button" disabled={busy}>
          {kind === 'send' ? t('testSend') : t('testReceive')}
        </button>
      </div>
      {probe !== undefined && (
        <div class="note" role="status">
          {kind === 'receive' && probe.subject !== undefined && (
            <p>{t('testExpect', { address: probe.address ?? '', subject: probe.subject })}</p>
          )}
          <p>{probe.sentence ?? t('testWaiting')}</p>
        </div>
      )}
    </form>
  );
}
