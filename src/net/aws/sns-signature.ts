import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { type Fetch, fetchSns } from './sns-fetch.ts';
import { certificateUrl } from './sns-hosts.ts';
import { signedText, type SnsMessage, topicRegion } from './sns-message.ts';

/** `unknown`: it cannot be told now (the certificate could not be fetched): ask again later. */
export type SignatureResult =
  | { readonly status: 'valid' }
  | { readonly status: 'invalid' | 'unknown'; readonly reason: string };

export interface SnsVerifier {
  verify(message: SnsMessage): Promise<SignatureResult>;
}

/** Milliseconds a certificate is remembered, and a failure to get one. */
const REMEMBER_MS = 24 * 3_600_000;
const REMEMBER_FAILURE_MS = 10_000;
/** Certificates remembered: SNS has one a region, and changes it every other year. */
const REMEMBERED = 50;
/** Characters of a signature in base64: 4096 bits are 684. */
const SIGNATURE_LENGTH = 1400;

const ALGORITHMS: Readonly<Record<string, string>> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' };

type Known = { readonly until: number } & (
  | { readonly certificate: X509Certificate; readonly key: KeyObject }
  | { readonly result: SignatureResult }
);

/** Certificates of SNS by their URL, for a day. */
class Certificates {
  readonly #clock: Clock;
  readonly #fetch: Fetch;
  readonly #known = new Map<string, Promise<Known>>();

  constructor(clock: Clock, fetch: Fetch) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  async get(url: URL, region: string): Promise<Known> {
    const before = this.#known.get(url.href);
    if (before !== undefined && (await before).until > this.#clock.now()) return before;
    // Somebody else has asked meanwhile.
    if (this.#known.get(url.href) !== before) return this.get(url, region);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    const fresh = this.#load(url, region);
    this.#known.set(url.href, fresh);
    return fresh;
  }

  async #load(url: URL, region: string): Promise<Known> {
    const now = this.#clock.now();
    try {
      const certificate = new X509Certificate(await fetchSns(this.#fetch, this.#clock, url));
      const key = certificate.publicKey;
      const problem = certificateProblem(certificate, key, region, now);
      if (problem === undefined) return { certificate, key, until: now + REMEMBER_MS };
      return failure('invalid', `its certificate is not SNS's: ${problem}`, now);
    } catch (error) {
      return failure('unknown', `its certificate could not be read: ${errorText(error)}`, now);
    }
  }
}

function failure(status: 'invalid' | 'unknown', reason: string, now: number): Known {
  return { result: { status, reason }, until: now + REMEMBER_FAILURE_MS };
}

function certificateProblem(
  certificate: X509Certificate,
  key: KeyObject,
  region: string,
  now: number,
): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return 'its key is no RSA key';
  if (now < Date.parse(certificate.validFrom)) return 'it is not valid yet';
  if (now > Date.parse(certificate.validTo)) return 'it has ended';
  const names = ['sns.amazonaws.com', `sns.${region}.amazonaws.com`];
  const named = names.some(
    (name) => certificate.checkHost(name) !== undefined || certificate.checkHost(`${name}.cn`) !== undefined,
  );
  return named ? undefined : `it is for ${certificate.subject.slice(0, 100)}`;
}

/**
 * Verifies signatures of SNS, versions 1 (SHA-1) and 2 (SHA-256). The certificate is fetched from SNS's own host over TLS,
 * which is what it is trusted for: SNS serves the leaf alone, so no chain is there to follow. Its names and dates are checked.
 */
export function createSnsVerifier(parts: { readonly clock: Clock; readonly fetch: Fetch }): SnsVerifier {
  const certificates = new Certificates(parts.clock, parts.fetch);
  return {
    async verify(message) {
      const { signature, topicArn, signingCertUrl, signatureVersion: version } = message;
      const algorithm = ALGORITHMS[version];
      if (algorithm === undefined) return invalid(`signature version "${version.slice(0, 20)}"`);
      const url = certificateUrl(signingCertUrl, topicArn);
      const region = topicRegion(topicArn);
      if (url === undefined || region === undefined)
        return invalid('its certificate is not at the host of SNS in the region of the topic');
      if (signature === '' || signature.length > SIGNATURE_LENGTH) return invalid('it is not signed');
      const found = await certificates.get(url, region);
      if ('result' in found) return found.result;
      const { certificate, key } = found;
      if (parts.clock.now() > Date.parse(certificate.validTo)) return invalid('its certificate has ended');
      const signed = Buffer.from(signedText(message), 'utf8');
      return verify(algorithm, signed, key, Buffer.from(signature, 'base64'))
        ? { status: 'valid' }
        : invalid('the signature does not fit');
    },
  };
}

function invalid(reason: string): SignatureResult {
  return { status: 'invalid', reason };
}
