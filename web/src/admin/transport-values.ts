import type { Json } from './setting-values.ts';

/** A way to send as its form has it, and as the server keeps it. What a form has no field for is kept as it is. */

export type TransportSettings = { readonly [name: string]: Json };

export const FORM_KINDS = ['direct', 'relay', 'ses-api', 'ses-smtp'] as const;
export type FormKind = (typeof FORM_KINDS)[number];

export interface TransportForm {
  readonly kind: FormKind | 'json';
  readonly name: string;
  readonly host: string;
  readonly port: string;
  readonly tls: string;
  readonly user: string;
  /** Typed anew; empty: as it was. */
  readonly secret: string;
  readonly region: string;
  readonly configurationSet: string;
  readonly helo: string;
  readonly json: string;
}

export const NO_TRANSPORT: TransportForm = {
  kind: 'relay',
  name: '',
  host: '',
  port: '587',
  tls: 'required',
  user: '',
  secret: '',
  region: '',
  configurationSet: '',
  helo: '',
  json: '{\n  "kind": "lmtp",\n  "host": ""\n}',
};

/** A form of what is kept. */
export function formOf(name: string, settings: TransportSettings): TransportForm {
  const text = (key: string): string => {
    const value = settings[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const login = settings['login'];
  const user = isGroup(login) && typeof login['user'] === 'string' ? login['user'] : '';
  return {
    ...NO_TRANSPORT,
    kind: FORM_KINDS.find((kind) => kind === settings['kind']) ?? 'json',
    name,
    host: text('host'),
    port: text('port') || NO_TRANSPORT.port,
    tls: text('tls') || NO_TRANSPORT.tls,
    user,
    region: text('region'),
    configurationSet: text('configuration_set'),
    helo: text('helo'),
    json: JSON.stringify(settings, null, 2),
  };
}

/** Name of the file beside the data that holds the secret of a way. */
export function secretName(transport: string): string {
  return `transport-${transport}`;
}

/**
 * What is to be kept. `before`: what was, of which fields that the form does not have stay; `secretFile`: where a secret
 * that was typed has been put. Throws SyntaxError for JSON that is none.
 */
export function settingsOf(
  form: TransportForm,
  before: TransportSettings | undefined,
  secretFile: string | undefined,
): TransportSettings {
  if (form.kind === 'json') return JSON.parse(form.json) as TransportSettings;
  const old = before?.['kind'] === form.kind ? before : {};
  const kept = { ...old, kind: form.kind };
  switch (form.kind) {
    case 'direct':
      return put(kept, { helo: form.helo.trim() });
    case 'relay': {
      const { login: oldLogin, ...rest } = kept as TransportSettings;
      const file = secretFile ?? (isGroup(oldLogin) ? oldLogin['secret_file'] : undefined);
      const user = form.user.trim();
      const login = {
        ...(isGroup(oldLogin) && oldLogin),
        user,
        ...(file !== undefined && { secret_file: file }),
      };
      const made = { ...rest, host: form.host.trim(), port: Number(form.port), tls: form.tls };
      return user === '' ? made : { ...made, login };
    }
    default:
      return put(kept, {
        region: form.region.trim(),
        configuration_set: form.configurationSet.trim(),
        ...(secretFile !== undefined && { credentials_file: secretFile }),
      });
  }
}

/** Set what is given; '' takes it away. */
function put(settings: TransportSettings, values: Readonly<Record<string, string>>): TransportSettings {
  const result: Record<string, Json> = { ...settings };
  for (const [name, value] of Object.entries(values)) {
    if (value === '') delete result[name];
    else result[name] = value;
  }
  return result;
}

function isGroup(value: Json | undefined): value is TransportSettings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a way does, in short: host and port, or region. */
export function summaryOf(settings: TransportSettings): string {
  const of = (key: string): string => {
    const value = settings[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const host = of('host') === '' ? '' : `${of('host')}${of('port') === '' ? '' : `:${of('port')}`}`;
  const login = settings['login'];
  const user = isGroup(login) && typeof login['user'] === 'string' ? login['user'] : '';
  return [host, of('region'), of('configuration_set'), user, of('helo')]
    .filter((each) => each !== '')
    .join(' · ');
}
