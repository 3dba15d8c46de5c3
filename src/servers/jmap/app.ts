import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Context as HonoContext, Hono } from 'hono';
import { timeId } from '../../base/ids.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { savedName } from '../../base/file-name.ts';
import { challengeFor, placeOf, type Principal } from '../request-login.ts';
import { logIn } from './authentication.ts';
import { findBlob, isHeldWhole, keepUpload } from './blobs.ts';
import { jsonAnswer } from './compress.ts';
import type { JmapOptions } from './context.ts';
import { MethodError, RequestError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import { parseJson } from './parse-json.ts';
import { JMAP_LIMITS } from './limits.ts';
import { eventStream, pingOf } from './push.ts';
import { PUSHED_TYPES } from './push-states.ts';
import { answerRequest, type Counts, type Shared, sharedParts } from './request.ts';
import { sessionObject } from './session.ts';
import { viewOf } from './view.ts';

type Env = {
  Bindings: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse };
  Variables: { account: Principal; remoteAddress: string; trace: string };
};
type C = HonoContext<Env>;

export { sharedParts };

/** JMAP over HTTP (RFC 8620): session, API, blobs, events. To be mounted at the root of a site. */
export function createJmapApp(options: JmapOptions, shared: Shared = sharedParts()): Hono<Env> {
  const app = new Hono<Env>();
  const { counts } = shared;
  // RFC 8620 section 2.2.
  app.get('/.well-known/jmap', (c) => c.redirect('/jmap/session', 302));
  app.use('/jmap/*', async (c, next) => {
    const trace = timeId(options.clock.now());
    const login = await logIn(options, c.env.incoming, trace);
    if (!login.ok) {
      const challenge = login.status === 401 ? challengeFor(c.env.incoming) : undefined;
      const refused = plainProblem(login.status, login.sentence);
      if (challenge !== undefined) refused.headers.set('WWW-Authenticate', challenge);
      return refused;
    }
    c.set('account', login.principal);
    c.set('remoteAddress', login.principal.remoteAddress);
    c.set('trace', trace);
    await next();
    return undefined;
  });
  app.get('/jmap/session', async (c) => {
    // RFC 8620 section 2: whoever sees that it has changed asks anew, and must not get an old one.
    c.header('Cache-Control', 'no-cache, no-store, must-revalidate');
    return c.json(await sessionObject(options, c.var.account, baseOf(options, c)));
  });
  app.post('/jmap/api', (c) => problems(c, () => api(options, shared, c)));
  app.post('/jmap/upload/:account/', (c) => problems(c, () => upload(options, counts, c)));
  // meli gives no name.
  for (const path of ['/jmap/download/:account/:blob/:name', '/jmap/download/:account/:blob/'])
    app.get(path, (c) => problems(c, () => download(options, shared, c)));
  app.get('/jmap/eventsource', (c) => events(options, counts, c));
  return app;
}

/** Scheme and host by which the client reaches us: a proxy says which. */
function baseOf({ isProxy }: JmapOptions, c: C): string {
  const { host } = new URL(c.req.url);
  const { https } = placeOf(c.env.incoming, isProxy);
  return `${https ? 'https' : 'http'}://${host}`;
}

function problem(status: number, json: JsonObject): Response {
  const headers = { 'Content-Type': 'application/problem+json' };
  return new Response(JSON.stringify(json), { status, headers });
}

/** What HTTP's own number says already (RFC 7807 section 4.2). */
function plainProblem(status: number, detail: string): Response {
  return problem(status, { type: 'about:blank', status, detail });
}

/** Render what stops a request as a whole (RFC 7807, RFC 8620 section 3.6.1). */
async function problems(c: C, run: () => Promise<Response>): Promise<Response> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof RequestError) return problem(error.status, error.toJson());
    if (error instanceof MethodError && error.type === 'accountNotFound')
      return plainProblem(404, 'There is no such account.');
    if (!(error instanceof Refusal)) throw error;
    return plainProblem(503, error.message);
  }
}

async function* octetsOf(c: C): AsyncGenerator<Uint8Array> {
  const { body } = c.req.raw;
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      // Who goes away in the middle of it, or frames it wrongly, is no failure of ours.
      const next = await reader.read().catch(() => {
        throw new RequestError('notRequest', 'The request broke off.');
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function declaredSize(c: C): number {
  return Number(c.req.header('content-length') ?? 0);
}

async function readJson(c: C): Promise<Json> {
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new RequestError('notJSON', 'The content type must be application/json.');
  const tooLarge = new RequestError(
    'limit',
    `A request may have at most ${JMAP_LIMITS.sizeRequest} octets.`,
    'maxSizeRequest',
  );
  if (declaredSize(c) > JMAP_LIMITS.sizeRequest) throw tooLarge;
  let size = 0;
  let text = '';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    // As it comes, for all at once would take a while.
    for await (const piece of octetsOf(c)) {
      size += piece.length;
      if (size > JMAP_LIMITS.sizeRequest) throw tooLarge;
      text += decoder.decode(piece, { stream: true });
    }
    text += decoder.decode();
    return await parseJson(text);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError('notJSON', `The request is no JSON in UTF-8: ${errorText(error).slice(0, 200)}`);
  }
}

/** Resolves when the answer has been sent, or nobody is there any more to read it. */
function closed({ env: { outgoing } }: C): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) resolve();
    else outgoing.once('close', resolve);
  });
}

async function api(options: JmapOptions, shared: Shared, c: C): Promise<Response> {
  const { account: login, trace } = c.var;
  const answer = await answerRequest(options, shared, login, trace, () => readJson(c), closed(c));
  return jsonAnswer(answer, c.req.header('accept-encoding'));
}

/** RFC 8620 section 6.1. */
async function upload(options: JmapOptions, counts: Counts, c: C): Promise<Response> {
  const { accountId: viewer } = c.var.account;
  const view = await viewOf(options.store.read, viewer, c.req.param('account'));
  const most = JMAP_LIMITS.concurrentUpload;
  const end = counts.begin('upload', viewer, most);
  if (end === undefined)
    throw new RequestError('limit', `At most ${most} uploads at once, please.`, 'maxConcurrentUpload');
  try {
    if (options.full())
      throw new Refusal('storage-full', 'The disk of the server is nearly full; try again later.');
    const max = JMAP_LIMITS.sizeUpload;
    const kept =
      declaredSize(c) > max ? undefined : await keepUpload(options.store, view.viewer, octetsOf(c), max);
    if (kept === undefined)
      throw new RequestError('limit', `An upload may have at most ${max} octets.`, 'maxSizeUpload');
    // RFC 8620 section 6.1: a media type as RFC 6838 has it, which is one without parameters.
    const [type = ''] = (mediaType(c.req.header('content-type')) ?? 'application/octet-stream').split(';');
    // 200 rather than 201: no RFC names the status, and go-jmap (so aerc) takes anything else for a failure.
    return c.json({ accountId: c.req.param('account'), blobId: kept.blobId, type, size: kept.size });
  } finally {
    end();
  }
}

function mediaType(text: string | undefined): string | undefined {
  return text !== undefined &&
    /^[A-Za-z0-9!#$&^_.+-]{1,100}\/[A-Za-z0-9!#$&^_.+-]{1,100}(?:;[\x20-\x7e]{0,200})?$/.test(text)
    ? text
    : undefined;
}

/** RFC 6266: what plain characters can say is said so that old programs understand it too. */
function fileNameOf(name: string): string {
  if (/^[\w.+-]+(?: [\w.+-]+)*$/.test(name)) return `filename="${name}"`;
  return `filename*=utf-8''${encodeURIComponent(name).replace(/['()*]/g, '_')}`;
}

/**
 * How long a download may be kept. A blob never changes; it may be gone, and is private. A browser asks each time
 * whether it may still show it: what it keeps of a session that has ended is for nobody.
 */
function keeping({ how }: Principal, id: string): Readonly<Record<string, string>> {
  return how === 'session'
    ? { 'Cache-Control': 'private, no-cache', ETag: `"${id}"` }
    : { 'Cache-Control': 'private, immutable, max-age=31536000' };
}

/** RFC 8620 section 6.2. Whatever it is, a browser saves it: nothing of a message runs on our pages. */
async function download(options: JmapOptions, { held }: Shared, c: C): Promise<Response> {
  const { store } = options;
  const view = await viewOf(store.read, c.var.account.accountId, c.req.param('account'));
  const id = c.req.param('blob') ?? '';
  if (isHeldWhole(id)) {
    const turn = held.take(view.viewer);
    if (turn === undefined) return plainProblem(429, 'Too many parts are downloaded at once.');
    // Whoever reads none of it keeps others of this account waiting, and not the memory of everybody.
    void closed(c).then(await turn);
  }
  const blob = await findBlob(store, view, id);
  if (blob === undefined) return plainProblem(404, 'There is no such blob.');
  const kept = keeping(c.var.account, id);
  if (kept['ETag'] !== undefined && c.req.header('if-none-match') === kept['ETag'])
    return new Response(null, { status: 304, headers: kept });
  const headers: Record<string, string> = {
    'Content-Type': mediaType(c.req.query('accept')) ?? 'application/octet-stream',
    'Content-Disposition': `attachment; ${fileNameOf(savedName(c.req.param('name') ?? ''))}`,
    ...kept,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    ...(blob.size !== undefined && { 'Content-Length': String(blob.size) }),
  };
  const octets = blob.read()[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await octets.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await octets.return?.();
    },
  });
  return new Response(stream, { headers });
}

/** RFC 8620 section 7.3. */
function events(options: JmapOptions, counts: Counts, c: C): Response {
  const { account } = c.var;
  const end = counts.begin('events', account.accountId, JMAP_LIMITS.eventStreams);
  if (end === undefined) return plainProblem(429, 'There are too many event streams of this account.');
  const named = (c.req.query('types') ?? '*').split(',');
  const types = new Set(
    named.includes('*') ? PUSHED_TYPES : PUSHED_TYPES.filter((type) => named.includes(type)),
  );
  const stream = eventStream(
    options,
    account,
    {
      types,
      closeAfterState: c.req.query('closeafter') === 'state',
      ping: pingOf(c.req.query('ping')),
      lastId: c.req.header('last-event-id'),
    },
    end,
  );
  return new Response(stream, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
  });
}
