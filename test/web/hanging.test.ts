import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { TEST_PASSWORD } from '../support/server.ts';
import { keptOnDevice } from './device.ts';
import { type Asked, type HangingProxy, type Mode, startHangingProxy } from './hanging-proxy.ts';
import { message } from './mail-messages.ts';
import {
  ADMIN,
  assertAccessible,
  eventually,
  NO_LONG_BROWSER,
  shot,
  startWebWorld,
  USER,
  type WebPage,
  type WebWorld,
} from './support.ts';

/** A server that takes requests and is silent, or breaks off: nothing is lost, nothing is done twice, and people are told. */

const row = (page: Page, subject: string) => page.locator('.mail-row', { hasText: subject });
const toast = (page: Page, text: string | RegExp) => page.locator('.toast', { hasText: text }).first();
const slow = (page: Page) => toast(page, 'The server takes long to answer.');
/** Milliseconds after which a request without a sign of life is given up, and some. */
const SILENCE = 21_000;

describe('a server that hangs', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  let proxy: HangingProxy;
  before(async () => {
    world = await startWebWorld();
    proxy = await startHangingProxy(world.server.ports.http ?? 0);
  });
  beforeEach(() => {
    proxy.rule = () => 'pass';
  });
  after(async () => {
    await proxy?.close();
    await world?.close();
  });

  /** The page behind the bad line, with a clock of its own: nobody waits for the minutes that are waited for here. */
  const open = async (path = '/mail'): Promise<WebPage> => {
    const web = await world.open({ base: proxy.base });
    await web.page.clock.install();
    await web.page.goto(path);
    return web;
  };
  /** Let time pass in the page until it shows this. */
  const passes = (page: Page, shown: () => Promise<unknown>, step = 1000): Promise<void> =>
    eventually(async () => {
      await page.clock.runFor(step);
      await shown();
    });
  const seen = async (what: Locator): Promise<void> => assert.ok(await what.isVisible(), 'it is not seen');
  const visible = (page: Page, text: string) => (): Promise<void> => seen(toast(page, text));
  /** Requests with such words in them meet this; the first so many, or all. */
  const bad = (words: RegExp, mode: Mode, count = Number.POSITIVE_INFINITY): void => {
    let left = count;
    proxy.rule = ({ target, body }: Asked) => (words.test(`${target} ${body}`) && left-- > 0 ? mode : 'pass');
  };
  const roles = async (who = USER): Promise<Record<string, string>> => {
    const { list } = await (await world.jmap(who)).call('Mailbox/get', { ids: null });
    return Object.fromEntries(
      (list as { id: string; role: string | null }[]).map(({ id, role }) => [id, role ?? 'other']),
    );
  };
  /** Where an email is, and its keywords. */
  const truth = async (id: string | undefined): Promise<{ in: string[]; keywords: string[] } | undefined> => {
    const { list } = await (await world.jmap()).call('Email/get', {
      ids: [id],
      properties: ['mailboxIds', 'keywords'],
    });
    const [email] = list as { mailboxIds: object; keywords: object }[];
    const names = await roles();
    return (
      email && {
        in: Object.keys(email.mailboxIds).map((each) => names[each] ?? each),
        keywords: Object.keys(email.keywords).toSorted(),
      }
    );
  };
  const countOf = async (subject: string, role: string, who = USER): Promise<number> => {
    const inMailbox = Object.entries(await roles(who)).find(([, each]) => each === role)?.[0];
    if (inMailbox === undefined) return 0;
    const { ids } = await (await world.jmap(who)).call('Email/query', { filter: { inMailbox, subject } });
    return (ids as string[]).length;
  };
  /** The page knows that the server answers again. */
  const back = (page: Page): Promise<void> =>
    passes(page, async () => assert.equal(await page.locator('.badge.warning').count(), 0));

  it('says that it waits, and asks again when it is told to', async () => {
    await world.deposit([message({ subject: 'In the drawer' })], { mailbox: 'junk' });
    await using web = await open();
    const { page } = web;
    await page.locator('.mail-folder', { hasText: 'Junk' }).waitFor();
    bad(/Email\/query/, 'swallow');
    await page.locator('.mail-folder', { hasText: 'Junk' }).click();
    await eventually(() => assert.ok(proxy.met.length > 0));
    await page.clock.runFor(7000);
    await slow(page).waitFor();
    await assertAccessible(page);
    await shot(page, 'hanging');
    proxy.rule = () => 'pass';
    await slow(page).getByRole('button', { name: 'Try again' }).click();
    await row(page, 'In the drawer').waitFor();
    await slow(page).waitFor({ state: 'detached' });
    assert.deepEqual(web.errors, []);
  });

  it('asks again by itself what it only reads', async () => {
    await world.deposit(
      ['Read at last', 'Broken off'].map((subject) => message({ subject, text: `This is ${subject}.\n` })),
    );
    await using web = await open();
    const { page } = web;
    await row(page, 'Read at last').waitFor();
    for (const [subject, mode] of [
      ['Read at last', 'swallow'],
      ['Broken off', 'cut'],
    ] as const) {
      bad(/bodyValues/, mode, 1);
      const before = proxy.met.length;
      await row(page, subject).locator('.mail-row-open').click();
      await eventually(() => assert.ok(proxy.met.length > before));
      if (mode === 'swallow') await page.clock.runFor(SILENCE);
      await page.locator('.mail-text', { hasText: `This is ${subject}.` }).waitFor();
    }
  });

  it('does everything else while the pictures of a message hang', async () => {
    const tags = Array.from({ length: 30 }, (_, n) => `<img src="https://p${n}.example.org/a.png">`);
    await world.deposit([message({ subject: 'Many pictures', html: `<p>Look</p>${tags.join('')}` })]);
    bad(/account\/v1\/image/, 'swallow');
    // On the clock of this machine: the worker that asks for pictures has no other.
    await using web = await world.open({ base: proxy.base, path: '/mail' });
    const { page } = web;
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await row(page, 'Many pictures').locator('.mail-row-open').click();
    const before = proxy.met.length;
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await eventually(() => assert.ok(proxy.met.length > before));
    assert.equal(await page.evaluate(async () => (await fetch('/auth/me')).status), 200);
    assert.ok(proxy.met.length - before <= 3, 'the others wait');
    await page.locator('.mail-folder', { hasText: 'Trash' }).click();
    await row(page, 'Many pictures').waitFor({ state: 'detached' });
  });

  it('begins with what this device kept', async () => {
    await world.deposit([message({ subject: 'Known before' })]);
    await using web = await open();
    const { page } = web;
    await row(page, 'Known before').waitFor();
    await keptOnDevice(page, ['postern-mail', 'entries'], 'Known before');
    bad(/\/(?:auth|jmap|account)\//, 'swallow');
    await page.reload();
    await passes(page, () => seen(row(page, 'Known before')));
    await passes(page, () => seen(slow(page)));
    proxy.rule = () => 'pass';
    await world.deposit([message({ subject: 'Come meanwhile' })]);
    await passes(page, () => seen(row(page, 'Come meanwhile')));
    await back(page);
    await passes(page, async () => assert.equal(await slow(page).count(), 0));
  });

  for (const mode of ['swallow', 'deaf', 'cut'] as const)
    it(`loses no change of mail and makes none twice: ${mode}`, async () => {
      const [archived, starred] = await world.deposit([
        message({ subject: `Away ${mode}` }),
        message({ subject: `Star ${mode}` }),
      ]);
      await using web = await open();
      const { page } = web;
      await row(page, `Star ${mode}`).waitFor();
      bad(/"update"/, mode);
      await row(page, `Away ${mode}`).locator('.mail-row-open').focus();
      await page.keyboard.press('e');
      await row(page, `Away ${mode}`).waitFor({ state: 'detached' });
      await row(page, `Star ${mode}`).locator('.mail-star').click();
      await row(page, `Star ${mode}`).locator('.mail-star.on').waitFor();
      await passes(page, visible(page, 'when you are online again'));
      proxy.rule = () => 'pass';
      await passes(page, async () => {
        assert.deepEqual((await truth(archived))?.in, ['archive']);
        assert.deepEqual((await truth(starred))?.keywords, ['$flagged']);
      });
      await back(page);
      await row(page, `Star ${mode}`).locator('.mail-star.on').waitFor();
      await row(page, `Away ${mode}`).waitFor({ state: 'detached' });
      assert.equal(await toast(page, 'could not be kept').count(), 0);
      await page.reload();
      await row(page, `Star ${mode}`).locator('.mail-star.on').waitFor();
      assert.equal(await row(page, `Away ${mode}`).count(), 0);
    });

  it('the last wish is the last, also when the first one hangs', async () => {
    const [id] = await world.deposit([message({ subject: 'On and off' })]);
    await using web = await open();
    const { page } = web;
    await row(page, 'On and off').waitFor();
    bad(/"keywords\/\$flagged":true/, 'swallow', 1);
    const star = row(page, 'On and off').locator('.mail-star');
    await star.click();
    await row(page, 'On and off').locator('.mail-star.on').waitFor();
    await star.click();
    await row(page, 'On and off').locator('.mail-star:not(.on)').waitFor();
    // Both are done when nothing waits on the device any more.
    await passes(page, visible(page, 'when you are online again'));
    await back(page);
    await passes(page, async () => {
      const left = await page.evaluate(async () => {
        const done = <T>(request: IDBRequest<T>): Promise<T> =>
          new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
        const db = await done(indexedDB.open('postern-changes', 1));
        const count = await done(db.transaction('changes').objectStore('changes').count());
        db.close();
        return count;
      });
      assert.equal(left, 0);
    });
    assert.deepEqual((await truth(id))?.keywords, []);
    await row(page, 'On and off').locator('.mail-star:not(.on)').waitFor();
  });

  for (const mode of ['swallow', 'deaf', 'cut', 'hold'] as const)
    it(`sends a message once: ${mode}`, async () => {
      const subject = `Once ${mode}`;
      await using web = await open('/mail?compose');
      const { page } = web;
      await page.getByRole('combobox', { name: 'To' }).fill(`${ADMIN},`);
      await page.getByLabel('Subject').fill(subject);
      await page.getByRole('textbox', { name: 'Message', exact: true }).click();
      await page.keyboard.type('Only once.');
      await passes(page, () => seen(page.getByText(/^Saved/)));
      bad(/EmailSubmission\/set/, mode, 1);
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await passes(page, visible(page, 'The message waits on this device'));
      await passes(page, visible(page, '1 message that waited was sent'));
      // What was held up on the way arrives after all.
      proxy.release();
      await eventually(async () => assert.equal(await countOf(subject, 'inbox', ADMIN), 1));
      await world.deposit([message({ subject: `After ${subject}` })]);
      await page.reload();
      await row(page, `After ${subject}`).waitFor();
      assert.deepEqual(
        [
          await countOf(subject, 'inbox', ADMIN),
          await countOf(subject, 'sent'),
          await countOf(subject, 'drafts'),
        ],
        [1, 1, 0],
      );
    });

  it('keeps one draft of what is written meanwhile', async () => {
    await using web = await open('/mail?compose');
    const { page } = web;
    await page.getByLabel('Subject').fill('Patience');
    await passes(page, () => seen(page.getByText(/^Saved/)));
    bad(/"create":\{"draft"/, 'deaf');
    await page.getByRole('textbox', { name: 'Message', exact: true }).click();
    await page.keyboard.type('Word by word.');
    await passes(page, () => seen(page.getByText('Offline', { exact: true }).last()));
    await page.keyboard.type(' And more.');
    await keptOnDevice(page, ['postern-compose', 'drafts'], 'And more.');
    // Nothing of that is in the page alone.
    await page.reload();
    await page.clock.runFor(2000);
    const text = page.getByRole('textbox', { name: 'Message', exact: true });
    await text.getByText('Word by word. And more.').waitFor();
    proxy.rule = () => 'pass';
    await passes(page, () => seen(page.getByText(/^Saved/)));
    await page.getByRole('button', { name: 'Save and close' }).click();
    await text.waitFor({ state: 'detached' });
    assert.equal(await countOf('Patience', 'drafts'), 1);
  });

  it('what waits here outlives the session, and is asked about before somebody signs out', async () => {
    const [id] = await world.deposit([message({ subject: 'Outlives it' })]);
    await using web = await open();
    const { page, context } = web;
    await row(page, 'Outlives it').waitFor();
    await context.setOffline(true);
    await row(page, 'Outlives it').locator('.mail-star').click();
    await keptOnDevice(page, ['postern-changes', 'changes'], id ?? '-');
    await page.locator('.top-account').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByText('A change of mail has not reached the server yet.').waitFor();
    await page.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
    await context.clearCookies();
    await context.setOffline(false);
    const password = page.getByLabel('Password', { exact: true });
    await passes(page, () => seen(password));
    await page.getByLabel('Email address').or(page.getByLabel('Address')).first().fill(USER);
    await password.fill(TEST_PASSWORD);
    await page.keyboard.press('Enter');
    await passes(page, async () => assert.deepEqual((await truth(id))?.keywords, ['$flagged']));
  });

  it('what others did later is not undone by what waited here, which is said', async () => {
    const [merged, moved, gone, moved2] = await world.deposit(
      ['Merged', 'Moved elsewhere', 'Gone elsewhere', 'Stays and goes'].map((subject) =>
        message({ subject }),
      ),
    );
    await using web = await open();
    const { page, context } = web;
    await row(page, 'Merged').waitFor();
    await context.setOffline(true);
    await row(page, 'Merged').locator('.mail-star').click();
    for (const subject of ['Moved elsewhere', 'Gone elsewhere', 'Stays and goes']) {
      await row(page, subject).locator('.mail-row-open').focus();
      await page.keyboard.press('#');
      await row(page, subject).waitFor({ state: 'detached' });
    }
    await keptOnDevice(page, ['postern-changes', 'changes'], moved2 ?? '-');
    // Meanwhile, on another device.
    const jmap = await world.jmap();
    const boxes = Object.fromEntries(Object.entries(await roles()).map(([id, role]) => [role, id]));
    await jmap.call('Email/set', {
      update: {
        [merged ?? '']: { 'keywords/$seen': true },
        [moved ?? '']: { mailboxIds: { [boxes['junk'] ?? '']: true } },
        [moved2 ?? '']: { 'keywords/$seen': true },
      },
      destroy: [gone],
    });
    await context.setOffline(false);
    await passes(page, visible(page, 'could not be kept'));
    await shot(page, 'changes-dropped');
    await passes(page, async () => assert.deepEqual((await truth(moved2))?.in, ['trash']));
    assert.deepEqual(await truth(merged), { in: ['inbox'], keywords: ['$flagged', '$seen'] });
    assert.deepEqual((await truth(moved))?.in, ['junk']);
    assert.equal(await truth(gone), undefined);
    await page.locator('.mail-folder', { hasText: 'Junk' }).click();
    await row(page, 'Moved elsewhere').waitFor();
    await page.locator('.mail-folder', { hasText: 'Trash' }).click();
    await row(page, 'Stays and goes').waitFor();
    assert.equal(await row(page, 'Gone elsewhere').count(), 0);
  });
});
