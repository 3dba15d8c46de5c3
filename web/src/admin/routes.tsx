import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { type Route, RouteForm } from './route-form.tsx';
import { Probe, Refusals, Usage } from './route-state.tsx';
import { RouteTest } from './route-test.tsx';
import { matchWords } from './route-words.ts';
import { DataTable } from './table.tsx';
import { TransportForm } from './transport-form.tsx';
import { summaryOf, type TransportSettings } from './transport-values.ts';

interface Routing {
  readonly settings: {
    readonly transports: Readonly<Record<string, TransportSettings>>;
    readonly routes: readonly Route[];
  };
}

type Edited =
  | { readonly kind: 'transport'; readonly of?: readonly [name: string, settings: TransportSettings] }
  | { readonly kind: 'route'; readonly of?: Route }
  | undefined;

/** Ways to send: which there are and which mail takes which, who refuses them, what they carried. */
export function Routes() {
  const t = texts('admin');
  const remote = useAdmin<Routing>('/routing');
  const [edited, setEdited] = useState<Edited>(undefined);
  const { busy, save } = useSave();
  const close = (): void => setEdited(undefined);
  const saved = (): void => {
    close();
    void remote.reload();
  };
  const remove = async (kind: 'transports' | 'routes', name: string): Promise<void> => {
    if (!(await confirm({ title: t('removeTitle', { name }), yes: texts('base')('remove'), danger: true })))
      return;
    if (await save(() => admin('DELETE', `/routing/${kind}/${encodeURIComponent(name)}`), '')) saved();
  };
  return (
    <>
      <RouteTest />
      <RemoteView remote={remote}>
        {({ settings: { transports, routes } }) => (
          <>
            <section class="settings-section">
              <h2>{t('transports')}</h2>
              <DataTable
                label={t('transports')}
                rows={Object.entries(transports)}
                rowKey={([name]) => name}
                empty={t('transportsNone')}
                columns={[
                  { title: t('name'), cell: ([name]) => name },
                  { title: t('kind'), cell: ([, { kind }]) => String(kind) },
                  { title: t('value'), cell: ([, settings]) => summaryOf(settings) },
                  {
                    title: '',
                    end: true,
                    cell: (row) => (
                      <Buttons
                        name={row[0]}
                        busy={busy}
                        onEdit={() => setEdited({ kind: 'transport', of: row })}
                        onRemove={() => void remove('transports', row[0])}
                      />
                    ),
                  },
                ]}
              />
              <button type="button" class="button" onClick={() => setEdited({ kind: 'transport' })}>
                {t('transportAdd')}
              </button>
            </section>
            <section class="settings-section">
              <h2>{t('routesOrder')}</h2>
              <DataTable
                label={t('routesOrder')}
                rows={routes}
                rowKey={({ name }) => name}
                empty={t('routesNone')}
                columns={[
                  { title: t('name'), cell: ({ name }) => name },
                  { title: t('forMail'), cell: ({ match }) => matchWords(match) },
                  { title: t('waysInOrder'), cell: ({ transports: ways }) => ways.join(', ') },
                  {
                    title: '',
                    end: true,
                    cell: (row) => (
                      <Buttons
                        name={row.name}
                        busy={busy}
                        onEdit={() => setEdited({ kind: 'route', of: row })}
                        onRemove={() => void remove('routes', row.name)}
                      />
                    ),
                  },
                ]}
              />
              <button type="button" class="button" onClick={() => setEdited({ kind: 'route' })}>
                {t('routeAdd')}
              </button>
            </section>
            {edited?.kind === 'transport' && (
              <TransportForm edited={edited.of} onClose={close} onSaved={saved} />
            )}
            {edited?.kind === 'route' && (
              <RouteForm
                edited={edited.of}
                routes={routes}
                transports={[...new Set([...Object.keys(transports), 'direct'])]}
                onClose={close}
                onSaved={saved}
              />
            )}
          </>
        )}
      </RemoteView>
      <Probe />
      <Refusals />
      <Usage />
    </>
  );
}

function Buttons({
  name,
  busy,
  onEdit,
  onRemove,
}: {
  readonly name: string;
  readonly busy: boolean;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}) {
  const base = texts('base');
  return (
    <span class="row">
      <button
        type="button"
        class="button"
        disabled={busy}
        aria-label={`${base('edit')}: ${name}`}
        onClick={onEdit}
      >
        {base('edit')}
      </button>
      <button
        type="button"
        class="button danger"
        disabled={busy}
        aria-label={`${base('remove')}: ${name}`}
        onClick={onRemove}
      >
        {base('remove')}
      </button>
    </span>
  );
}
