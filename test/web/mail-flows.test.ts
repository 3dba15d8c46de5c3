import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { systemClock } from '../../src/base/clock.ts';
import { parseRights } from '../../src/data/sharing/rights.ts';
import { inlineBlob, parsedContent } from '../../src/flow/intake.ts';
import { scanMessage } from '../../src/mail/message/scanner.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { skipWithoutCorpus, corpusMessages } from '../support/corpus.ts';
import { startDnsServer, type TestDnsServer } from '../support/dns-server.ts';
import { jmapClient } from '../jmap/client.ts';
import { startTestServer, testActor } from '../support/server.ts';
import { keptOnDevice } from './device.ts';
import { lmtp } from './lmtp.ts';
import { message } from './mail-messages.ts';
import {
  ADMIN,
  assertAccessible,
  eventually,
  NO_LONG_BROWSER,
  PATIENCE_MS,
  PHONE,
  shot,
  startWebWorld,
  USER,
  type WebWorld,
} from './support.ts';

/** What people do with mail beyond reading it, in the browser, with other hosts there where some are needed. */

const row = (page: Page, subject: string) => page.locator('.mail-row', { hasText: subject });
const openRow = (page: Page, subject: string) => row(page, subject).locator('.mail-row-open').click();
const toast = (page: Page, text: string | RegExp) => page.locator('.toast', { hasText: text }).first();

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFElEQVR42mNkYPhfz8DAwMDEAAUAGAgBgWxvFqMAAAAASUVORK5CYII=',
  'base64',
);
const ICS = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//Else//EN',
  'METHOD:REQUEST',
  'BEGIN:VEVENT',
  'UID:meeting-1@else.test',
  'DTSTAMP:20300101T080000Z',
  'DTSTART:20300102T090000Z',
  'DTEND:20300102T100000Z',
  'SUMMARY:Budget review',
  `LOCATION:Room 4\\, https://meet.else.test/${'endless'.repeat(12)}`,
  'DESCRIPTION:Bring the numbers of https://numbers.else.test/',
  'ORGANIZER;CN=Ann Smith:mailto:ann@else.test',
  'ATTENDEE;CN=Bob;RSVP=TRUE:mailto:bob@example.test',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n');

/** What one of the hosts outside was asked. */
interface Asked {
  readonly target: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

describe('mail flows in the browser', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  let dns: TestDnsServer;
  let asked: Asked[] = [];
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method, url, headers } = request;
      asked.push({ target: `${method} ${url}`, body: Buffer.concat(parts).toString(), headers });
      response.writeHead(200, { 'content-type': 'image/png', 'set-cookie': 'spy=1' }).end(PNG);
    });
  };
  const pair = createSelfSigned({
    commonName: 'list.test',
    names: ['list.test'],
    notBefore: Date.now() - 86_400_000,
    notAfter: Date.now() + 86_400_000,
  });
  const secure = createTls({ cert: pair.cert, key: pair.key }, take);
  const plain = createPlain(take);
  const portOf = (server: typeof plain | typeof secure): number => (server.address() as AddressInfo).port;

  before(async () => {
    for (const server of [secure, plain])
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    dns = await startDnsServer({
      'list.test': { A: ['127.0.0.1'] },
      'pics.test': { A: ['127.0.0.1'] },
    });
    world = await startWebWorld({
      dns: createResolver({
        servers: [{ address: dns.address, port: dns.port, trusted: false }],
        clock: systemClock,
      }),
      accountFetch: { allow: (address) => address === '127.0.0.1', allowPort: () => true, ca: pair.cert },
    });
    await world.deposit([
      ...Array.from({ length: 9 }, (_, i) => message({ subject: `Number ${i + 1}` })),
      message({
        subject: 'A picture from afar',
        html: `<p>See <img src="http://pics.test:${portOf(plain)}/a.png?who=bob" width=100 height=50></p>`,
      }),
      message({ subject: 'Quarterly zebra report', from: 'Zoe <zoe@zoo.test>', text: 'stripes\n' }),
    ]);
  });
  after(async () => {
    await world?.close();
    await dns?.close();
    for (const server of [secure, plain]) server.close();
  });

  /** A message that came from elsewhere, with what our server found out about it. */
  const arrived = async (octets: Buffer, results: string): Promise<void> => {
    const structure = scanMessage(octets);
    const { id } = await world.server.account(USER);
    const { deposits } = await world.server.store.write.run('delivery.accept', {
      blob: inlineBlob(octets),
      content: parsedContent(structure, octets),
      deposits: [
        {
          accountId: id,
          mailbox: { name: 'INBOX' },
          prefix: Buffer.from(`Authentication-Results: mx.example.test;\r\n\t${results}\r\n`),
          hidden: [],
          set: { flags: 0, keywords: [] },
          receivedAt: Date.now(),
          trace: undefined,
          ignoreQuota: false,
        },
      ],
      overQuota: 'junk',
      queue: [],
      events: [],
    });
    assert.equal(deposits[0]?.status, 'stored');
  };
  const names = async (role: string): Promise<string[]> => {
    const jmap = await world.jmap();
    const { list } = await jmap.call('Mailbox/get', { ids: null });
    const inMailbox = (list as { id: string; role: string }[]).find((each) => each.role === role)?.id;
    if (inMailbox === undefined) return [];
    const { ids } = await jmap.call('Email/query', { filter: { inMailbox } });
    const got = await jmap.call('Email/get', { ids, properties: ['subject'] });
    return (got['list'] as { subject: string }[]).map(({ subject }) => subject);
  };

  const starred = async (subject: string): Promise<boolean> => {
    const jmap = await world.jmap();
    const { ids } = await jmap.call('Email/query', { filter: { hasKeyword: '$flagged' } });
    const got = await jmap.call('Email/get', { ids, properties: ['subject'] });
    return (got['list'] as { subject: string }[]).some((each) => each.subject === subject);
  };

  it('leaves a list with one click, which asks the list for nothing more', async () => {
    const signature = Buffer.alloc(64, 7).toString('base64');
    await arrived(
      Buffer.from(
        [
          `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=list.test; s=sel; h=from:list-unsubscribe:list-unsubscribe-post; bh=${Buffer.alloc(32).toString('base64')}; b=${signature}`,
          'From: Weekly News <news@list.test>',
          'To: bob@example.test',
          'Subject: This week',
          `List-Unsubscribe: <https://list.test:${portOf(secure)}/leave?id=1>`,
          'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
          '',
          'News.',
          '',
        ].join('\r\n'),
      ),
      `dkim=pass header.d=list.test header.s=sel header.b=${signature.slice(0, 8)}`,
    );
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    asked = [];
    await openRow(page, 'This week');
    await page.getByRole('button', { name: 'Unsubscribe' }).click();
    await assertAccessible(page);
    await page.locator('dialog').getByRole('button', { name: 'Unsubscribe' }).click();
    await toast(page, 'You are unsubscribed.').waitFor();
    assert.deepEqual(
      asked.map(({ target, body, headers }: Asked) => [target, body, headers.cookie, headers.referer]),
      [['POST /leave?id=1', 'List-Unsubscribe=One-Click', undefined, undefined]],
    );
    await eventually(async () =>
      assert.equal(await page.getByRole('button', { name: 'Unsubscribe' }).count(), 0),
    );
    assert.deepEqual(web.errors, []);
  });

  it('fetches remote pictures when asked, by the server, which tells nothing of the reader', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    asked = [];
    await openRow(page, 'A picture from afar');
    await page.getByText('1 remote image is not shown').waitFor();
    assert.deepEqual(asked, []);
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.waitForFunction(
      'document.querySelector(".mail-frame").contentDocument.querySelector("img").naturalWidth === 2',
    );
    assert.deepEqual(
      asked.map(({ target, headers }: Asked) => [
        target,
        headers.cookie,
        headers.referer,
        /Mozilla|Chrome/.test(headers['user-agent'] ?? ''),
        headers['accept-language'],
      ]),
      [['GET /a.png?who=bob', undefined, undefined, false, undefined]],
    );
    assert.deepEqual(web.errors, []);
  });

  it('shows an invitation, and answers it', async () => {
    await world.deposit([
      `From: Ann Smith <ann@else.test>\nTo: bob@example.test\nSubject: Invitation: Budget\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nYou are invited.\n--b\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\n${ICS}\n--b--\n`,
    ]);
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await openRow(page, 'Invitation: Budget');
    const event = page.getByRole('region', { name: 'Invitation' });
    await event.getByText('Budget review').waitFor();
    assert.match(await event.innerText(), /January 2, 2030[\s\S]*Room 4[\s\S]*Invited by Ann Smith/);
    await assertAccessible(page);
    await shot(page, 'flow-invitation');
    assert.equal(await event.getByRole('link').getAttribute('target'), '_blank');
    await event.getByText('More', { exact: true }).click();
    await event.getByRole('link', { name: 'https://numbers.else.test/' }).waitFor();
    // A long address does not make it wider than a phone.
    await page.setViewportSize({ width: 360, height: 740 });
    await eventually(async () =>
      assert.deepEqual(
        await event.evaluate((each) =>
          [...each.querySelectorAll('*')].filter((part) => part.getBoundingClientRect().right > 360),
        ),
        [],
      ),
    );
    await event.getByRole('button', { name: 'Accept' }).click();
    await page.locator('.compose-window').getByText('reply.ics').waitFor();
    assert.equal(await page.getByLabel('Subject').inputValue(), 'Accepted: Budget review');
    await page.getByText('ann@else.test').last().waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
    assert.deepEqual(web.errors, []);
  });

  it('moves what is dragged onto a folder', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    const archive = page.locator('.mail-folder', { hasText: 'Archive' });
    if ((await archive.count()) === 0) {
      await row(page, 'Number 9').locator('.mail-row-open').focus();
      await page.keyboard.press('e');
      await archive.waitFor();
      // Rows that move up would be missed by a mouse that aims at them.
      await row(page, 'Number 9').waitFor({ state: 'detached' });
    }
    await row(page, 'Number 1').locator('input').click({ force: true });
    await row(page, 'Number 2').locator('input').click({ force: true });
    await row(page, 'Number 1').locator('.mail-row-subject').dragTo(archive);
    await toast(page, '2 conversations moved to Archive').waitFor();
    await row(page, 'Number 1').waitFor({ state: 'detached' });
    const there = await names('archive');
    assert.ok(there.includes('Number 1') && there.includes('Number 2'), there.join());
    assert.deepEqual(web.errors, []);
  });

  it('swipes with a finger: one way reads, the other archives, a little does nothing', async () => {
    await using web = await world.open({ path: '/mail', viewport: PHONE, touch: true });
    const { page, context } = web;
    await row(page, 'Number 8').waitFor();
    const touch = await context.newCDPSession(page);
    const swipe = async (subject: string, by: number): Promise<void> => {
      const box = await row(page, subject).boundingBox();
      assert.ok(box !== null);
      const y = box.y + box.height / 2;
      const x = box.x + box.width / 2;
      const at = (type: 'touchStart' | 'touchMove' | 'touchEnd', to?: number) =>
        touch.send('Input.dispatchTouchEvent', { type, touchPoints: to === undefined ? [] : [{ x: to, y }] });
      await at('touchStart', x);
      for (let step = 1; step <= 5; step++) await at('touchMove', x + (by * step) / 5);
      if (by === 150) await shot(page, 'flow-swipe');
      await at('touchEnd');
    };
    await swipe('Number 8', 40);
    await swipe('Number 8', 150);
    await page.locator('.mail-row:not(.unread)', { hasText: 'Number 8' }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/mail');
    await swipe('Number 8', -150);
    await toast(page, 'Archived').waitFor();
    await row(page, 'Number 8').waitFor({ state: 'detached' });
    await toast(page, 'Archived').getByRole('button', { name: 'Undo' }).click();
    await row(page, 'Number 8').waitFor();
    assert.deepEqual(web.errors, []);
  });

  it('prints a message with its head, and nothing of the page around it', async () => {
    await world.deposit([message({ subject: 'Print HTML', html: '<p>A <b>bold</b> word' })]);
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    const print = async (): Promise<void> => {
      await page.getByRole('button', { name: 'More for this message' }).click();
      await page.getByRole('menuitem', { name: 'Print' }).click();
    };
    await openRow(page, 'Number 4');
    await page.locator('.mail-text').waitFor();
    await page.evaluate(() => {
      window.print = () => {
        const sheet = document.querySelector<HTMLElement>('.mail-print');
        const { display } = getComputedStyle(document.querySelector('#app') ?? document.body);
        Object.assign(window, { printed: [sheet?.innerText, display] });
      };
    });
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => {
      document.querySelector<HTMLElement>('[aria-label="More for this message"]')?.click();
    });
    await page.evaluate(() => {
      const items = [...document.querySelectorAll<HTMLElement>('[role=menuitem]')];
      items.find((each) => each.textContent?.includes('Print'))?.click();
    });
    await page.waitForFunction('"printed" in window');
    const [sheet, around] = (await page.evaluate('window.printed')) as [string, string];
    assert.match(sheet, /Number 4[\s\S]*Ann Smith <ann@else\.test>[\s\S]*this is a message/);
    assert.equal(around, 'none');
    await page.locator('.mail-print').waitFor({ state: 'detached' });
    await page.emulateMedia({ media: 'screen' });
    await openRow(page, 'Print HTML');
    await page.frameLocator('.mail-frame').getByText('bold').waitFor();
    // The browser itself is asked: a frame that may open nothing would print nothing.
    await page.evaluate(() => {
      const frame = document.querySelector<HTMLIFrameElement>('.mail-frame');
      frame?.contentWindow?.addEventListener('beforeprint', () =>
        Object.assign(window, { printed: frame.contentDocument?.body.innerText }),
      );
    });
    await print();
    await page.waitForFunction(() => 'printed' in window && String(window.printed).includes('bold'));
    assert.match(String(await page.evaluate('window.printed')), /Print HTML[\s\S]*A bold word/);
    assert.deepEqual(web.errors, []);
  });

  it('shows what others share as far as they let us', async () => {
    await world.server.store.write.run('sharing.setRights', {
      actor: testActor,
      account: ADMIN,
      mailbox: 'INBOX',
      identifier: USER,
      rights: parseRights('lr') ?? 0,
      mode: 'replace',
    });
    await world.deposit([message({ subject: 'For the team', to: ADMIN })], { account: ADMIN });
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await page.locator('.mail-shared').getByRole('link', { name: /Inbox/ }).click();
    await openRow(page, 'For the team');
    await page.locator('.mail-text').waitFor();
    // Nothing is offered that would be refused, and nothing was tried.
    const bar = page.locator('.mail-thread-bar');
    assert.equal(await bar.getByRole('button', { name: 'Delete' }).count(), 0);
    assert.equal(await bar.getByRole('button', { name: 'Archive' }).count(), 0);
    assert.equal(await page.locator('.toast').count(), 0);
    await assertAccessible(page);
    await shot(page, 'flow-shared');
    await page.locator('.mail-folder', { hasText: 'Inbox' }).first().click();
    await row(page, 'Number 5').waitFor();
    assert.deepEqual(web.errors, []);
  });

  it('suggests operators, people and searches of before, and finds with several at once', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    const box = page.getByRole('combobox', { name: 'Search mail' });
    await box.fill('fr');
    await page.getByRole('option', { name: 'from:' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await eventually(async () => assert.equal(await box.inputValue(), 'from:'));
    await box.pressSequentially('zoe is:unread subject:"zebra report" larger:10');
    await assertAccessible(page);
    await box.press('Enter');
    await page.getByText('1 found.', { exact: true }).waitFor();
    await row(page, 'Quarterly zebra report').waitFor();
    await box.fill('from:zoe -zebra');
    await box.press('Enter');
    await page.getByText('Nothing was found').first().waitFor();
    await shot(page, 'flow-nothing-found');
    await box.fill('');
    await page.getByRole('option', { name: 'from:zoe -zebra' }).waitFor();
    await page.keyboard.press('Escape');
    assert.deepEqual(web.errors, []);
  });

  it('opens a message by its address, before and after signing in', async () => {
    const jmap = await world.jmap();
    const { ids } = await jmap.call('Email/query', { filter: { subject: 'Number 6' } });
    const { list } = await jmap.call('Email/get', { ids, properties: ['threadId'] });
    const path = `/mail/inbox/${(list as { threadId: string }[])[0]?.threadId}`;
    await using web = await world.open({ path, as: undefined });
    const { page } = web;
    await page.getByLabel('Email address').or(page.getByLabel('Address')).first().fill(USER);
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.keyboard.press('Enter');
    await page.locator('.mail-thread h2', { hasText: 'Number 6' }).waitFor();
    assert.equal(new URL(page.url()).pathname, path);
    await page.reload();
    await page.locator('.mail-thread h2', { hasText: 'Number 6' }).waitFor();
    await page.goto('/mail/inbox/Tnothing');
    await page.getByText('not there any more').first().waitFor();
  });

  it('keeps what was being written when the session ends in the middle of it', async () => {
    await using web = await world.open({ path: '/mail?compose' });
    const { page, context } = web;
    await page.getByLabel('Subject').fill('Never lost');
    await page.getByText(/^Saved/).waitFor();
    // The server is not told of these words before the session is over; from then on the page may leave at any moment.
    let over = false;
    await page.route('**/jmap/api', async (route) => {
      if (!over && route.request().postData()?.includes('Every word') === true) await route.abort();
      else await route.continue();
    });
    await page.getByRole('textbox', { name: 'Message', exact: true }).click();
    await page.keyboard.type('Every word of it.');
    await keptOnDevice(page, ['postern-compose', 'drafts'], 'Every word of it.');
    await context.clearCookies();
    over = true;
    // Whatever asks first, the page that listens in the background or this question of ours.
    await row(page, 'Number 5')
      .locator('.mail-row-open')
      .click({ timeout: 3000 })
      .catch(() => undefined);
    await page.getByLabel('Password', { exact: true }).waitFor();
    // Also when the page is loaded anew before signing in.
    await page.reload();
    await page.getByLabel('Password', { exact: true }).waitFor();
    await eventually(async () =>
      assert.deepEqual(
        (await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).filter(
          (name) => name?.startsWith('postern') === true && name !== 'postern-worker',
        ),
        ['postern-compose'],
      ),
    );
    await page.getByLabel('Email address').or(page.getByLabel('Address')).first().fill(USER);
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.keyboard.press('Enter');
    const text = page.getByRole('textbox', { name: 'Message', exact: true });
    await text.getByText('Every word of it.').waitFor();
    assert.equal(await page.getByLabel('Subject').inputValue(), 'Never lost');
    await page.getByRole('button', { name: 'Save and close' }).click();
    await text.waitFor({ state: 'detached' });
    assert.deepEqual(
      (await names('drafts')).filter((subject) => subject === 'Never lost'),
      ['Never lost'],
    );
  });

  it('is worked by keys: move, open, go back, mark, delete, answer', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Number 5').waitFor();
    const at = () => page.locator('.mail-row.at .mail-row-subject').innerText();
    await page.keyboard.press('j');
    const first = await at();
    await page.keyboard.press('j');
    await eventually(async () => assert.notEqual(await at(), first));
    const second = await at();
    await page.keyboard.press('k');
    await eventually(async () => assert.equal(await at(), first));
    await page.keyboard.press('Enter');
    await page.locator('.mail-thread h2', { hasText: first }).waitFor();
    await page.keyboard.press('Shift+u');
    await page.locator('.mail-row.unread', { hasText: first }).waitFor();
    await page.keyboard.press('u');
    await page.locator('.mail-thread h2').waitFor({ state: 'detached' });
    await page.keyboard.press('s');
    await row(page, first).locator('.mail-star.on').waitFor();
    await page.keyboard.press('s');
    await row(page, first).locator('.mail-star:not(.on)').waitFor();
    // A wish that is slow on its way is not overtaken by the next.
    const wishes: string[] = [];
    page.on('response', (answer) => {
      const wish = /"keywords\/\$flagged":(\w+)/.exec(answer.request().postData() ?? '')?.[1];
      if (wish !== undefined) wishes.push(wish);
    });
    // What a browser waits for when the line is slow, and then when it is dead.
    let held: Promise<unknown> = new Promise((done) => setTimeout(done, 700));
    await page.route('**/jmap/api', async (route) => {
      if ((route.request().postData() ?? '').includes('"keywords/$flagged":true')) await held;
      await route.continue().catch(() => undefined);
    });
    await page.keyboard.press('s');
    await row(page, first).locator('.mail-star.on').waitFor();
    await page.keyboard.press('s');
    await eventually(async () => assert.deepEqual(wishes.slice(-2), ['true', 'null']));
    // None is lost where the page is left meanwhile: neither what does not arrive, nor what waits for it.
    held = new Promise(() => undefined);
    await page.keyboard.press('s');
    await row(page, first).locator('.mail-star.on').waitFor();
    await page.keyboard.press('s');
    await row(page, first).locator('.mail-star:not(.on)').waitFor();
    await page.keyboard.press('s');
    await row(page, first).locator('.mail-star.on').waitFor();
    await page.reload();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await eventually(async () => assert.equal(await starred(first), true));
    await row(page, first).locator('.mail-star.on').waitFor();
    await page.keyboard.press('j');
    await eventually(async () => assert.equal(await at(), first));
    await page.keyboard.press('s');
    await eventually(async () => assert.equal(await starred(first), false));
    await row(page, first).locator('.mail-star:not(.on)').waitFor();
    await page.keyboard.press('#');
    await toast(page, 'Moved to the trash').waitFor();
    await row(page, first).waitFor({ state: 'detached' });
    // The next one is where the keys are now.
    await eventually(async () => assert.equal(await at(), second));
    // What can be taken back can be taken back from within a dialog, too.
    await page.keyboard.press('?');
    await page.locator('dialog', { hasText: 'Keyboard shortcuts' }).waitFor();
    await toast(page, 'Moved to the trash').getByRole('button', { name: 'Undo' }).click();
    await toast(page, 'Undone').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.locator('body > div > .toasts').waitFor({ state: 'attached' });
    await row(page, first).waitFor();
    await page.keyboard.press('#');
    await row(page, second).waitFor({ state: 'detached' });
    await page.keyboard.press('z');
    await row(page, second).waitFor();
    await page.keyboard.press('r');
    await page.locator('.compose-window').waitFor();
    // Keys are letters while one writes.
    await page.waitForFunction(() => document.activeElement?.closest('.compose-window') !== null);
    await page.keyboard.type('jke');
    assert.equal(await row(page, second).count(), 1);
    await page.getByRole('button', { name: 'Discard' }).click();
    assert.deepEqual(web.errors, []);
  });

  it('says what each control is', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page, context } = web;
    await openRow(page, 'Number 5');
    await page.locator('.mail-text').waitFor();
    const tools = await context.newCDPSession(page);
    type Node = {
      readonly ignored: boolean;
      readonly role?: { readonly value: string };
      readonly name?: { readonly value: string };
      readonly properties?: readonly {
        readonly name: string;
        readonly value: { readonly value?: unknown };
      }[];
    };
    const { nodes } = (await tools.send('Accessibility.getFullAXTree')) as { nodes: Node[] };
    const controls = nodes.filter(
      ({ ignored, role }) =>
        !ignored && /^(?:button|link|checkbox|combobox|textbox|menuitem|splitter)$/.test(role?.value ?? ''),
    );
    assert.deepEqual(
      controls.filter(({ name }) => (name?.value ?? '').trim() === '').map(({ role }) => role?.value),
      [],
    );
    const said = new Set(controls.map(({ role, name }) => `${role?.value} ${name?.value}`));
    for (const wanted of [
      'button Compose',
      'combobox Search mail',
      'checkbox Select all',
      'checkbox Select: Number 5',
      'button Archive',
      'button Delete',
      'button Reply',
      'button Forward',
      'button Star',
      'link Starred',
    ])
      assert.ok(said.has(wanted), `${wanted} is missing among ${[...said].join('; ')}`);
    // Landmarks and headings lead there.
    const outline = await page.locator('body').ariaSnapshot();
    for (const wanted of [/banner/, /navigation "Folders"/, /main/, /region "Messages"/, /heading "Inbox/])
      assert.match(outline, wanted);
  });

  it('reads from right to left what is written so, in a page that is not', async () => {
    await world.deposit([
      message({
        from: '=?UTF-8?B?2LPYp9ix2Kkg2KfZhNmF2YfZhtiv2LPYqQ==?= <sara@else.test>',
        subject: '=?UTF-8?B?2KrZgtix2YrYsSDYp9mE2LHYqNi5INin2YTYo9mI2YQgUTEgMjAzMA==?=',
        text: 'مرحبا بوب، هذا هو التقرير.\n\nhttps://example.org/report\n\nشكرا\n',
      }),
    ]);
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    const arabic = row(page, 'تقرير');
    const subject = arabic.locator('.mail-row-subject');
    assert.equal(await subject.evaluate((each) => getComputedStyle(each).direction), 'rtl');
    const [a, b] = await Promise.all([
      subject.boundingBox(),
      row(page, 'Number 5').locator('.mail-row-subject').boundingBox(),
    ]);
    assert.equal(a?.x, b?.x);
    await arabic.locator('.mail-row-open').click();
    const text = page.locator('.mail-text');
    await text.waitFor();
    assert.equal(await text.evaluate((each) => getComputedStyle(each).direction), 'rtl');
    assert.equal(await page.locator('.mail-text a').getAttribute('href'), 'https://example.org/report');
    await assertAccessible(page);
    await shot(page, 'flow-arabic');
    assert.deepEqual(web.errors, []);
  });

  it('shows the beginning of a message of one endless line, and stays quick', async () => {
    const client = await world.jmap();
    const { list } = await client.call('Mailbox/get', { ids: null });
    const inbox = (list as { id: string; role: string }[]).find(({ role }) => role === 'inbox')?.id ?? '';
    const head = 'From: Ann <ann@else.test>\r\nTo: bob@example.test\r\nSubject: Endless\r\n\r\n';
    const octets = Buffer.concat([Buffer.from(head), Buffer.alloc(49_000_000, 'x'), Buffer.from('\r\n')]);
    const blobId = await client.upload(octets, 'message/rfc822');
    const made = await client.call('Email/import', {
      emails: { a: { blobId, mailboxIds: { [inbox]: true } } },
    });
    assert.ok(made['created']?.a, JSON.stringify(made));
    await using web = await world.open({ path: '/mail', viewport: PHONE, touch: true });
    const { page } = web;
    let largest = 0;
    page.on('response', (response) => {
      if (response.url().endsWith('/jmap/api'))
        void response.body().then(
          (body) => (largest = Math.max(largest, body.length)),
          () => undefined,
        );
    });
    await openRow(page, 'Endless');
    await page.getByText('This message is very long (49 MB)').waitFor();
    const save = page.getByRole('link', { name: 'Save' });
    assert.match((await save.getAttribute('href')) ?? '', /^\/jmap\/download\//);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
    await page.getByRole('button', { name: 'Back to the list' }).tap();
    await row(page, 'Number 5').waitFor();
    assert.ok(largest < 1_000_000, `${largest} octets in one answer`);
    assert.deepEqual(web.errors, []);
    await client.call('Email/set', { destroy: [made['created'].a.id] });
  });

  it('learns of one arriving message without asking for the list again', {
    skip: skipWithoutCorpus(),
  }, async () => {
    const real = corpusMessages('mail', 90).map(({ octets }) => octets.toString('latin1'));
    await world.deposit(real, { account: ADMIN, receivedAt: Date.now() - 86_400_000 });
    await using web = await world.open({ path: '/mail', as: ADMIN });
    const { page } = web;
    await page.locator('.mail-row').nth(5).waitFor();
    await shot(page, 'flow-corpus');
    const requests: { readonly methodCalls: readonly (readonly [string, { ids?: unknown }])[] }[] = [];
    let octets = 0;
    // The page listens when this is shown, and has read what it shows.
    await world.deposit([message({ subject: 'Settling in' })], { account: ADMIN });
    await row(page, 'Settling in').waitFor();
    page.on('request', (request) => {
      if (request.url().endsWith('/jmap/api')) requests.push(request.postDataJSON());
    });
    page.on('response', (response) => {
      if (response.url().endsWith('/jmap/api'))
        void response.body().then(
          (body) => (octets += body.length),
          () => undefined,
        );
    });
    const [id] = await world.deposit([message({ subject: 'One more' })], { account: ADMIN });
    await row(page, 'One more').waitFor();
    await eventually(async () =>
      assert.equal(await page.locator('.mail-row-subject').first().innerText(), 'One more'),
    );
    await (await world.jmap(ADMIN)).call('Email/set', { destroy: [id] });
    await row(page, 'One more').waitFor({ state: 'detached' });
    const calls = requests.flatMap(({ methodCalls }) => methodCalls.map(([name]) => name));
    assert.ok(calls.includes('Email/queryChanges'), calls.join());
    // The place at the end of the page that became free is filled by one question at most.
    assert.ok(calls.filter((name) => name === 'Email/query').length <= 1, calls.join());
    assert.ok(octets < 20_000, `${octets} octets`);
    // What is shown is what a new page would show.
    const subjects = () => page.locator('.mail-row-subject').allInnerTexts();
    const before = await subjects();
    await page.reload();
    await row(page, 'Settling in').waitFor();
    await page.waitForFunction(
      (count) => document.querySelectorAll('.mail-row-subject').length >= count,
      before.length,
    );
    assert.deepEqual((await subjects()).slice(0, before.length), before);
    assert.deepEqual(web.errors, []);
  });
});

describe('a server that goes and comes back', { skip: NO_LONG_BROWSER }, () => {
  it('is found again by the page, which has lost nothing', async () => {
    const world = await startWebWorld();
    const { directory, ports } = world.server;
    await world.deposit([message({ subject: 'Before' }), message({ subject: 'Another' })]);
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await openRow(page, 'Before');
    await page.locator('.mail-text').waitFor();
    await page.keyboard.press('c');
    await page.getByLabel('Subject').fill('Written through it all');
    await world.server.abandon();
    await page.getByRole('textbox', { name: 'Message', exact: true }).click();
    await page.keyboard.type('Nobody is there.');
    await page.getByText('Offline', { exact: true }).first().waitFor();
    await row(page, 'Another').locator('.mail-star').click();
    await toast(page, 'when you are online again').waitFor();
    const listen = { http: [`127.0.0.1:${ports.http}`] };
    const again = await startTestServer({ directory, config: { listen } });
    try {
      await lmtp(again, USER, message({ subject: 'Afterwards' }));
      // The page waits longer each time before it tries again, a minute at most.
      await row(page, 'Afterwards').waitFor({ timeout: 3 * PATIENCE_MS });
      await page.getByText(/^Saved/).waitFor({ timeout: 3 * PATIENCE_MS });
      const jmap = await jmapClient(again, USER);
      await eventually(async () => {
        const { ids } = await jmap.call('Email/query', { filter: { hasKeyword: '$flagged' } });
        assert.equal((ids as string[]).length, 1, 'the star did not reach the server');
      });
      await page.locator('.badge.warning').waitFor({ state: 'detached' });
    } finally {
      await again.close();
      await world.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
