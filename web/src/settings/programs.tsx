import { texts } from '../base/i18n.ts';
import { DataTable } from '../admin/table.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { me } from '../base/session.ts';
import { send, errorOf } from '../base/http.ts';

interface Way {
  readonly kind: string;
  readonly host: string;
  readonly port: string;
  readonly security: string;
}

/** What mail programs ask the server for themselves: the same answer, as a table. */
async function ways(address: string, signal: AbortSignal): Promise<readonly Way[]> {
  const query = new URLSearchParams({ emailaddress: address });
  const response = await send(`/mail/config-v1.1.xml?${query}`, { signal });
  if (!response.ok) throw await errorOf(response);
  const document = new DOMParser().parseFromString(await response.text(), 'application/xml');
  return [...document.querySelectorAll('incomingServer, outgoingServer')].map((server): Way => {
    const text = (name: string): string => server.querySelector(name)?.textContent?.trim() ?? '';
    return {
      kind: server.getAttribute('type')?.toUpperCase() ?? '',
      host: text('hostname'),
      port: text('port'),
      security: text('socketType') === 'SSL' ? 'TLS' : text('socketType'),
    };
  });
}

export function Programs() {
  const t = texts('settings');
  const address = me.value?.address ?? '';
  const remote = useRemote((signal) => ways(address, signal), [address]);
  return (
    <>
      <p>{t('programsAbout')}</p>
      <RemoteView remote={remote}>
        {(all) => (
          <DataTable
            label={t('programs')}
            rows={all}
            rowKey={({ kind, port }) => `${kind} ${port}`}
            empty=""
            columns={[
              { title: t('programsKind'), cell: ({ kind }) => <strong>{kind}</strong> },
              { title: t('programsServer'), cell: ({ host }) => <span class="mono">{host}</span> },
              { title: t('programsPort'), cell: ({ port }) => port },
              { title: t('programsSecurity'), cell: ({ security }) => security },
            ]}
          />
        )}
      </RemoteView>
      <p>{t('programsLogin', { address })}</p>
      <p class="note">{t('programsAppPassword')}</p>
    </>
  );
}
