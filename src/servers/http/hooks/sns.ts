import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Clock } from '../../../base/clock.ts';
import { errorText } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import { SNS_BODY_BYTES } from '../../../net/aws/sns-message.ts';

/** Who is told of requests, and knows what they mean. */
export interface SnsHookTarget {
  /** Before the body is read. `login`: "user:password". */
  admit(login: string | undefined): 200 | 401 | 404;
  receive(body: string, login: string | undefined): Promise<number>;
}

/** Answers one request to the endpoint of Amazon SNS, whatever its path. Never rejects. */
export type SnsHook = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Path on the port that serves other things too. */
export const SNS_PATH = '/hooks/sns';

/** Milliseconds for a body: SNS gives 15 seconds for the request and its answer. */
const BODY_MS = 10_000;

/**
 * SNS's requests: POST with a JSON body; GET and HEAD tell whether the endpoint is there. Who may not come in is told
 * before a body is read, and no body is read further than SNS's own limit, whatever its length is said to be. Answers
 * are `"<code> <phrase>\n"` in plain text.
 */
export function createSnsHook(parts: {
  readonly target: SnsHookTarget;
  readonly clock: Clock;
  readonly logger: Logger;
}): SnsHook {
  const { target, clock, logger } = parts;

  async function answer(request: IncomingMessage): Promise<number> {
    const login = basicLogin(request.headers.authorization);
    const admitted = target.admit(login);
    if (admitted !== 200) return admitted;
    const { method } = request;
    if (method === 'GET' || method === 'HEAD') return 200;
    if (method !== 'POST') return 405;
    const body = await readBody(request, clock);
    return typeof body === 'number' ? body : target.receive(body, login);
  }

  return async (request, response) => {
    let status = 500;
    try {
      status = await answer(request);
    } catch (error) {
      logger.warn({ error: errorText(error) }, 'http: a request of SNS was cut off');
      status = 400;
    }
    say(request, response, status);
  };
}

/** The same as a look at a request before others: true when it is one for the endpoint. */
export function snsHookAtPath(
  hook: SnsHook,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const [path] = (request.url ?? '').split('?', 1);
    if (path !== SNS_PATH) return false;
    void hook(request, response);
    return true;
  };
}

function say(request: IncomingMessage, response: ServerResponse, status: number): void {
  if (response.destroyed) return;
  const text = Buffer.from(`${status} ${STATUS_CODES[status] ?? 'Unknown'}\n`);
  response.writeHead(status, {
    'Content-Type': 'text/plain',
    'Content-Length': text.length,
    'Cache-Control': 'no-store',
    // SNS sends its credentials only to who asks for them.
    ...(status === 401 && { 'WWW-Authenticate': 'Basic realm="sns"' }),
    ...(status === 405 && { Allow: 'GET, HEAD, POST' }),
    // What was not read is not waited for.
    ...(!request.complete && { Connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
  if (!request.complete) response.once('finish', () => request.destroy());
}

/** HTTP Basic: "user:password"; undefined where there are none. */
function basicLogin(field: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]{1,2000})$/i.exec(field ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** The body, or the status that says why it was not read: 413, 408. */
async function readBody(request: IncomingMessage, clock: Clock): Promise<string | 413 | 408> {
  if (Number(request.headers['content-length'] ?? 0) > SNS_BODY_BYTES) return 413;
  const late = new Promise<408>((resolve) => {
    const timer = clock.setTimer(BODY_MS, () => resolve(408));
    request.once('close', () => timer.cancel());
    request.once('end', () => timer.cancel());
  });
  return Promise.race([boundedBody(request), late]);
}

function boundedBody(request: IncomingMessage): Promise<string | 413> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let octets = 0;
    request.on('data', (piece: Buffer) => {
      octets += piece.length;
      if (octets <= SNS_BODY_BYTES) {
        pieces.push(piece);
        return;
      }
      pieces.length = 0;
      request.pause();
      resolve(413);
    });
    request.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    request.on('error', reject);
    request.on('close', () => reject(new Error('the connection was closed')));
  });
}
