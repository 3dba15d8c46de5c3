import { PEM_FILE_BYTES, readSmallFile } from '../../../base/small-file.ts';
import type { FlowDeps } from '../../deps.ts';
import { forAll, type Outcome, type Transport } from '../transport.ts';
import { createSesApi } from '../transports/ses-api.ts';
import { createSesSmtp } from '../transports/ses-smtp.ts';
import { createRelay, type RelaySettings } from '../transports/relay.ts';
import type { LmtpSettings, RelayTransportSettings } from './settings.ts';
import type { BuildTransport } from './ways.ts';

/** From the settings of a transport to the transport. */
export const buildTransport: BuildTransport = (deps, name, settings) => {
  switch (settings.kind) {
    case 'relay':
      return fromFiles(name, settings, () => relayOf(settings), deps);
    case 'lmtp':
      return { ...createRelay(deps, lmtpOf(settings)), name };
    case 'ses-api':
      return createSesApi(deps, name, settings);
    case 'ses-smtp':
      return createSesSmtp(deps, name, settings);
    case 'direct':
      return undefined;
  }
};

/** The password is read at each login: tokens live for an hour. */
async function relayOf(settings: RelayTransportSettings): Promise<RelaySettings> {
  const { host, port, tls, login, ca_file: caFile } = settings;
  return {
    host,
    port,
    tls,
    ...(login !== undefined && {
      login: { user: login.user, password: () => secretOf(login.secret_file), mechanism: login.mechanism },
    }),
    ...(caFile !== undefined && { ca: (await readSmallFile(caFile, PEM_FILE_BYTES)).toString('latin1') }),
  };
}

async function secretOf(file: string): Promise<string> {
  return (await readSmallFile(file)).toString('utf8').trimEnd();
}

function lmtpOf({ host, port, tls }: LmtpSettings): RelaySettings {
  return { host, port, tls, protocol: 'lmtp' };
}

/** A relay whose secrets stand in files: one that is missing keeps mail waiting, with its name in the reply. */
function fromFiles(
  name: string,
  settings: RelayTransportSettings,
  read: () => Promise<RelaySettings>,
  deps: () => FlowDeps,
): Transport {
  let built: { readonly ca: string | undefined; readonly transport: Transport } | undefined;
  const current = async (): Promise<Transport> => {
    const relay = await read();
    if (built === undefined || built.ca !== relay.ca) {
      void built?.transport.close();
      built = { ca: relay.ca, transport: createRelay(deps, relay) };
    }
    if (settings.login !== undefined) await secretOf(settings.login.secret_file);
    return built.transport;
  };
  return {
    name,
    kind: 'relay',
    async attempt(work, content, stopping) {
      let transport: Transport;
      try {
        transport = await current();
      } catch (error) {
        return forAll(work, unreadable(name, settings, error));
      }
      return transport.attempt(work, content, stopping);
    },
    close: async () => built?.transport.close(),
  };
}

function unreadable(name: string, settings: RelayTransportSettings, error: unknown): Outcome {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  const files = [settings.login?.secret_file, settings.ca_file].filter((file) => file !== undefined);
  const reply = `451 4.3.5 The transport ${name} cannot be used: a file of its settings cannot be read (${files.join(', ')}: ${code})`;
  return { outcome: 'deferred', reply, cause: 'auth', host: undefined, answered: false, lostReply: false };
}
