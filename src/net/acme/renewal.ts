import { X509Certificate } from 'node:crypto';
import { derChildren, readDer, TAG } from '../der.ts';
import { type AcmeClient, record } from './client.ts';
import { problemText } from './failure.ts';

/** When a certificate is renewed: as its authority wishes (RFC 9773), else at two thirds of its life. */

/** Share of its life after which a certificate is renewed, and how far before that it may happen. */
const RENEW_AT = 2 / 3;
const JITTER = 1 / 30;
/** Milliseconds until the authority's wish is asked for again: RFC 9773 section 4.3.2 and what it bounds it to. */
const ASK_AGAIN_MS = 6 * 3_600_000;
const ASK_AGAIN_MIN_MS = 60_000;
const ASK_AGAIN_MAX_MS = 86_400_000;
/** Milliseconds of a window that are believed: one of years says nothing. */
const WINDOW_MAX_MS = 2 * 366 * 86_400_000;

/** Times in milliseconds since the epoch. */
export interface Life {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** When to renew without anybody's wish. `random`: 0 up to 1. */
export function renewalByLife({ notBefore, notAfter }: Life, random: number): number {
  return Math.floor(notBefore + (notAfter - notBefore) * (RENEW_AT - JITTER * random));
}

export interface RenewalInfo {
  readonly start: number;
  readonly end: number;
  /** Page of the authority that says why. */
  readonly explanation: string | undefined;
  /** Milliseconds until it is asked again. */
  readonly askAgainMs: number;
}

/** A moment of the window (RFC 9773 section 4.2). `random`: 0 up to 1. */
export function renewalByWindow({ start, end }: Pick<RenewalInfo, 'start' | 'end'>, random: number): number {
  return Math.floor(start + (end - start) * random);
}

/**
 * What the authority wishes for a certificate; undefined when it has no opinion on any. Throws an `AcmeFailure` when it
 * cannot be asked or does not know this one.
 */
export async function askRenewal(client: AcmeClient, certificate: string): Promise<RenewalInfo | undefined> {
  const { renewalInfo } = await client.directory();
  const id = certificateId(certificate);
  if (renewalInfo === undefined || id === undefined) return undefined;
  const { value, retryAfterMs } = await client.get(`${renewalInfo.replace(/\/$/, '')}/${id}`);
  const window = record(value['suggestedWindow']);
  const [start, end] = [timeOf(window['start']), timeOf(window['end'])];
  // RFC 9773 section 4.2: a window that ends before it starts is no window.
  if (start === undefined || end === undefined || end < start || end - start > WINDOW_MAX_MS)
    return undefined;
  const page = value['explanationURL'];
  return {
    start,
    end,
    explanation: typeof page === 'string' && URL.canParse(page) ? problemText({ detail: page }) : undefined,
    askAgainMs: Math.min(Math.max(retryAfterMs ?? ASK_AGAIN_MS, ASK_AGAIN_MIN_MS), ASK_AGAIN_MAX_MS),
  };
}

function timeOf(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

/** id-ce-authorityKeyIdentifier, 2.5.29.35. */
const AUTHORITY_KEY_ID = Buffer.from([0x55, 0x1d, 0x23]);
/** Its keyIdentifier, [0] implicit (RFC 5280 section 4.2.1.1). */
const KEY_IDENTIFIER = 0x80;

/**
 * How the authority names the certificate (RFC 9773 section 4.1): the key identifier of its issuer and its serial
 * number with the octet for the sign, both base64url. Undefined for a certificate that does not name its issuer's key.
 */
export function certificateId(pem: string): string | undefined {
  const whole = readDer(new X509Certificate(pem).raw);
  const body = whole && readDer(whole.contents);
  if (body === undefined) return undefined;
  const fields = derChildren(body.contents);
  const serial = fields.find(({ tag }) => tag === TAG.integer)?.contents;
  const extensions = fields.find(({ tag }) => tag === TAG.context3);
  const list = extensions && readDer(extensions.contents);
  const found =
    list &&
    derChildren(list.contents).find(({ contents }) => readDer(contents)?.contents.equals(AUTHORITY_KEY_ID));
  const value = found && derChildren(found.contents).find(({ tag }) => tag === TAG.octetString);
  const names = value && readDer(value.contents);
  const keyId = names && derChildren(names.contents).find(({ tag }) => tag === KEY_IDENTIFIER)?.contents;
  if (serial === undefined || keyId === undefined) return undefined;
  return `${keyId.toString('base64url')}.${serial.toString('base64url')}`;
}
