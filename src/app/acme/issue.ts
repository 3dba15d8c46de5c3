import { randomInt, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { type AcmeSettings, directoryOf, type WantedCertificate } from '../../data/certificates/settings.ts';
import type { AcmeAccount, AcmeCertificate, IssuedCertificate } from '../../data/certificates/types.ts';
import type { OpenStore } from '../../data/open.ts';
import { type AcmeClient, createAcmeClient } from '../../net/acme/client.ts';
import { newCertificateKey } from '../../net/acme/csr.ts';
import { AcmeFailure } from '../../net/acme/failure.ts';
import { type AcmeHttp, createAcmeHttp } from '../../net/acme/http.ts';
import { accountKey, type ExternalAccount, newAccountKey } from '../../net/acme/jws.ts';
import { obtainCertificate, type Solver } from '../../net/acme/order.ts';
import { certificateId, renewalByLife } from '../../net/acme/renewal.ts';

/** One certificate from one authority, with the account we have there. */

/** Octets of a file with authorities or a key that are read. */
const FILE_BYTES = 1024 * 1024;

export interface IssueParts {
  readonly store: Pick<OpenStore, 'read' | 'write'>;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

/** The authority as the settings name it. `close` gives its connections back. */
export interface Authority {
  readonly directory: string;
  readonly client: AcmeClient;
  /** Make the account or bring it up to date; comes before orders. */
  enter(): Promise<void>;
  /** The account is not known there (any more): the next `enter` makes it anew. */
  forget(): Promise<void>;
  close(): void;
}

/** Throws a `Refusal` that names a file which cannot be read. */
export async function openAuthority(parts: IssueParts, settings: AcmeSettings): Promise<Authority> {
  const { store, clock, userAgent } = parts;
  const directory = directoryOf(settings);
  const ca = settings.ca_file === '' ? undefined : await readFileOf('ca_file', settings.ca_file);
  const privateKey = newAccountKey();
  let account = await store.write.run('certificates.ensureAccount', { directory, privateKey });
  const http: AcmeHttp = createAcmeHttp({ clock, userAgent, ca });
  const key = accountKey(account.privateKey);
  const client = createAcmeClient({ directory, key, account: account.url, http, clock });
  const keep = async (url: string | undefined, contact: readonly string[]): Promise<void> => {
    await store.write.run('certificates.setAccount', { directory, url, contact });
    account = { ...account, url, contact };
  };
  return {
    directory,
    client,
    enter: () => enter(client, account, settings, keep),
    forget: () => keep(undefined, account.contact),
    close: () => http.close(),
  };
}

async function enter(
  client: AcmeClient,
  account: AcmeAccount,
  settings: AcmeSettings,
  keep: (url: string, contact: readonly string[]) => Promise<void>,
): Promise<void> {
  const { contact } = settings;
  if (account.url === undefined) {
    await keep(await client.register({ contact, external: await externalAccount(settings) }), contact);
    return;
  }
  // RFC 8555 section 7.3.2: the whole list is replaced.
  if (JSON.stringify(contact) !== JSON.stringify(account.contact))
    await client.post(account.url, { contact: contact.map((address) => `mailto:${address}`) });
  // Written though it may be as it was: a certificate that a full disk does not take is lost, and authorities issue the
  // same one a few times a week only. So none is ordered that could not be kept.
  await keep(account.url, contact);
}

async function externalAccount({ eab }: AcmeSettings): Promise<ExternalAccount | undefined> {
  if (eab.key_id === '') return undefined;
  const hmacKey = (await readFileOf('eab.hmac_key_file', eab.hmac_key_file)).trim();
  return { keyId: eab.key_id, hmacKey };
}

async function readFileOf(name: string, file: string): Promise<string> {
  try {
    if ((await stat(file)).size > FILE_BYTES) throw new Error('it is too large');
    return await readFile(file, 'latin1');
  } catch (error) {
    throw new Refusal('bad-input', `${name}: cannot read ${file}: ${errorText(error)}`);
  }
}

/** 0 up to 1, for moments that nobody else has too. */
export function fraction(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}

/** A certificate for these names with a new key. Throws an `AcmeFailure` or a `Refusal`. */
export async function issue(
  parts: IssueParts,
  authority: Authority,
  settings: AcmeSettings,
  wanted: WantedCertificate,
  solver: Solver,
  before: AcmeCertificate | undefined,
): Promise<Omit<IssuedCertificate, 'issuedAt'>> {
  const { clock, signal } = parts;
  const key = await newCertificateKey(settings.key_type);
  const same = before?.directory === authority.directory ? before.issued : undefined;
  const options = {
    names: wanted.names,
    key,
    solver,
    clock,
    signal,
    replaces: same && certificateId(same.chain),
    profile: settings.profile === '' ? undefined : settings.profile,
  };
  const chain = await withAccount(authority, () => obtainCertificate(authority.client, options));
  const certificate = new X509Certificate(chain);
  const life = {
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
  return {
    names: wanted.names,
    chain,
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...life,
    renewAt: renewalByLife(life, fraction()),
  };
}

/** An authority that has forgotten our account is told of it again, once. */
async function withAccount<T>(authority: Authority, run: () => Promise<T>): Promise<T> {
  try {
    await authority.enter();
    return await run();
  } catch (error) {
    if (!(error instanceof AcmeFailure) || error.type !== 'accountDoesNotExist') throw error;
    await authority.forget();
    await authority.enter();
    return run();
  }
}
