import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Core } from './internal.ts';
import type { DeliveryPolicy } from './types.ts';

/** SNS gives an endpoint so long to answer. */
const ANSWER_MS = 15_000;

export interface Outcome {
  /** 0: no answer. */
  readonly status: number;
  readonly error?: string;
}

/**
 * One attempt to POST to an endpoint. Credentials of the URL are sent only after the endpoint has asked for them (401
 * with WWW-Authenticate), as SNS does it.
 */
export async function post(
  core: Core,
  endpoint: string,
  headers: Record<string, string>,
  body: string,
): Promise<Outcome> {
  const url = new URL(endpoint);
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  try {
    const first = await exchange(core, url, headers, body);
    const challenge = first.headers['www-authenticate'];
    if (first.status !== 401 || challenge === undefined || credentials === ':')
      return { status: first.status };
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const second = await exchange(core, url, { ...headers, authorization }, body);
    return { status: second.status };
  } catch (error) {
    return { status: 0, error: error instanceof Error ? error.message : String(error) };
  }
}

function exchange(
  core: Core,
  url: URL,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  const bytes = Buffer.from(body);
  const ca = core.options.deliveryCa;
  const options = {
    method: 'POST',
    headers: { ...headers, 'content-length': String(bytes.length) },
    signal: AbortSignal.any([core.closing, AbortSignal.timeout(core.options.snsAnswerMs ?? ANSWER_MS)]),
  };
  const trust =
    ca === undefined ? { rejectUnauthorized: false } : { ca: typeof ca === 'string' ? ca : [...ca] };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:' ? httpsRequest(url, { ...options, ...trust }) : httpRequest(url, options);
    request.once('error', reject);
    request.once('response', (response) => {
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
      response.resume();
    });
    request.end(bytes);
  });
}

/** Whether SNS tries such an outcome again: no answer, 5xx and 429; other 4xx are for good. */
export function retriable({ status }: Outcome): boolean {
  return status === 0 || status >= 500 || status === 429;
}

export function delivered({ status }: Outcome): boolean {
  return status >= 200 && status < 300;
}

/** Seconds before each retry, in order: no delay, minimum delay, back-off, maximum delay. */
export function retryDelays(policy: DeliveryPolicy | undefined): number[] {
  const given = policy?.healthyRetryPolicy ?? {};
  const retries = given.numRetries ?? 3;
  const min = given.minDelayTarget ?? 20;
  const max = given.maxDelayTarget ?? 20;
  const none = given.numNoDelayRetries ?? 0;
  const minimum = given.numMinDelayRetries ?? 0;
  const maximum = given.numMaxDelayRetries ?? 0;
  const between = Math.max(0, retries - none - minimum - maximum);
  const steps = Array.from({ length: between }, (_, index) => {
    const part = between === 1 ? 0 : index / (between - 1);
    const curve =
      given.backoffFunction === 'exponential' || given.backoffFunction === 'geometric' ? part ** 2 : part;
    return min + (max - min) * curve;
  });
  return [
    ...Array.from({ length: none }, () => 0),
    ...Array.from({ length: minimum }, () => min),
    ...steps,
    ...Array.from({ length: maximum }, () => max),
  ];
}
