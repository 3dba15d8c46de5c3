import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { fileTrouble, readSmallFile } from '../../base/small-file.ts';
import { cloudflare } from './cloudflare.ts';
import { desec } from './desec.ts';
import type { ProviderOptions } from './provider-options.ts';
import { digitalocean } from './digitalocean.ts';
import { hetzner } from './hetzner.ts';
import { porkbun } from './porkbun.ts';
import { rfc2136 } from './rfc2136.ts';
import { route53 } from './route53.ts';
import type { DnsProvider } from './types.ts';

/** Providers with an HTTP API. To add one, write its file and add a row. */
const BY_HTTP = {
  cloudflare,
  desec,
  hetzner,
  digitalocean,
  porkbun,
  route53,
} as const satisfies Record<string, (options: ProviderOptions) => DnsProvider>;

export type HttpProviderKind = keyof typeof BY_HTTP;

/** How to reach one account. */
export type ProviderPlace = { readonly credentials_file: string } & (
  | { readonly kind: 'rfc2136'; readonly server: string; readonly port: number }
  | { readonly kind: HttpProviderKind; readonly endpoint?: string | undefined }
);

/** Read the credentials and make the provider. Refusal 'unavailable' when the file cannot be read. */
export async function openProvider(place: ProviderPlace, clock: Clock): Promise<DnsProvider> {
  const credentials = await readCredentials(place.credentials_file);
  if (place.kind === 'rfc2136') return rfc2136({ clock, credentials, host: place.server, port: place.port });
  return BY_HTTP[place.kind]({ clock, credentials, endpoint: place.endpoint });
}

async function readCredentials(path: string): Promise<string> {
  const octets = await readSmallFile(path).catch((error: unknown) => {
    throw new Refusal(
      'unavailable',
      `The DNS credentials file ${path} cannot be read: ${fileTrouble(error)}.`,
    );
  });
  const text = octets.toString('utf8').trim();
  if (text === '') throw new Refusal('unavailable', `The DNS credentials file ${path} is empty.`);
  return text;
}
