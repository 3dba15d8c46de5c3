import { Hono } from 'hono';
import { failedResponse } from '../api.ts';
import { codeOf } from '../problems.ts';
import { type AuthContext, type AuthEnv, type AuthOptions, BODY_MS, Fault } from './context.ts';
import { mountOauth } from './oauth.ts';
import { mountPasskeySignIn } from './passkeys.ts';
import { createPaces } from './paces.ts';
import { mountSecurity } from './security.ts';
import { mountSignIn } from './sign-in.ts';
import { createTickets } from './tickets.ts';

export type { AuthContext, AuthOptions, AuthRoutes } from './context.ts';

/** Signing in, the security of an account, and OAuth: /auth, /account/v1/security, /oauth. To be mounted at the root. */
export function createAuthApp(options: AuthOptions): Hono<AuthEnv> {
  const { clock, logger } = options;
  const context: AuthContext = { ...options, tickets: createTickets(clock), paces: createPaces(clock) };
  const app = new Hono<AuthEnv>();
  app.onError((error, c) => {
    c.header('Cache-Control', 'no-store');
    if (!(error instanceof Fault)) return failedResponse(c, { logger, clock }, 'auth', error);
    const { kind, message, field, status } = error;
    return c.json(
      { error: { kind, message, ...(field !== undefined && { field }), ...codeOf(error) } },
      status,
    );
  });
  // By path: mounted at the root, other parts' answers pass here too.
  for (const path of ['/auth/*', '/account/v1/security', '/account/v1/security/*', '/oauth/*']) {
    app.use(path, async (c, next) => {
      c.set('patience', { clock, ms: BODY_MS });
      await next();
      c.header('Cache-Control', 'no-store');
      c.header('X-Content-Type-Options', 'nosniff');
      c.header('Referrer-Policy', 'no-referrer');
    });
  }
  mountSignIn(app, context);
  mountPasskeySignIn(app, context);
  mountSecurity(app, context);
  mountOauth(app, context);
  for (const mount of options.more ?? []) mount(app, context);
  return app;
}
