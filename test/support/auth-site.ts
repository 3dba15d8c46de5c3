import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { TOTP } from 'otpauth';
import { silentLogger } from '../../src/base/log.ts';
import { createAuthenticator, type SignInAuthenticator } from '../../src/data/directory/authenticator.ts';
import { hashPassword } from '../../src/data/directory/passwords.ts';
import { type InlineStore, openInlineStore } from '../../src/data/inline.ts';
import type { JournalEvent } from '../../src/data/journal/types.ts';
import { createAuthApp } from '../../src/servers/http/auth/app.ts';
import { createGuard } from '../../src/servers/http/web/guard.ts';
import { createRequestLogin, type LogInRequest } from '../../src/servers/request-login.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { testActor } from './server.ts';

export const PASSWORD = 'correct horse';

/** The pages for signing in, over HTTP on a free port, with alice@ and bob@example.test. */
export interface AuthSite {
  readonly clock: ManualClock;
  readonly store: InlineStore;
  readonly authenticator: SignInAuthenticator;
  readonly login: LogInRequest;
  readonly events: readonly JournalEvent[];
  readonly port: number;
  readonly accounts: { readonly alice: number; readonly bob: number };
  close(): Promise<void>;
}

export async function openAuthSite(options: { proxied?: boolean } = {}): Promise<AuthSite> {
  const clock = manualClock();
  const store = await openInlineStore({ path: ':memory:', clock });
  await store.write.run('directory.addDomain', { actor: testActor, name: 'example.test' });
  const secrets = await hashPassword(PASSWORD);
  const add = async (name: string): Promise<number> => {
    const account = await store.write.run('directory.addAccount', {
      actor: testActor,
      address: `${name}@example.test`,
      displayName: name,
      role: 'user',
      quota: 0,
      ...secrets,
    });
    return account.id;
  };
  const accounts = { alice: await add('alice'), bob: await add('bob') };
  const events: JournalEvent[] = [];
  const journal = { event: (event: JournalEvent) => void events.push(event) };
  const authenticator = createAuthenticator({ store, clock, logger: silentLogger, journal });
  const isProxy = (): boolean => options.proxied === true;
  const login = createRequestLogin({ store, clock, authenticator, isProxy });
  const serverName = (): string => 'mail.example.test';
  const app = createAuthApp({
    store,
    clock,
    logger: silentLogger,
    authenticator,
    login,
    isProxy,
    serverName,
  });
  const guard = createGuard(undefined);
  const handle = getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0], {
    overrideGlobalObjects: false,
  });
  const server: Server = createServer((request, response) => {
    if (!guard(request, response)) void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    store,
    authenticator,
    login,
    events,
    port,
    accounts,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      authenticator.close();
      await store.close();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // What a page would read: tests say what they expect of it.
  /** As it came: a test says what it expects of it. */
  readonly json: Readonly<Record<string, ReturnType<typeof JSON.parse>>>;
  readonly text: string;
}

/** A browser with our page open: keeps cookies, and says that the page is ours unless told otherwise. */
export class Browser {
  readonly #origin: string;
  readonly cookies = new Map<string, string>();
  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    { port }: Pick<AuthSite, 'port'>,
    headers: Readonly<Record<string, string>> = {},
    host = '127.0.0.1',
  ) {
    this.#origin = `http://${host}:${port}`;
    this.#headers = headers;
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all: Record<string, string | undefined> = {
      'X-Postern': '1',
      'Sec-Fetch-Site': 'same-origin',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(cookie !== '' && { Cookie: cookie }),
      ...this.#headers,
      ...headers,
    };
    const response = await fetch(`${this.#origin}${path}`, {
      method,
      redirect: 'manual',
      headers: Object.fromEntries(
        Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const equals = pair.indexOf('=');
      const value = pair.slice(equals + 1);
      if (value === '') this.cookies.delete(pair.slice(0, equals));
      else this.cookies.set(pair.slice(0, equals), value);
    }
    const text = await response.text();
    let json = {};
    try {
      json = JSON.parse(text) as Record<string, unknown>;
    } catch {
      // A page or a sentence.
    }
    return { status: response.status, headers: response.headers, json, text };
  }

  get(path: string): Promise<Answer> {
    return this.ask('GET', path);
  }

  post(path: string, body: unknown = {}): Promise<Answer> {
    return this.ask('POST', path, body);
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.ask('PUT', path, body);
  }

  delete(path: string): Promise<Answer> {
    return this.ask('DELETE', path);
  }

  signIn(name: string, password = PASSWORD, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.post('/auth/sign-in', { login: `${name}@example.test`, password, ...more });
  }
}

/** The code an authenticator shows at a time. */
export function totpCode(secret: string, atMs: number): string {
  return new TOTP({ secret }).generate({ timestamp: atMs });
}

/** Switch TOTP on for whoever the browser is signed in as. */
export async function enrol(
  browser: Browser,
  site: AuthSite,
): Promise<{ readonly secret: string; readonly recoveryCodes: readonly string[] }> {
  const begun = await browser.post('/account/v1/security/totp/begin');
  const secret = String(begun.json['secret']);
  const code = totpCode(secret, site.clock.now());
  const { json } = await browser.post('/account/v1/security/totp/confirm', { code });
  // The next code is another one.
  site.clock.advance(30_000);
  return { secret, recoveryCodes: json['recoveryCodes'] as string[] };
}
