import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import { AcmeFailure } from './failure.ts';

/** Milliseconds for a request and the whole of its answer; authorities sign certificates behind other requests. */
const EXCHANGE_MS = 30_000;
/** Octets of an answer: a chain of certificates is under 20 kB. */
const ANSWER_BYTES = 1024 * 1024;
/** Milliseconds that a wish to wait is obeyed at most. */
const RETRY_AFTER_MAX_MS = 7 * 86_400_000;

export interface AcmeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Milliseconds of its Retry-After field. */
  readonly retryAfterMs: number | undefined;
}

/** How requests reach an authority: HTTPS only (RFC 8555 section 6.1). */
export interface AcmeHttp {
  /** `body` is sent as application/jose+json. Throws an `AcmeFailure` ('unreachable') when no answer comes. */
  request(method: 'GET' | 'HEAD' | 'POST', url: string, body?: string): Promise<AcmeAnswer>;
  /** Close connections that are kept. */
  close(): void;
}

export interface AcmeHttpOptions {
  readonly clock: Clock;
  /** "Postern 0.1" (RFC 8555 section 6.1: a User-Agent must be sent). */
  readonly userAgent: string;
  /** PEM: authorities to trust instead of the system's, for one of your own. */
  readonly ca?: string | undefined;
}

export function createAcmeHttp({ clock, userAgent, ca }: AcmeHttpOptions): AcmeHttp {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ...(ca !== undefined && { ca }) });
  return {
    async request(method, url, body) {
      const target = URL.parse(url);
      if (target?.protocol !== 'https:')
        throw new AcmeFailure(
          'malformedAnswer',
          `the authority named ${url.slice(0, 200)}, which is no https URL`,
        );
      const headers: Record<string, string> = { 'User-Agent': userAgent };
      if (body !== undefined) headers['Content-Type'] = 'application/jose+json';
      const abort = new AbortController();
      const timer = clock.setTimer(EXCHANGE_MS, () => abort.abort());
      try {
        const sent = httpsRequest(target, { method, agent, headers, signal: abort.signal });
        const response = await new Promise<IncomingMessage>((resolve, reject) => {
          sent.on('response', resolve);
          sent.on('error', reject);
          sent.end(body);
        });
        const octets = await whole(response);
        const { statusCode: status = 0, headers: fields } = response;
        const retryAfterMs = retryAfter(fields['retry-after'], clock.now());
        return { status, headers: fields, body: octets, retryAfterMs };
      } catch (error) {
        const why = abort.signal.aborted ? `no answer within ${EXCHANGE_MS / 1000} s` : reason(error);
        throw new AcmeFailure('unreachable', `${target.host}: ${why}`);
      } finally {
        timer.cancel();
      }
    },
    close: () => agent.destroy(),
  };
}

async function whole(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let octets = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    octets += piece.length;
    if (octets > ANSWER_BYTES) throw new Error(`an answer of more than ${ANSWER_BYTES} octets`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function reason(error: unknown): string {
  const code = errnoCode(error);
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'there is no such host';
  return errorText(error) || code || 'the connection failed';
}

/** Seconds or a date (RFC 9110 section 10.2.3) in milliseconds from now; undefined for anything else. */
export function retryAfter(field: string | undefined, now: number): number | undefined {
  if (field === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(field.trim());
  // "Tue, 01 Jan 2030 ...": the platform would take much else for a date.
  const ms = seconds
    ? Number(field) * 1000
    : /^[A-Z][a-z]{2}/.test(field)
      ? Date.parse(field) - now
      : Number.NaN;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), RETRY_AFTER_MAX_MS) : undefined;
}
