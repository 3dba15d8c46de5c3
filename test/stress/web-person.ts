import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium, errors as playwrightErrors, type Locator, type Page, type Request } from 'playwright-core';
import { pause } from './mailboxes.ts';
import type { Random } from './random.ts';

/** Somebody who reads mail in a browser, by mouse and keyboard, and what they see there. */

const CHROMIUM = process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium';
export const NO_BROWSER: string | false = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

/** Milliseconds that somebody tries for to hit what may be gone. */
const TRY_MS = 2000;
/** Milliseconds until the page must have done what was asked for. */
const PATIENCE_MS = 30_000;
/** Milliseconds without a request after which a page is at rest. */
const QUIET_MS = 400;
/** Requests that are named where a page does not come to rest. */
const TOLD_REQUESTS = 12;

export interface WebOptions {
  readonly base: string;
  readonly login: string;
  readonly password: string;
  /** Folders to work in, as the page calls them. */
  readonly folders: readonly string[];
  readonly random: Random;
  readonly count: (what: string) => void;
}

/** What a page shows of a folder: unread messages of each folder, rows in their order. */
export interface Look {
  readonly counts: Readonly<Record<string, number>>;
  readonly total: number;
  /** "M12 1 subject unread -": id, messages of the conversation, subject. */
  readonly rows: readonly string[];
}

export interface WebPerson {
  /** One thing that a person does. What fails because the message is gone by then is nobody's fault. */
  act(): Promise<void>;
  /** Close what is open, and wait until nothing is under way. */
  rest(): Promise<void>;
  /** Go to a folder; false where there is none of that name. */
  go(folder: string): Promise<boolean>;
  /** The folder that is shown. */
  here(): Promise<string>;
  look(): Promise<Look>;
  /** Errors of scripts, and failures that the page told. */
  readonly errors: string[];
  close(): Promise<void>;
}

export async function openWebPerson(options: WebOptions): Promise<WebPerson> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const context = await browser.newContext({
    baseURL: options.base,
    viewport: { width: 1400, height: 900 },
    locale: 'en-US',
  });
  const answer = await context.request.post(`${options.base}/auth/sign-in`, {
    headers: { 'X-Postern': '1' },
    data: { login: options.login, password: options.password },
  });
  assert.equal(answer.status(), 200, await answer.text());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error)));
  const quiet = watchRequests(page, errors);
  await page.goto('/mail');
  await page.locator('.mail-folder').first().waitFor({ timeout: PATIENCE_MS });
  return {
    errors,
    act: () => act(page, options),
    async rest() {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await quiet();
    },
    async go(folder) {
      const link = folderLink(page, folder);
      if ((await link.count()) === 0) return false;
      await link.click({ timeout: PATIENCE_MS });
      return true;
    },
    here: async () => (await page.locator('a.mail-folder[aria-current=page] .cut').innerText()).trim(),
    look: () => look(page),
    close: () => browser.close(),
  };
}

/** Resolves when no call to the server has been under way for a while. */
function watchRequests(page: Page, errors: string[]): () => Promise<void> {
  const open = new Set<Request>();
  let last = Date.now();
  /** What was asked for lately, newest last. */
  const lately: string[] = [];
  const isCall = (url: string): boolean => /\/(?:jmap\/api|account\/)/.test(url);
  page.on('request', (request) => {
    if (!isCall(request.url())) return;
    open.add(request);
    lately.push(`${new Date().toISOString().slice(14)} ${toldOf(request)}`);
    if (lately.length > TOLD_REQUESTS) lately.shift();
  });
  const over = (request: Request): void => {
    if (open.delete(request)) last = Date.now();
  };
  page.on('requestfinished', over);
  page.on('requestfailed', over);
  page.on('response', (response) => {
    if (response.status() >= 500) errors.push(`${response.status()} of ${response.url()}`);
  });
  return async () => {
    for (const late = Date.now() + PATIENCE_MS; Date.now() < late; await pause(50))
      if (open.size === 0 && Date.now() - last >= QUIET_MS) return;
    const waits = [...open].map(toldOf).join(', ') || 'nothing';
    errors.push(`the page does not come to rest; it waits for ${waits}, and asked for ${lately.join('; ')}`);
  };
}

function toldOf(request: Request): string {
  const methods = /"methodCalls"/.test(request.postData() ?? '') ? request.postData() : '';
  return `${request.method()} ${new URL(request.url()).pathname} ${methods?.slice(0, 300) ?? ''}`.trim();
}

function folderLink(page: Page, folder: string): Locator {
  return page.locator('a.mail-folder', {
    has: page.locator('.cut', { hasText: new RegExp(`^\\s*${folder}\\s*$`) }),
  });
}

type Deed = readonly [weight: number, name: string, run: (at: Place) => Promise<void>];

interface Place {
  readonly page: Page;
  readonly options: WebOptions;
  /** A row that is shown; a locator of nothing where there is none. */
  readonly row: Locator;
  readonly others: readonly Locator[];
}

const click = (part: Locator): Promise<void> => part.click({ timeout: TRY_MS });

async function key(at: Place, keys: string): Promise<void> {
  await at.row.locator('.mail-row-open').focus({ timeout: TRY_MS });
  await at.page.keyboard.press(keys);
}

const DEEDS: readonly Deed[] = [
  [5, 'go to a folder', ({ page, options }) => click(folderLink(page, options.random.pick(options.folders)))],
  [
    5,
    'read',
    async ({ page, row }) => {
      await click(row.locator('.mail-row-open'));
      await page.locator('.mail-thread h2').waitFor({ timeout: TRY_MS });
      await page.keyboard.press('u');
    },
  ],
  [6, 'star', ({ row }) => click(row.locator('.mail-star'))],
  [3, 'mark by the dot', ({ row }) => row.locator('.mail-row-dot').click({ timeout: TRY_MS, force: true })],
  [2, 'unread by key', (at) => key(at, 'Shift+u')],
  [2, 'archive', (at) => key(at, 'e')],
  [2, 'delete', remove],
  [4, 'move', move],
  [5, 'undo', ({ page }) => page.keyboard.press('z')],
  [2, 'several', several],
];

async function remove(at: Place): Promise<void> {
  await key(at, '#');
  if (!/\/(?:trash|junk)\b/.test(at.page.url())) return;
  await at.page
    .locator('dialog')
    .getByRole('button', { name: 'Delete', exact: true })
    .click({ timeout: TRY_MS });
}

async function move(at: Place): Promise<void> {
  const { page, options } = at;
  await key(at, 'v');
  const box = page.getByRole('combobox', { name: 'Name of the folder' });
  await box.fill(options.random.pick(options.folders), { timeout: TRY_MS });
  // Without a choice it would make a folder.
  if ((await page.locator('.mail-choice').count()) > 0) await page.keyboard.press('Enter');
  else await page.keyboard.press('Escape');
}

/** Mark some, then star, archive or move them together. */
async function several(at: Place): Promise<void> {
  for (const each of [at.row, ...at.others])
    await each.locator('input').click({ timeout: TRY_MS, force: true });
  await at.page.keyboard.press(at.options.random.pick(['s', 'Shift+i', 'e']));
}

async function act(page: Page, options: WebOptions): Promise<void> {
  const { random, count } = options;
  let left = random.below(DEEDS.reduce((sum, [weight]) => sum + weight, 0));
  const ids = (await page.evaluate(
    `[...document.querySelectorAll('[data-row]')].map((row) => row.getAttribute('data-row'))`,
  )) as string[];
  // Where there is nothing one can only go elsewhere.
  const chosen = ids.length === 0 ? undefined : DEEDS.find(([weight]) => (left -= weight) < 0);
  const [, name, run] = chosen ?? DEEDS[0] ?? [];
  const some = Array.from({ length: 3 }, () => ids[random.below(Math.max(1, ids.length))] ?? 'none');
  const [row, ...others] = some.map((id) => page.locator(`[data-row="${id}"]`));
  if (row === undefined || run === undefined) return;
  try {
    await run({ page, options, row, others });
    count(`web: ${name}`);
  } catch (error) {
    const missed =
      error instanceof playwrightErrors.TimeoutError ||
      /not visible|outside of the viewport/.test(String(error));
    if (!missed) throw error;
    count(`web: missed ${name}`);
    // Whatever stands open in between.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
  }
}

const LOOK = `(() => {
  const counts = {};
  for (const folder of document.querySelectorAll('.mail-folder-line > a.mail-folder')) {
    const number = folder.querySelector('.mail-count [aria-hidden]');
    counts[folder.querySelector('.cut').textContent.trim()] = Number(number?.textContent.replaceAll(',', '') ?? 0);
  }
  const rows = [...document.querySelectorAll('.mail-rows [role=listitem]')].map((row) => [
    Number(row.getAttribute('aria-posinset')),
    [
      row.getAttribute('data-row') ?? 'not here yet',
      Number(row.querySelector('.mail-row-count [aria-hidden]')?.textContent ?? 1),
      row.querySelector('.mail-row-subject')?.lastChild?.textContent ?? '',
      row.classList.contains('unread') ? 'unread' : 'read',
      row.querySelector('.mail-star')?.classList.contains('on') ? 'starred' : '-',
    ].join(' '),
  ]);
  const total = Number(document.querySelector('.mail-rows [role=listitem]')?.getAttribute('aria-setsize') ?? 0);
  return { counts, total, rows };
})()`;

/** All of the list, by scrolling through it. */
async function look(page: Page): Promise<Look> {
  const rows = new Map<number, string>();
  let counts: Record<string, number> = {};
  let total = 0;
  for (let screen = 0; ; screen++) {
    const more = (await page.evaluate(`(() => {
      const list = document.querySelector('.virtual-list');
      if (list === null) return false;
      list.scrollTop = ${screen} * list.clientHeight;
      return list.scrollTop + list.clientHeight < list.scrollHeight - 1;
    })()`)) as boolean;
    // Until what came into view is drawn.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const seen = (await page.evaluate(LOOK)) as {
      counts: Record<string, number>;
      total: number;
      rows: [number, string][];
    };
    ({ counts, total } = seen);
    for (const [at, text] of seen.rows) rows.set(at, text);
    if (!more || screen > 100) break;
  }
  delete counts['Drafts'];
  const sorted = Object.fromEntries(Object.entries(counts).toSorted());
  return {
    counts: sorted,
    total,
    rows: [...rows].toSorted(([a], [b]) => a - b).map(([, text]) => text),
  };
}
