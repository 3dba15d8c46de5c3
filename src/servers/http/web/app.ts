import { Hono } from 'hono';
import type { Clock } from '../../../base/clock.ts';
import { errorText } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import type { Logger } from '../../../base/log.ts';
import type { Metrics } from '../../../base/metrics.ts';
import type { Store } from '../../../data/store.ts';
import type { ServerFacts } from '../facts.ts';
import { type AccountOptions, createAccountApp } from './account.ts';
import { createHealth } from './health.ts';
import { homePage } from './home.ts';
import type { WebFiles } from './files.ts';
import { addWebApp } from './static.ts';

export interface WebAppOptions {
  readonly store: Pick<Store, 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly facts: ServerFacts;
  /** Paragraphs below the table of the home page, e.g. the try-out's accounts. */
  readonly notes: readonly string[];
  /** Health and metrics tell strangers more than they need: false where the listener is public. */
  readonly operational: boolean;
  /** What people may do for themselves; undefined: nothing. */
  readonly account?: AccountOptions | undefined;
  /** Adds the routes of JMAP (servers/jmap). */
  readonly jmap?: ((app: Hono) => void) | undefined;
  /** Add routes of other parts, each before the web app's own. */
  readonly mounts?: readonly ((app: Hono) => void)[] | undefined;
  /** The web app; undefined: there is none here. */
  readonly files?: WebFiles | undefined;
}

const NOT_BUILT = 'The web app is not built: "node scripts/web.ts" does that.';

/** As Prometheus and others ask for it. */
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** What the HTTP port shows: the web app, what people and programs ask for, the server's health and metrics. */
export function createWebApp(options: WebAppOptions): Hono {
  const { clock, logger, metrics, facts } = options;
  const app = new Hono();
  app.onError((error, c) => {
    const id = timeId(clock.now());
    logger.error(
      { id, path: c.req.path, error: errorText(error), stack: error.stack },
      'http: a request failed',
    );
    return c.text(`Something went wrong inside the server (${id}).\n`, 500);
  });
  app.notFound((c) => c.text('There is nothing here.\n', 404));
  app.get('/about', (c) => c.html(homePage(facts, options.notes)));
  if (options.account !== undefined) app.route('/account/refused', createAccountApp(options.account));
  options.jmap?.(app);
  if (options.operational) {
    const health = createHealth(options);
    app.get('/health/live', (c) => c.text('ok\n'));
    app.get('/health/ready', async (c) => {
      const state = await health();
      return c.json(state, state.ready ? 200 : 503);
    });
    app.get('/metrics', async (c) => {
      if (c.req.header('Accept')?.includes('application/openmetrics-text') === true)
        return c.body(await metrics.openMetrics(), 200, { 'Content-Type': OPEN_METRICS });
      const text = await metrics.text();
      return c.body(text, 200, { 'Content-Type': metrics.registry.contentType });
    });
  }
  for (const mount of options.mounts ?? []) mount(app);
  addWebApp(app, options.files, (c) => {
    return c.html(homePage(facts, [...options.notes, NOT_BUILT]), c.req.path === '/' ? 200 : 503);
  });
  return app;
}
