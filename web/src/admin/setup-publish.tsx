import { useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { useSave } from '../settings/use-save.ts';
import { admin } from './api.ts';

interface PlanLine {
  readonly state: 'there' | 'add' | 'remove' | 'by-hand' | 'left';
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly note?: string;
}

interface Plan {
  readonly digest: string;
  readonly zones: readonly {
    readonly zone: string;
    readonly kind: string;
    readonly lines: readonly PlanLine[];
  }[];
  readonly elsewhere: readonly PlanLine[];
}

/** Have the DNS provider publish what is missing: first what would be done, then doing it. */
export function Publish({
  domain,
  onDone,
}: {
  readonly domain: string;
  readonly onDone: () => Promise<void>;
}) {
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
          {plan.zones.map(({ zone, kind, lines }) => (
            <PlanShown key={zone} title={`${zone} (${kind})`} lines={lines} />
          ))}
          {plan.elsewhere.length > 0 && <PlanShown title={t('recordElsewhere')} lines={plan.elsewhere} />}
          {plan.zones.some(({ lines }) => lines.some(changes)) ? (
            <div class="row">
              <button type="button" class="button primary" disabled={busy} onClick={apply}>
                {t('publish')}
              </button>
            </div>
          ) : (
            <p class="note good">{t('publishNothing')}</p>
          )}
        </>
      )}
      {Object.values(problems)[0] !== undefined && <p class="note danger">{Object.values(problems)[0]}</p>}
    </div>
  );
}

function changes({ state }: PlanLine): boolean {
  return state === 'add' || state === 'remove';
}

/** What would be done in one zone; what stands there already is not worth a line. */
function PlanShown({ title, lines }: { readonly title: string; readonly lines: readonly PlanLine[] }) {
  const t = texts('admin');
  const words = {
    add: t('planAdd'),
    remove: t('planRemove'),
    'by-hand': t('planByHand'),
    left: t('planLeft'),
  };
  const badges = { add: 'badge good', remove: 'badge danger', 'by-hand': 'badge warning', left: 'badge' };
  return (
    <div class="stack">
      <h3>{title}</h3>
      <ul class="settings-list">
        {lines.map((line) =>
          line.state === 'there' ? null : (
            <li key={`${line.state} ${line.name} ${line.type} ${line.value}`} class="settings-item">
              <div class="settings-item-main">
                <div class="row">
                  <span class={badges[line.state]}>{words[line.state]}</span>
                  <span class="badge">{line.type}</span>
                  <span class="admin-record">{line.name}</span>
                </div>
                <div class="admin-record">{line.value}</div>
                {line.note !== undefined && <div class="small soft">{line.note}</div>}
              </div>
            </li>
          ),
        )}
      </ul>
    </div>
  );
}
