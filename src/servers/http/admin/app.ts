import { Hono } from 'hono';
import type { MiddlewareHandler } from 'hono';
import { Refusal } from '../../../base/errors.ts';
import { KeyedTurns } from '../../../base/keyed-turns.ts';
import { isAdmin, notPermitted } from '../../../data/directory/permission.ts';
import type { Actor } from '../../../data/directory/types.ts';
import {
  API_BODY_BYTES,
  type ApiError,
  badInput,
  failedResponse,
  jsonBody,
  refusedResponse,
} from '../api.ts';
import { mountLiveTrace } from './live.ts';
import { mountMessageStreams } from './message-stream.ts';
import { type AdminContext, API_PREFIX, inputInQuery, type Operation } from './operation.ts';
import { spanOf } from '../tracing.ts';
import { operations } from './operations.ts';
import { requireOwnFiles } from './own-files.ts';
import { servedDocument } from '../openapi.ts';
import { requireCovered, scopeOf } from './scope.ts';

/** Changes of settings that wait for their turn. */
const SETTINGS_WAITING = 200;

/** Octets of a request body. The largest request is an alias with a hundred addresses. */
export const ADMIN_BODY_BYTES = API_BODY_BYTES;

export interface AdminEnv {
  Variables: {
    actor: Actor;
    /** Aborted when whoever asks may do so no longer; over the network only. */
    revoked?: AbortSignal;
  };
}

export type AdminError = ApiError;

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
  app.onError((error, c) => failedResponse(c, context, 'admin', error));
  app.notFound((c) =>
    refusedResponse(c, new Refusal('not-found', `There is no ${c.req.method} ${c.req.path} here.`)),
  );
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
  });
  app.use(authenticate);
  // Before the operations, one of which has the rest of the path as a parameter.
  mountLiveTrace(app, context);
  const turns = new KeyedTurns(1, SETTINGS_WAITING);
  for (const area of Object.values(operations)) {
    for (const row of Object.values(area)) mount(app, context, row as Operation, turns);
  }
  mountMessageStreams(app, context);
  mountOperationList(app);
  app.get(`${API_PREFIX}/openapi.json`, async (c) => {
    const { role } = c.get('actor');
    if (role === 'user') throw notPermitted();
    return c.json(await servedDocument(context.facts.version));
  });
  return app;
}

/** What the asker may call: pages show no more than that. */
function mountOperationList(app: Hono<AdminEnv>): void {
  app.get(`${API_PREFIX}/operations`, (c) => {
    const actor = c.get('actor');
    const rows = Object.values(operations).flatMap((area) => Object.values(area) as Operation[]);
    return c.json({
      operations: rows
        .filter((row) => mayCall(actor, row))
        .map(({ method, path, summary, access }) => ({ method, path, summary, access })),
    });
  });
}

/** Whether the actor may call this at all; what it shows and changes is judged further on. */
export function mayCall(actor: Actor, row: Pick<Operation, 'access'>): boolean {
  return isAdmin(actor) || (row.access !== 'administrator' && actor.role === 'domain-admin');
}

/**
 * Changes one of many settings that are kept as one text: two at once would each write what they read, and one be lost.
 */
function changesSettings({ method, path }: Operation): boolean {
  return (
    (method === 'PUT' || method === 'DELETE') &&
    /^\/[a-z]+\/(?:settings|transports|routes|tables|sources|archive|admin)\//.test(path)
  );
}

function mount(app: Hono<AdminEnv>, context: AdminContext, row: Operation, turns: KeyedTurns): void {
  app.on(row.method, API_PREFIX + row.path, async (c) => {
    const actor = c.get('actor');
    spanOf(c.req.raw)?.set({ 'http.route': API_PREFIX + row.path });
    if (!mayCall(actor, row)) throw notPermitted();
    const given = inputInQuery(row.method) ? c.req.query() : await jsonBody(c);
    const input = row.input.safeParse({ ...given, ...c.req.param() });
    if (!input.success) throw badInput(input.error);
    if (!isAdmin(actor)) requireCovered(await scopeOf(context.store, actor), row.within?.(input.data) ?? []);
    if (/\/(?:settings|transports|sources|backup\/tasks|backup\/restore)\b/.test(row.path))
      requireOwnFiles(actor, context.facts.dataDirectory, input.data);
    const end = changesSettings(row) ? await turns.take(1) : () => undefined;
    if (end === undefined) throw new Refusal('limit', 'Too many settings are being changed at once.');
    try {
      const result = await row.run(context, input.data, actor);
      const told = row.audited?.(input.data);
      if (told !== undefined) await context.store.write.run('directory.note', { actor, ...told });
      return c.json(row.output.parse(result) as object);
    } finally {
      end();
    }
  });
}
