import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import type { Said } from '../text/said.ts';
import { Sentence, Sentences, useSentences } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { Copyable } from './copyable.tsx';
import { type DnsRecord, Records } from './records.tsx';
import { Publish } from './setup-publish.tsx';
import { type Probe, TestMail } from './setup-test-mail.tsx';

interface Step {
  readonly id: 'domain' | 'dns' | 'certificate' | 'account' | 'send' | 'receive' | 'backup';
  readonly title: string;
  readonly state: 'done' | 'open' | 'problem' | 'skipped';
  readonly sentence: string;
  readonly words?: {
    readonly title: Said;
    readonly sentence: Said;
    readonly found?: readonly { readonly subject: string; readonly words: readonly Said[] }[];
  };
  readonly mend: readonly string[];
  readonly records?: readonly DnsRecord[];
  readonly provider?: boolean;
  readonly probe?: Probe;
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
  useSentences('setup', 'checks');
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
                  <h2>{step.words === undefined ? step.title : <Sentence said={step.words.title} />}</h2>
                </div>
                <Sayings step={step} domain={domain} />
                {step.records !== undefined && <Records records={step.records} />}
                {step.provider === true && domain !== undefined && (
                  <Publish domain={domain} onDone={remote.reload} />
                )}
                {step.provider === false && step.state !== 'done' && (
                  <details>
                    <summary>{t('publishSetUp')}</summary>
                    <p class="small soft">{t('publishSetUpHint')}</p>
                    <Copyable text={`postern dns use ${domain ?? 'DOMAIN'} PROVIDER --credentials FILE`} />
                  </details>
                )}
                {(step.id === 'send' || step.id === 'receive') && (
                  <TestMail kind={step.id} known={step.probe} onDone={remote.reload} />
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

/** What is said of a step; of records what is wrong with each. */
function Sayings({ step, domain }: { readonly step: Step; readonly domain: string | undefined }) {
  const { words } = step;
  if (step.id === 'domain' && domain !== undefined)
    return (
      <p>
        <strong>{domain}</strong>
      </p>
    );
  if (words?.found !== undefined)
    return (
      <ul class="admin-found">
        {words.found.map(({ subject, words: found }) => (
          <li key={JSON.stringify([subject, found])}>
            <strong>{subject}</strong>: <Sentences said={found} />
          </li>
        ))}
      </ul>
    );
  return <p>{words === undefined ? step.sentence : <Sentence said={words.sentence} />}</p>;
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
      {commands.map((each) => (
        <Copyable key={each} text={each} />
      ))}
    </details>
  );
}
