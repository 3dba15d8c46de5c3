import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal, type RefusalKind } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import type { Args, Said } from '../../base/words.ts';
import { isDiskFull, storageFull } from '../../data/db/sqlite.ts';
import { codeOf, inputSaid } from './problems.ts';

/** What the APIs of the HTTP port share: how a body is read, how input is refused, how errors look. */

/** Octets of a request body. */
export const API_BODY_BYTES = 1024 * 1024;
/** Values within values of a body. The engine reads any number of them; what looks at the result afterwards does not. */
const API_BODY_DEPTH = 100;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** UTF-16 units of an error message that repeats input. */
const MESSAGE_LENGTH = 1000;

export interface ApiError {
  readonly error: {
    readonly kind: RefusalKind | 'internal';
    readonly message: string;
    /** Where in the input it is, as "rules.0.name". */
    readonly field?: string;
    /** The sentence by its name, and the facts in it, for those who say it in another language. */
    readonly code?: string;
    readonly args?: Args;
  };
}

const STATUS: Readonly<Record<RefusalKind, ContentfulStatusCode>> = {
  'bad-input': 400,
  'authentication-failed': 401,
  'not-permitted': 403,
  suspended: 403,
  'no-such-account': 404,
  'no-such-mailbox': 404,
  'no-such-message': 404,
  'not-found': 404,
  'already-exists': 409,
  conflict: 409,
  'over-quota': 409,
  'too-large': 413,
  limit: 429,
  unavailable: 503,
  'storage-full': 507,
};

/** Input that its schema does not take. */
class BadInput extends Refusal {
  readonly field: string | undefined;
  readonly said: Pick<Said, 'code' | 'args'> | undefined;

  constructor(error: z.ZodError) {
    super('bad-input', problems(error));
    this.said = inputSaid(error);
    this.field = error.issues[0]?.path.join('.') || undefined;
  }
}

export function badInput(error: z.ZodError): Refusal {
  return new BadInput(error);
}

function problems(error: z.ZodError): string {
  const all = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return all.join('; ').slice(0, MESSAGE_LENGTH);
}

/** How long a body may take; without one as long as the connection lets it. */
export interface BodyPatience {
  readonly clock: Clock;
  /** Milliseconds from the first look at it to its end. */
  readonly ms: number;
}

/** The body, which must be a JSON object; anything else a browser form could send is refused. */
export async function jsonBody(
  c: Context,
  maxBytes = API_BODY_BYTES,
  patience?: BodyPatience,
): Promise<object> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new Refusal('bad-input', 'The body must be application/json.');
  const text = await boundedText(c.req.raw, maxBytes, patience);
  if (isNestedDeeper(text, API_BODY_DEPTH))
    throw new Refusal('bad-input', `The body has more than ${API_BODY_DEPTH} values within values.`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal('bad-input', 'The body is not JSON.');
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Refusal('bad-input', 'The body is not a JSON object.');
}

/** Whether JSON has more open brackets at a time, those within strings left out. */
function isNestedDeeper(text: string, most: number): boolean {
  let open = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted && code === BACKSLASH) at++;
    else if (quoted) continue;
    // "[" and "{", "]" and "}" differ in one bit.
    else if ((code | 0x20) === 0x7b) open++;
    else if ((code | 0x20) === 0x7d) open--;
    if (open > most) return true;
  }
  return false;
}

/**
 * The body in UTF-8, read no further than its limit whatever its length was said to be. Throws Refusal 'too-large', or
 * 'bad-input' when it takes too long.
 */
export async function boundedText(
  request: Request,
  maxBytes: number,
  patience?: BodyPatience,
): Promise<string> {
  const tooLarge = new Refusal('too-large', `A request has at most ${maxBytes} octets.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge;
  const { body } = request;
  if (body === null) return '';
  const reader = body.getReader();
  const late = Promise.withResolvers<undefined>();
  const timer = patience?.clock.setTimer(patience.ms, () => late.resolve(undefined));
  try {
    const chunks: Uint8Array[] = [];
    let octets = 0;
    for (;;) {
      // Who goes away in the middle of it, or frames it wrongly, is no failure of ours.
      const read = reader.read().catch(() => {
        throw new Refusal('bad-input', 'The request broke off.');
      });
      const next = await Promise.race([read, late.promise]);
      if (next === undefined) throw new Refusal('bad-input', 'The request took too long to arrive.');
      if (next.done) return Buffer.concat(chunks).toString('utf8');
      octets += next.value.length;
      if (octets > maxBytes) throw tooLarge;
      chunks.push(next.value);
    }
  } finally {
    timer?.cancel();
    // What is left of it is nobody's any more.
    reader.cancel().catch(() => undefined);
  }
}

/** A refusal as JSON, under the status of its kind or another one. */
export function refusedResponse(c: Context, refusal: Refusal, status?: ContentfulStatusCode): Response {
  const { kind, message } = refusal;
  const wrong = refusal instanceof BadInput ? refusal : undefined;
  const field = wrong?.field;
  const said = wrong === undefined ? codeOf(refusal) : wrong.said;
  const body: ApiError = { error: { kind, message, ...(field !== undefined && { field }), ...said } };
  return c.json(body, status ?? STATUS[kind]);
}

/** Whatever was thrown as JSON; what is no refusal is logged under an id, and nothing of it is told. */
export function failedResponse(
  c: Context,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
  /** Which API it is: "admin". */
  api: string,
  error: Error,
): Response {
  if (error instanceof Refusal) return refusedResponse(c, error);
  // A file that finds no room is no other trouble than a row that finds none.
  if (isDiskFull(error)) return refusedResponse(c, storageFull());
  const id = timeId(clock.now());
  const { method, path } = c.req;
  logger.error(
    { id, method, path, error: errorText(error), stack: error.stack },
    `${api}: an operation failed`,
  );
  const message = `Something went wrong inside the server; its log has the details under the id ${id}.`;
  const body: ApiError = { error: { kind: 'internal', message, ...codeOf({ message }) } };
  return c.json(body, 500);
}
