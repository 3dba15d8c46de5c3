import type { Context, Hono } from 'hono';
import { FRAME_POLICY, WEB_APP_POLICY } from './headers.ts';
import type { WebFile, WebFiles } from './files.ts';

/** The web app: its page for each of its addresses, its files, and the empty document that messages are shown in. */

/** Where the app's one page is; it finds out by the address what to show. */
const PAGES: ReadonlySet<string> = new Set([
  '/',
  '/mail',
  '/settings',
  '/admin',
  '/sign-in',
  '/consent',
  '/invitation',
  '/setup',
]);
const PAGES_BELOW = ['/mail/', '/settings/', '/admin/'];
/** Below a page, but for programs. */
const NO_PAGES = ['/admin/v1'];

const YEAR_SECONDS = 31_536_000;

/** The empty document that the app fills with a message. Nothing in it can run, and nothing outside it is loaded. */
const FRAME =
  '<!doctype html>\n<html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title></title></head><body></body></html>\n';

export function isAppPage(path: string): boolean {
  if (NO_PAGES.some((each) => path === each || path.startsWith(`${each}/`))) return false;
  return PAGES.has(path) || PAGES_BELOW.some((each) => path.startsWith(each));
}

/**
 * Add the web app's routes, behind all others: what they have not answered. `missing` answers for the app's pages while
 * it is not built.
 */
export function addWebApp(
  app: Hono,
  files: WebFiles | undefined,
  missing: (c: Context) => Response | Promise<Response>,
): void {
  app.get('/frame/message', (c) => {
    c.header('Content-Security-Policy', FRAME_POLICY);
    c.header('X-Frame-Options', 'SAMEORIGIN');
    c.header('Cache-Control', 'public, max-age=3600');
    return c.html(FRAME);
  });
  app.get('*', async (c, next) => {
    const { path } = c.req;
    const page = isAppPage(path);
    // The page itself is no file beside its addresses: it would be an address more.
    if (path === '/index.html') return next();
    const file = await files?.find(page ? '/index.html' : path, c.req.header('accept-encoding'));
    if (file !== undefined) return send(c, path, file);
    return page ? missing(c) : next();
  });
}

function send(c: Context, path: string, file: WebFile): Response {
  const { type, encoding, etag, octets } = file;
  // A year for what has its content's hash in its name; the rest is asked for each time.
  const lasting = path.startsWith('/assets/');
  c.header('Cache-Control', lasting ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
  c.header('ETag', etag);
  if (file.varies) c.header('Vary', 'Accept-Encoding');
  // Scripts too: what a worker may load is said by the answer that its script came with.
  if (/^text\/(?:html|javascript)/.test(type)) c.header('Content-Security-Policy', WEB_APP_POLICY);
  if (path === '/sw.js') c.header('Service-Worker-Allowed', '/');
  if (matches(c.req.header('if-none-match'), etag)) return c.body(null, 304);
  c.header('Content-Type', type);
  if (encoding !== 'identity') c.header('Content-Encoding', encoding);
  c.header('Content-Length', String(octets.length));
  return c.body(octets as Uint8Array<ArrayBuffer>, 200);
}

/** RFC 9110 section 13.1.2: weak comparison. */
function matches(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false;
  return field
    .slice(0, 1000)
    .split(',')
    .some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag);
}
