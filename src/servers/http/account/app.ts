import type { IncomingMessage } from 'node:http';
import { type Context, Hono } from 'hono';
import { Refusal } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import type { Metrics } from '../../../base/metrics.ts';
import { challengeFor, type LogInRequest, type Principal } from '../../request-login.ts';
import { badInput, failedResponse, jsonBody, refusedResponse } from '../api.ts';
import { spanOf } from '../tracing.ts';
import { ACCOUNT_PREFIX, type AccountContext, type AccountOperation } from './operation.ts';
import { accountOperations } from './operations.ts';
import { createPaces } from './pace.ts';

export interface AccountApiOptions extends Omit<AccountContext, 'paces' | 'count'> {
  readonly login: LogInRequest;
  readonly metrics?: Metrics | undefined;
}

export interface AccountApiEnv {
  Bindings: { readonly incoming: IncomingMessage };
  Variables: { principal: Principal };
}

/** Nothing of what comes from elsewhere may do anything on our pages. */
const OCTETS_POLICY = "default-src 'none'; sandbox";
/** Seconds a browser keeps a picture. */
const IMAGE_AGE = 24 * 3600;

/** What people do with their own account, below `ACCOUNT_PREFIX`. The routes have their whole paths: mount it at "/". */
export function createAccountApi(options: AccountApiOptions): Hono<AccountApiEnv> {
  const { metrics, clock } = options;
  const done = metrics?.counter('postern_account_actions_total', 'What people did by the account API', [
    'action',
  ]);
  const context: AccountContext = {
    ...options,
    paces: createPaces(clock),
    count: (action) => done?.inc({ action }),
  };
  const app = new Hono<AccountApiEnv>();
  app.onError((error, c) => headed(failedResponse(c, context, 'account', error)));
  for (const area of Object.values(accountOperations)) {
    for (const row of Object.values(area)) mount(app, options, context, row as unknown as AccountOperation);
  }
  return app;
}

function mount(
  app: Hono<AccountApiEnv>,
  { login }: AccountApiOptions,
  context: AccountContext,
  row: AccountOperation,
): void {
  app.on(row.method, ACCOUNT_PREFIX + row.path, async (c) => {
    spanOf(c.req.raw)?.set({ 'http.route': ACCOUNT_PREFIX + row.path });
    const found = await login(c.env.incoming, {
      scope: row.access,
      protocol: 'http',
      trace: timeId(context.clock.now()),
    });
    if (!found.ok) return headed(turnedAway(c, found.status, found.sentence));
    const { principal } = found;
    if (!principal.scopes.has(row.access))
      throw new Refusal('not-permitted', `This login may not do that: it lacks "${row.access}".`);
    // A body that is not there is an empty one: what a path alone says needs none.
    const inBody = row.method === 'POST' || row.method === 'PUT';
    const given = !inBody ? c.req.query() : isEmpty(c) ? {} : await jsonBody(c);
    const input = row.input.safeParse({ ...given, ...c.req.param() });
    if (!input.success) throw badInput(input.error);
    const result = await row.run(context, input.data, principal);
    if (row.produces !== undefined) return octetsResponse(result as { type: string; octets: Buffer });
    return headed(c.json(row.output.parse(result) as object));
  });
}

function isEmpty(c: Context): boolean {
  return (
    c.req.header('content-length') === '0' ||
    (c.req.header('content-length') === undefined && c.req.raw.body === null)
  );
}

function turnedAway(c: Context<AccountApiEnv>, status: 401 | 403 | 429, sentence: string): Response {
  const kind = status === 401 ? 'authentication-failed' : status === 429 ? 'limit' : 'not-permitted';
  const challenge = status === 401 ? challengeFor(c.env.incoming) : undefined;
  if (challenge !== undefined) c.header('WWW-Authenticate', challenge);
  return refusedResponse(c, new Refusal(kind, sentence), status);
}

function headed(response: Response): Response {
  response.headers.set('Cache-Control', 'no-store');
  response.headers.set('X-Content-Type-Options', 'nosniff');
  return response;
}

function octetsResponse({ type, octets }: { type: string; octets: Buffer }): Response {
  return new Response(new Uint8Array(octets), {
    headers: {
      'Content-Type': type,
      'Content-Length': String(octets.length),
      'Cache-Control': `private, max-age=${IMAGE_AGE}`,
      'Content-Security-Policy': OCTETS_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
    },
  });
}
