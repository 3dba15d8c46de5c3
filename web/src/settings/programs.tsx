import { texts } from '../base/i18n.ts';
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
          <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label={t('programs')}>
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">{t('programsKind')}</th>
                  <th scope="col">{t('programsServer')}</th>
                  <th scope="col">{t('programsPort')}</th>
                  <th scope="col">{t('programsSecurity')}</th>
                </tr>
              </thead>
              <tbody>
                {all.map(({ kind, host, port, security }) => (
                  <tr key={`${kind} ${port}`}>
                    <th scope="row">{kind}</th>
                    <td class="mono">{host}</td>
                    <td>{port}</td>
                    <td>{security}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </RemoteView>
      <p>{t('programsLogin', { address })}</p>
      <p class="note">{t('programsAppPassword')}</p>
    </>
  );
}
