import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { lineClient } from '../support/smtp-client.ts';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer.ts';
import { startTryServer, type TryServer } from '../support/try-server.ts';
import { buildWeb, shot } from './support.ts';

/** What the walk through the first days needs: `npm start -- --setup`, the rest of the world, a browser, pictures. */

const CHROMIUM = process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium';
const MAIN = resolve(import.meta.dirname, '../../src/app/main.ts');
/** Where the pictures of the guides go; undefined: none are made. */
const PICTURES = process.env['POSTERN_WALK_SHOTS'];
/** Pictures are this wide at most, and that good (of 1). */
const WINDOW = { width: 1160, height: 740 };
const PHONE = { width: 390, height: 760 };
const QUALITY = 0.72;

export interface VisitorOptions {
  readonly phone?: boolean;
  readonly dark?: boolean;
  /** A file with the cookies of an earlier visitor. */
  readonly state?: string;
}

export interface Visitor extends AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts and of the console. */
  readonly errors: string[];
}

export interface Walk {
  readonly server: TryServer;
  /** Scheme, host and port of the pages. */
  readonly base: string;
  /** All other mail servers. Addresses that begin with "later" are asked to come again. */
  readonly elsewhere: SmtpPeer;
  /** A directory for backups, and a file with their passphrase. */
  readonly backup: { readonly directory: string; readonly passphrase: string };
  /** A command on the server's own machine. Throws when it fails. */
  postern(...args: readonly string[]): void;
  visitor(options?: VisitorOptions): Promise<Visitor>;
  /** Somebody elsewhere writes, by port 25. Rejects with the reply that refuses it. */
  arrives(from: string, to: string, message: string): Promise<void>;
  /** Keep a picture of what is in the window. */
  picture(page: Page, name: string): Promise<void>;
  close(): Promise<void>;
}

/** Start all of it, with no domain and nobody in it. */
export async function startWalk(): Promise<Walk> {
  if (process.env['POSTERN_WEB_BUILT'] === undefined) buildWeb();
  const directory = mkdtempSync(join(tmpdir(), 'postern-walk-'));
  const backup = { directory: join(directory, 'backup'), passphrase: join(directory, 'backup.pass') };
  mkdirSync(backup.directory, { mode: 0o700 });
  writeFileSync(backup.passphrase, 'four words of nothing much\n', { mode: 0o600 });
  const elsewhere = await startSmtpPeer({
    script: {
      RCPT: (argument) => (argument.includes('<later') ? '451 4.2.1 mailbox busy, come again' : undefined),
    },
  });
  const server = await startTryServer({
    directory: join(directory, 'data'),
    args: ['--setup', '--relay', `127.0.0.1:${elsewhere.port}`],
  }).catch(async (error: unknown) => {
    await elsewhere.close();
    throw error;
  });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
    timeout: 120_000,
  });
  const base = `http://localhost:${server.ports.http}`;
  return {
    server,
    base,
    elsewhere,
    backup,
    postern(...args) {
      const command = [MAIN, ...args, '--data', server.directory];
      execFileSync(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
    },
    visitor: (options) => visitor(browser, base, options),
    arrives: (from, to, message) => arrives(server.ports.smtp, from, to, message),
    picture: (page, name) => picture(browser, page, name),
    async close() {
      await browser.close();
      await server.end('SIGTERM');
      await elsewhere.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function visitor(
  browser: Browser,
  baseURL: string,
  { phone = false, dark = false, state }: VisitorOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL,
    viewport: phone ? PHONE : WINDOW,
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    hasTouch: phone,
    isMobile: phone,
    ...(state !== undefined && { storageState: state }),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}

async function arrives(port: number, from: string, to: string, message: string): Promise<void> {
  const client = await lineClient(port);
  try {
    const body = message.trimEnd().replaceAll(/\r?\n/g, '\r\n').replaceAll(/^\./gm, '..');
    await client.talk(
      ['', '220'],
      ['EHLO mail.elsewhere.test\r\n', '250'],
      [`MAIL FROM:<${from}>\r\n`, '250'],
      [`RCPT TO:<${to}>\r\n`, '250'],
      ['DATA\r\n', '354'],
      [`${body}\r\n.\r\n`, '250'],
      ['QUIT\r\n', '221'],
    );
  } finally {
    client.close();
  }
}

/** Chromium itself turns its screenshot into webp: a tenth of the size, and nothing to install. */
async function picture(browser: Browser, page: Page, name: string): Promise<void> {
  await shot(page, name);
  if (PICTURES === undefined) return;
  // Notes that fade would be caught half way.
  await page.waitForTimeout(400);
  const png = (await page.screenshot({ animations: 'disabled', caret: 'hide' })).toString('base64');
  const blank = await browser.newPage();
  const webp = await blank.evaluate(
    async ({ data, quality }) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const canvas = document.createElement('canvas');
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext('2d')?.drawImage(image, 0, 0);
      return canvas.toDataURL('image/webp', quality).replace(/^.*,/, '');
    },
    { data: png, quality: QUALITY },
  );
  await blank.close();
  mkdirSync(PICTURES, { recursive: true });
  writeFileSync(join(PICTURES, `${name}.webp`), Buffer.from(webp, 'base64'));
}
