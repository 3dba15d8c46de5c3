import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { jmapClient, type JmapClient, mailboxes } from '../jmap/client.ts';
import { skipUnlessLong } from '../support/programs.ts';
import {
  startTestServer,
  TEST_PASSWORD,
  type TestServer,
  type TestServerOptions,
} from '../support/server.ts';

/** A server with accounts and mail, and a browser in front of it. Tests skip where `NO_BROWSER` is a sentence. */

const ROOT = resolve(import.meta.dirname, '../..');
const CHROMIUM = process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium';
/** Why there can be no tests of pages here; false when there can. */
export const NO_BROWSER: string | false = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;
/** The same for tests that take long beside what they add to the others: CI runs them. */
export const NO_LONG_BROWSER: string | false = NO_BROWSER || skipUnlessLong();

export const DESKTOP = { width: 1400, height: 900 };
export const PHONE = { width: 390, height: 844 };
/** Milliseconds that what should happen may take: a machine that does ten other things is slow, not broken. */
export const PATIENCE_MS = 45_000;
export const USER = 'bob@example.test';
export const ADMIN = 'alice@example.test';

export interface PageOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly dark?: boolean;
  /** Language of the browser. */
  readonly language?: string;
  /** Its time zone; that of this machine otherwise. */
  readonly timeZone?: string;
  /** Who is signed in; undefined: nobody. */
  readonly as?: string | undefined;
  /** Path to open; undefined: none yet. */
  readonly path?: string;
  /** A finger, not a mouse. */
  readonly touch?: boolean;
  /** Scheme, host and port of what stands before the server. */
  readonly base?: string;
}

export interface Deposit {
  readonly account?: string;
  /** A role or a name; "inbox" otherwise. */
  readonly mailbox?: string;
  readonly keywords?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly receivedAt?: number;
}

export interface WebWorld {
  readonly server: TestServer;
  /** Scheme, host and port of the pages. */
  readonly base: string;
  readonly browser: Browser;
  /** A page in a context of its own; what it logs as errors is in `errors`. */
  open(options?: PageOptions): Promise<WebPage>;
  /** Put messages (with LF or CRLF) into a mailbox; their ids. */
  deposit(messages: readonly string[], options?: Deposit): Promise<string[]>;
  jmap(address?: string): Promise<JmapClient>;
  close(): Promise<void>;
}

export interface WebPage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts and of the console. */
  readonly errors: string[];
}

/** Build the web app when its sources have changed. */
export function buildWeb(): void {
  execFileSync(process.execPath, [join(ROOT, 'scripts/web.ts')], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The whole of it: server in this process, pages of web/dist, chromium. */
export async function startWebWorld(options: TestServerOptions = {}): Promise<WebWorld> {
  if (process.env['POSTERN_WEB_BUILT'] === undefined) buildWeb();
  const server = await startTestServer(options);
  const base = `http://localhost:${server.ports.http}`;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
    timeout: 3 * PATIENCE_MS,
  });
  const clients = new Map<string, Promise<JmapClient>>();
  const jmap = (address = USER): Promise<JmapClient> => {
    const found = clients.get(address) ?? jmapClient(server, address);
    clients.set(address, found);
    return found;
  };
  return {
    server,
    base,
    browser,
    jmap,
    async open(wish = {}) {
      const { viewport = DESKTOP, dark = false, language = 'en-US', path, touch = false } = wish;
      const context = await browser.newContext({
        baseURL: wish.base ?? base,
        viewport,
        colorScheme: dark ? 'dark' : 'light',
        locale: language,
        ...(wish.timeZone !== undefined && { timezoneId: wish.timeZone }),
        hasTouch: touch,
        isMobile: touch,
      });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
      page.on('console', (message) => {
        // The page's policy refuses the style of messages while they are parsed, as it should (documents of DOMParser
        // inherit it), and that of the accessibility checker; they are shown in a document with a policy of its own.
        if (message.text().startsWith('Applying inline style violates')) return;
        // Too many at once (429): the app waits a moment and asks again. On a slow machine requests overlap.
        if (message.text().includes('responded with a status of 429')) return;
        if (message.type() === 'error') errors.push(message.text());
      });
      const who = 'as' in wish ? wish.as : USER;
      if (who !== undefined) await signIn(context, base, who);
      if (path !== undefined) await page.goto(path);
      return { page, context, errors, [Symbol.asyncDispose]: () => context.close() };
    },
    async deposit(messages, wish = {}) {
      const client = await jmap(wish.account);
      const boxes = await mailboxes(client);
      const mailboxId = boxes[wish.mailbox ?? 'inbox'];
      assert.ok(mailboxId, `there is no mailbox ${wish.mailbox}`);
      const ids: string[] = [];
      for (const message of messages) {
        const blobId = await client.upload(Buffer.from(crlf(message), 'latin1'), 'message/rfc822');
        const answer = await client.call('Email/import', {
          emails: {
            a: {
              blobId,
              mailboxIds: { [mailboxId]: true },
              keywords: Object.fromEntries((wish.keywords ?? []).map((name) => [name, true])),
              ...(wish.receivedAt !== undefined && { receivedAt: utc(wish.receivedAt) }),
            },
          },
        });
        assert.ok(answer['created']?.a, JSON.stringify(answer));
        ids.push(answer['created'].a.id as string);
      }
      return ids;
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

function utc(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function crlf(message: string): string {
  return Buffer.from(message.replaceAll(/\r?\n/g, '\r\n'), 'utf8').toString('latin1');
}

/** Sign in by the server's own door and hand the cookie to the browser. */
export async function signIn(context: BrowserContext, base: string, login: string): Promise<void> {
  const answer = await context.request.post(`${base}/auth/sign-in`, {
    headers: { 'X-Postern': '1' },
    data: { login, password: TEST_PASSWORD },
  });
  assert.equal(answer.status(), 200, await answer.text());
}

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds wrong, as sentences. */
export async function axeFindings(page: Page, context: string[] = ['body']): Promise<string[]> {
  // The page's policy lets no script in; the protocol of the browser's tools does.
  await page.evaluate(readFileSync(axeSource, 'utf8'));
  // What fades in has its colours when it is there.
  await page.evaluate(`Promise.all(document.getAnimations()
    .filter((each) => Number.isFinite(Number(each.effect?.getComputedTiming().endTime)))
    .map((each) => each.finished.catch(() => undefined))).then(() => undefined)`);
  const found = await page.evaluate(async (include) => {
    type Result = {
      violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
    };
    const { axe } = globalThis as unknown as {
      axe: { run(context: object, options: object): Promise<Result> };
    };
    const result = await axe.run({ include }, { resultTypes: ['violations'], iframes: false });
    return result.violations.map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes
          .slice(0, 3)
          .map(({ html, failureSummary }) => `${html.slice(0, 160)} (${failureSummary?.slice(0, 300)})`)
          .join(' | ')}`,
    );
  }, context);
  return found;
}

/** Look until it is so: what was asked for happens when it happens. The last failure is the test's. */
export async function eventually<T>(look: () => T | Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Accessible as far as a program can tell. */
export async function assertAccessible(page: Page): Promise<void> {
  assert.deepEqual(await axeFindings(page), []);
}

/** Keep a picture of the page where POSTERN_SHOTS says; nowhere otherwise. */
export async function shot(page: Page, name: string): Promise<void> {
  const directory = process.env['POSTERN_SHOTS'];
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}
