import { Hono } from 'hono';
import type { Context, MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { errorText, Refusal, type RefusalKind } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import { isAdmin } from '../../../data/directory/permission.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { mountMessageStreams } from './message-stream.ts';
import { type AdminContext, API_PREFIX, inputInQuery, type Operation } from './operation.ts';
import { spanOf } from '../tracing.ts';
import { operations } from './operations.ts';

/** Octets of a request body. The largest request is an alias with a hundred addresses. */
export const ADMIN_BODY_BYTES = 1024 * 1024;
/** UTF-16 units of an error message that repeats input. */
const MESSAGE_LENGTH = 1000;

export interface AdminEnv {
  Variables: { actor: Actor };
}

export interface AdminError {
  readonly error: { readonly kind: RefusalKind | 'internal'; readonly message: string };
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

/** Who is asking is settled before any operation runs: by the socket here, by tokens where people come over the network. */
export type Authenticate = MiddlewareHandler<AdminEnv>;

/** Everybody who can reach the socket is this person. */
export function alwaysActor(actor: Actor): Authenticate {
  return async (c, next) => {
    c.set('actor', actor);
    await next();
  };
}

/** The admin API: the operations of the table as routes, below `API_PREFIX`. */
export function createAdminApp(context: AdminContext, authenticate: Authenticate): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>();
  app.onError((error, c) => failure(c, context, error));
  app.notFound((c) =>
    refused(c, new Refusal('not-found', `There is no ${c.req.method} ${c.req.path} here.`)),
  );
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
  });
  app.use(authenticate);
  for (const area of Object.values(operations)) {
    for (const row of Object.values(area)) mount(app, context, row as Operation);
  }
  mountMessageStreams(app, context);
  return app;
}

function mount(app: Hono<AdminEnv>, context: AdminContext, row: Operation): void {
  app.on(row.method, API_PREFIX + row.path, async (c) => {
    const actor = c.get('actor');
    spanOf(c.req.raw)?.set({ 'http.route': API_PREFIX + row.path });
    if (row.access === 'administrator' && !isAdmin(actor)) {
      throw new Refusal('not-permitted', 'You may not see this; an administrator can.');
    }
    const given = inputInQuery(row.method) ? c.req.query() : await jsonBody(c);
    const input = row.input.safeParse({ ...given, ...c.req.param() });
    if (!input.success) throw new Refusal('bad-input', problems(input.error));
    const result = await row.run(context, input.data, actor);
    return c.json(row.output.parse(result) as object);
  });
}

/** The body, which must be a JSON object; anything else a browser form could send is refused. */
async function jsonBody(c: Context<AdminEnv>): Promise<object> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new Refusal('bad-input', 'The body must be application/json.');
  const text = await boundedText(c.req.raw);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal('bad-input', 'The body is not JSON.');
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Refusal('bad-input', 'The body is not a JSON object.');
}

/** The body, read no further than its limit whatever its length was said to be. */
async function boundedText(request: Request): Promise<string> {
  const tooLarge = new Refusal('too-large', `A request has at most ${ADMIN_BODY_BYTES} octets.`);
  if (Number(request.headers.get('content-length') ?? 0) > ADMIN_BODY_BYTES) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of request.body ?? []) {
    octets += chunk.length;
    if (octets > ADMIN_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function problems(error: z.ZodError): string {
  const all = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return all.join('; ').slice(0, MESSAGE_LENGTH);
}

function refused(c: Context, { kind, message }: Refusal): Response {
  const body: AdminError = { error: { kind, message } };
  return c.json(body, STATUS[kind]);
}

function failure(c: Context, { logger, clock }: AdminContext, error: Error): Response {
  if (error instanceof Refusal) return refused(c, error);
  const id = timeId(clock.now());
  const { method, path } = c.req;
  logger.error(
    { id, method, path, error: errorText(error), stack: error.stack },
    'admin: an operation failed',
  );
  const message = `Something went wrong inside the server; its log has the details under the id ${id}.`;
  const body: AdminError = { error: { kind: 'internal', message } };
  return c.json(body, 500);
}
