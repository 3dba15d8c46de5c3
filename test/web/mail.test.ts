import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { keptOnDevice } from './device.ts';
import { message, WITH_PICTURE } from './mail-messages.ts';
import {
  assertAccessible,
  eventually,
  NO_LONG_BROWSER,
  PHONE,
  shot,
  startWebWorld,
  USER,
  type WebWorld,
} from './support.ts';

const row = (page: Page, subject: string) => page.locator('.mail-row', { hasText: subject });
const openRow = (page: Page, subject: string) => row(page, subject).locator('.mail-row-open').click();
const toast = (page: Page, text: string | RegExp) => page.locator('.toast', { hasText: text }).first();

const TABLE = `<table><tr>${'<td><span>Quantity</span></td>'.repeat(9)}</tr></table>`;

describe('mail in the browser', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld();
    await world.deposit(
      [
        message({ subject: 'Lunch tomorrow?', id: 'lunch@else.test', text: 'At https://cafe.test/ ?\n' }),
        message({
          from: 'Bob <bob@example.test>',
          to: 'Ann Smith <ann@else.test>',
          subject: 'Re: Lunch tomorrow?',
          inReplyTo: 'lunch@else.test',
          text: 'Gladly.\n\nOn Monday Ann wrote:\n> At the cafe?\n',
        }),
        ...Array.from({ length: 12 }, (_, i) => message({ subject: `Number ${i + 1}` })),
        message({
          subject: 'Pictures from afar',
          html: '<style>p{color:#c00}</style><p id="x">See <img src="https://pics.test/a.png" width=100 height=50> <div style="overflow:hidden;width:200px;height:14px"><a href="https://evil.test/" style="display:inline-block;overflow:hidden;width:90px;height:18px;letter-spacing:-1em">https://bank.test/</a></div> <a href="mailto:ann@else.test">write</a></p><script>document.title="no"</script>',
        }),
        WITH_PICTURE,
        message({
          subject: 'The quick brown fox',
          text: 'jumps over the zebra\n',
          from: 'Zoe <zoe@zoo.test>',
        }),
      ],
      {},
    );
  });
  after(() => world?.close());

  it('lists conversations and shows one, marking it read', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Lunch').waitFor();
    await eventually(async () => {
      assert.match(await row(page, 'Lunch').innerText(), /Ann, me\s*2/);
      assert.match(await page.title(), /^\(\d+\) Inbox/);
    });
    await openRow(page, 'Lunch');
    await page.getByText('Gladly.').first().waitFor();
    assert.equal(await page.locator('.mail-thread h2').innerText(), 'Re: Lunch tomorrow?');
    // What is quoted is folded away.
    assert.equal(await page.getByText('At the cafe?').isVisible(), false);
    await page.locator('.mail-quote summary').click();
    await page.getByText('At the cafe?').waitFor();
    await page.locator('.mail-row:not(.unread)', { hasText: 'Lunch' }).waitFor();
    await assertAccessible(page);
    await shot(page, 'mail-thread');
    await page.goBack();
    await page.locator('.mail-thread h2').waitFor({ state: 'detached' });
    assert.deepEqual(web.errors, []);
  });

  it('archives several at once, and takes that back', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Number 3').locator('input').click({ force: true });
    await row(page, 'Number 5')
      .locator('input')
      .click({ modifiers: ['Shift'], force: true });
    await page.getByText('3 selected').waitFor();
    await assertAccessible(page);
    await page.getByRole('toolbar').getByRole('button', { name: 'Archive' }).first().click();
    await toast(page, '3 conversations archived').waitFor();
    await row(page, 'Number 4').waitFor({ state: 'detached' });
    await page.locator('.toast button', { hasText: 'Undo' }).click();
    await row(page, 'Number 4').waitFor();
    const jmap = await world.jmap();
    await eventually(async () => {
      const { list } = await jmap.call('Mailbox/get', { ids: null });
      const archive = (list as { role: string; totalEmails: number }[]).find(
        ({ role }) => role === 'archive',
      );
      assert.equal(archive?.totalEmails ?? 0, 0);
    });
    assert.deepEqual(web.errors, []);
  });

  it('leaves what one wrote oneself in Sent when the conversation goes, and the other way round', async () => {
    const ids = await world.deposit([message({ subject: 'Plans', id: 'plans@else.test' })]);
    const answer = { from: 'Bob <bob@example.test>', subject: 'Re: Plans', inReplyTo: 'plans@else.test' };
    ids.push(...(await world.deposit([message(answer)], { mailbox: 'sent', keywords: ['$seen'] })));
    const jmap = await world.jmap();
    const lie = async (): Promise<unknown[]> => {
      const { list } = await jmap.call('Email/get', { ids, properties: ['mailboxIds'] });
      const boxes = (await jmap.call('Mailbox/get', { ids: null }))['list'] as { id: string; name: string }[];
      const nameOf = (id: string): string => boxes.find((each) => each.id === id)?.name ?? id;
      return (list as { mailboxIds: object }[]).map(({ mailboxIds }) =>
        Object.keys(mailboxIds).map(nameOf).join(),
      );
    };
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await openRow(page, 'Plans');
    await page.getByText('2 messages', { exact: true }).waitFor();
    await page.locator('.mail-thread').getByRole('button', { name: 'Archive', exact: true }).click();
    await toast(page, 'Archived').waitFor();
    await eventually(async () => assert.deepEqual(await lie(), ['Archive', 'Sent']));
    await page.getByRole('link', { name: 'Sent', exact: true }).click();
    await openRow(page, 'Plans');
    await page.locator('.mail-thread').getByRole('button', { name: 'Delete', exact: true }).click();
    await toast(page, 'Moved to the trash').waitFor();
    await eventually(async () => assert.deepEqual(await lie(), ['Archive', 'Trash']));
    await jmap.call('Email/set', { destroy: ids });
    assert.deepEqual(web.errors, []);
  });

  it('shows what comes and goes elsewhere without being asked', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Lunch').waitFor();
    const [id] = await world.deposit([message({ subject: 'Just arrived' })]);
    await row(page, 'Just arrived').waitFor();
    const jmap = await world.jmap();
    await jmap.call('Email/set', { destroy: [id] });
    await row(page, 'Just arrived').waitFor({ state: 'detached' });
  });

  it('shows a folder that is opened while mail is still on its way there', async () => {
    const [id] = await world.deposit([message({ subject: 'Into the bin' })]);
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Into the bin').locator('input').click({ force: true });
    await page.route('**/jmap/api', async (route) => {
      if (route.request().postData()?.includes('"Email/set"') === true)
        await new Promise((done) => setTimeout(done, 1500));
      await route.continue();
    });
    await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).first().click();
    await page.getByRole('link', { name: /^Trash/ }).click();
    await row(page, 'Into the bin').waitFor();
    await (await world.jmap()).call('Email/set', { destroy: [id] });
  });

  it('searches with operators and marks what it found', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    const box = page.getByRole('combobox', { name: 'Search mail' });
    await box.fill('from:zoe zebra');
    await box.press('Enter');
    await page.getByText('1 found.', { exact: true }).waitFor();
    assert.equal(await page.locator('.mail-row mark').innerText(), 'zebra');
    await assertAccessible(page);
    await shot(page, 'mail-search');
    const [sold] = await world.deposit([message({ subject: 'Zebras for sale' })], { mailbox: 'junk' });
    await box.fill('in:junk zebras');
    await box.press('Enter');
    await row(page, 'Zebras for sale').waitFor();
    await (await world.jmap()).call('Email/set', { destroy: [sold] });
    await box.fill('is:nonsense zebra');
    await box.press('Enter');
    await page.getByText('Not understood: is:nonsense').waitFor();
    assert.deepEqual(web.errors, []);
  });

  it('blocks remote images and scripts, and warns of links that lie', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await openRow(page, 'Pictures from afar');
    await page.getByText('1 remote image is not shown').waitFor();
    const frame = page.frameLocator('.mail-frame');
    const link = frame.locator('a[href^=https]');
    assert.match((await link.getAttribute('data-postern-warning')) ?? '', /goes to evil\.test/);
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
    // Its own style does not cut the warning off.
    assert.equal(await link.evaluate((each) => getComputedStyle(each).overflow), 'visible');
    assert.ok(((await link.boundingBox())?.width ?? 0) > 95);
    // What is around it may: the page says it as well, and asks before it goes there.
    await page.getByText('A link says “bank.test” but goes to “evil.test”.').waitFor();
    const click = async (what: typeof link): Promise<void> => {
      const box = await what.boundingBox();
      assert.ok(box);
      await page.mouse.click(box.x + 8, box.y + 6);
    };
    await click(link);
    const dialog = page.getByRole('dialog', { name: 'A link that misleads' });
    await dialog.getByRole('button', { name: 'Open evil.test' }).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(web.context.pages().length, 1);
    await click(frame.locator('a[href^=mailto]'));
    await page.getByRole('button', { name: 'Remove ann@else.test' }).waitFor();
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.locator('.compose-window').waitFor({ state: 'detached' });
    assert.notEqual(await page.title(), 'no');
    await assertAccessible(page);
    await shot(page, 'mail-images');
    const images = asked.filter((url) => url.includes('pics.test'));
    assert.deepEqual(images, []);
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await frame
      .locator('img[src="/account/v1/image?url=https%3A%2F%2Fpics.test%2Fa.png"]')
      .waitFor({ state: 'attached' });
    assert.deepEqual(
      // What Playwright put into the frame wanted to hear of the mouse.
      web.errors.filter((each) => !/503|^Blocked script execution/.test(each)),
      [],
    );
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(world.base) && !/^(?:data|blob):/.test(url)),
      [],
    );
  });

  it('shows pictures, texts and messages that came along', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await openRow(page, 'A picture within');
    const picture = page.frameLocator('.mail-frame').locator('img');
    await page.frameLocator('.mail-frame').locator('img[src^="blob:"]').waitFor();
    await page.waitForFunction(
      'document.querySelector(".mail-frame").contentDocument.querySelector("img").naturalWidth === 1',
    );
    assert.equal(await picture.getAttribute('alt'), 'a dot');
    await eventually(async () => assert.equal(await page.locator('.mail-attachment').count(), 3));
    assert.match(await page.locator('.mail-attachments').innerText(), /invoicegpj\.exe/);
    await page.locator('.mail-attachment button', { hasText: 'notes.txt' }).click();
    await page.locator('dialog pre', { hasText: '<script>alert(1)</script> as text' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.mail-attachment button', { hasText: 'inner.eml' }).click();
    await page.locator('dialog', { hasText: 'text of the inner message' }).waitFor();
    await assertAccessible(page);
    await page.keyboard.press('Escape');
    await page.locator('.mail-message-head').getByRole('button', { name: 'More for this message' }).click();
    await page.getByRole('menuitem', { name: 'Show the source' }).click();
    await page.locator('dialog pre', { hasText: 'Message-ID: <picture@else.test>' }).waitFor();
    assert.deepEqual(web.errors, []);
  });

  it('is worked with the keyboard alone', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Number 12').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.activeElement?.closest('[aria-posinset="2"]') !== null);
    await page.keyboard.press('x');
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('o');
    await page.locator('.mail-thread h2').waitFor();
    const first = await page.locator('.mail-thread h2').innerText();
    await page.keyboard.press('j');
    await page.waitForFunction(
      `document.querySelector('.mail-thread h2')?.textContent !== ${JSON.stringify(first)}`,
    );
    const subject = await page.locator('.mail-thread h2').innerText();
    await page.keyboard.press('e');
    await toast(page, 'Archived').waitFor();
    // The next row has the focus, and Enter gives it to the conversation; the way back leads to the row.
    await page.waitForFunction(() => document.activeElement?.matches('.mail-row.at .mail-row-open'));
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.matches('.mail-thread-body'));
    await page.keyboard.press('u');
    await page.waitForFunction(() => document.activeElement?.matches('.mail-row.at .mail-row-open'));
    await eventually(async () =>
      assert.ok(!(await page.locator('.mail-row-subject').allInnerTexts()).includes(subject)),
    );
    await page.keyboard.press('z');
    await toast(page, 'Undone').waitFor();
    await row(page, subject).first().waitFor();
    // The two keys belong together if there is little time between them.
    await eventually(async () => {
      await Promise.all([page.keyboard.press('g'), page.keyboard.press('t')]);
      await page.waitForURL('**/mail/sent', { timeout: 5000 });
    });
    await page.keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Search mail');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.locator('dialog', { hasText: 'Keyboard shortcuts' }).waitFor();
    assert.deepEqual(web.errors, []);
    await assertAccessible(page);
  });

  it('makes folders, moves mail there by name, renames and deletes them', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await page.getByRole('button', { name: 'New folder' }).click();
    await page.locator('dialog').getByLabel('Name of the folder').fill('Trash');
    await page.locator('dialog').getByRole('button', { name: 'Make folder' }).click();
    await page.getByText('There is a folder of that name there already.', { exact: true }).waitFor();
    await page.locator('dialog').getByLabel('Name of the folder').fill('Bills');
    await assertAccessible(page);
    await page.locator('dialog').getByRole('button', { name: 'Make folder' }).click();
    await page.locator('.mail-folder', { hasText: 'Bills' }).waitFor();
    await row(page, 'Number 7').locator('.mail-row-open').focus();
    await page.keyboard.press('v');
    await page.getByRole('combobox', { name: 'Name of the folder' }).fill('bil');
    await page.keyboard.press('Enter');
    await toast(page, 'Moved to Bills').waitFor();
    await page.locator('.mail-folder', { hasText: 'Bills' }).click();
    await row(page, 'Number 7').waitFor();
    await page.locator('.mail-folder', { hasText: 'Bills' }).click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Rename or move folder' }).click();
    await page.locator('dialog').getByLabel('Name of the folder').fill('Paid');
    await page.locator('dialog').getByRole('button', { name: 'Save' }).click();
    await page.locator('.mail-folder', { hasText: 'Paid' }).waitFor();
    await page.locator('.mail-folder', { hasText: 'Paid' }).click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Delete folder' }).click();
    await page.getByText('Its 1 message is deleted with it').waitFor();
    await page.locator('dialog').getByRole('button', { name: 'Delete folder' }).click();
    await page.waitForURL('**/mail/inbox');
    await page.locator('.mail-folder', { hasText: 'Paid' }).waitFor({ state: 'detached' });
    // A folder that is open here and deleted elsewhere is not shown as all mail.
    const jmap = await world.jmap();
    const { created } = await jmap.call('Mailbox/set', {
      create: { a: { name: 'Shortly', parentId: null } },
    });
    await page.locator('.mail-folder', { hasText: 'Shortly' }).click();
    await page.getByText('There is nothing in this folder', { exact: false }).waitFor();
    await jmap.call('Mailbox/set', { destroy: [created.a.id] });
    await page.getByText('This folder is not there any more.', { exact: true }).waitFor();
    assert.equal(await page.locator('.mail-row').count(), 0);
    assert.deepEqual(web.errors, []);
  });

  it('asks before it deletes for good', async () => {
    await world.deposit([message({ subject: 'Rubbish' })], { mailbox: 'trash' });
    await using web = await world.open({ path: '/mail/trash' });
    const { page } = web;
    await row(page, 'Rubbish').locator('.mail-row-open').focus();
    await page.keyboard.press('#');
    await page.locator('dialog', { hasText: 'Delete this for good?' }).waitFor();
    await page.locator('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('There is nothing in this folder').waitFor();
    assert.deepEqual(web.errors, []);
  });

  it('reads recent mail offline, and does later what is done there', async () => {
    const [away, stays] = await world.deposit([
      message({ subject: 'Not now' }),
      message({ subject: 'After all, stay' }),
    ]);
    const [unseen] = await world.deposit([message({ subject: 'Never seen here' })], { mailbox: 'sent' });
    const [waste, spared] = await world.deposit(
      [message({ subject: 'Waste' }), message({ subject: 'Spared elsewhere' })],
      { mailbox: 'trash' },
    );
    await using web = await world.open({ path: '/mail/trash' });
    const { page, context } = web;
    await row(page, 'Spared elsewhere').waitFor();
    await page.goto('/mail');
    await openRow(page, 'The quick brown fox');
    await page.getByText('jumps over the zebra').last().waitFor();
    await keptOnDevice(page, ['postern-mail', 'bodies'], 'jumps over the zebra');
    await page.goto('/mail');
    await row(page, 'Number 9').waitFor();
    // From here on it has all of the app.
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await context.setOffline(true);
    await openRow(page, 'The quick brown fox');
    await page.locator('.mail-text', { hasText: 'jumps over the zebra' }).waitFor();
    await row(page, 'Number 9').locator('.mail-star').click();
    await toast(page, 'when you are online again').waitFor();
    await shot(page, 'mail-offline');
    for (const subject of ['Not now', 'After all, stay']) {
      await row(page, subject).locator('.mail-row-open').focus();
      await page.keyboard.press('b');
      await page
        .locator('dialog')
        .getByRole('button', { name: /Tomorrow/ })
        .click();
      await row(page, subject).waitFor({ state: 'detached' });
    }
    // The last one, of what waits.
    const snoozes = page.locator('.toast', { hasText: /It comes back .* when you are online again/ });
    await snoozes.nth(1).getByRole('button', { name: 'Undo' }).click();
    await toast(page, 'Undone').waitFor();
    // Folders that were not looked at while there was a network.
    await page.getByRole('link', { name: /^Junk/ }).click();
    await page.getByText('There is nothing in this folder.').waitFor();
    await page.getByRole('link', { name: /^Sent/ }).click();
    await page.getByText('This folder is not on this device yet.').waitFor();
    await page.getByRole('link', { name: /^Trash/ }).click();
    for (const subject of ['Waste', 'Spared elsewhere']) {
      await row(page, subject).locator('.mail-row-open').focus();
      await page.keyboard.press('#');
      await page.locator('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
      await row(page, subject).waitFor({ state: 'detached' });
    }
    await page.goto('/mail');
    await row(page, 'Number 9').waitFor();
    assert.equal(await row(page, 'Not now').count(), 0);
    // Meanwhile, on another device.
    const jmap = await world.jmap();
    const boxes = (await jmap.call('Mailbox/get', { ids: null }))['list'] as { id: string; role: string }[];
    const inbox = boxes.find(({ role }) => role === 'inbox')?.id ?? '';
    await jmap.call('Email/set', { update: { [spared ?? '']: { mailboxIds: { [inbox]: true } } } });
    await context.setOffline(false);
    await eventually(async () => {
      const { ids } = await jmap.call('Email/query', { filter: { hasKeyword: '$flagged' } });
      assert.equal((ids as string[]).length, 1, 'the star did not reach the server');
    });
    await eventually(async () => {
      const { list } = await jmap.call('Email/get', {
        ids: [away, stays, waste, spared],
        properties: ['mailboxIds'],
      });
      const snoozed = await jmap.call('Mailbox/query', { filter: { name: 'Snoozed' } });
      const there = Object.fromEntries(
        (list as { id: string; mailboxIds: object }[]).map((each) => [each.id, Object.keys(each.mailboxIds)]),
      );
      assert.deepEqual(there, {
        [away ?? '']: snoozed['ids'],
        [stays ?? '']: [inbox],
        [spared ?? '']: [inbox],
      });
    });
    await row(page, 'After all, stay').waitFor();
    await jmap.call('Email/set', { destroy: [away, stays, spared, unseen] });
  });

  it('labels, snoozes, and says why a message is here', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Number 2').locator('.mail-row-open').focus();
    await page.keyboard.press('l');
    const dialog = page.locator('dialog');
    await dialog.getByLabel('New label').fill('Family');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByRole('checkbox', { name: 'Family' }).waitFor();
    await assertAccessible(page);
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await row(page, 'Number 2').locator('.mail-label', { hasText: 'Family' }).waitFor();
    // What was written and not added is meant as well.
    await page.keyboard.press('l');
    await dialog.getByLabel('New label').fill('Garden');
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await row(page, 'Number 2').locator('.mail-label', { hasText: 'Garden' }).waitFor();
    await row(page, 'Number 1').last().locator('.mail-row-open').focus();
    await page.keyboard.press('b');
    await assertAccessible(page);
    await dialog.getByRole('button', { name: /Tomorrow/ }).click();
    await toast(page, 'It comes back').waitFor();
    await openRow(page, 'Number 2');
    await page.getByRole('button', { name: 'More for this message' }).click();
    await page.getByRole('menuitem', { name: 'Why is this here?' }).click();
    await page.locator('.mail-why').waitFor();
    await assertAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole('button', { name: /^Always allow/ }).waitFor();
    assert.ok(await page.evaluate(`document.querySelector('.mail-why').scrollWidth <= 328`));
    assert.deepEqual(web.errors, []);
  });

  it('shows one thing at a time on a phone', async () => {
    await using web = await world.open({ path: '/mail', viewport: PHONE, touch: true });
    const { page } = web;
    await row(page, 'Number 10').waitFor();
    assert.equal(await page.locator('.mail-thread').isVisible(), false);
    assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'));
    await assertAccessible(page);
    await shot(page, 'mail-phone-list');
    await openRow(page, 'Number 10');
    await page.locator('.mail-thread h2').waitFor();
    assert.equal(await page.locator('.mail-list').isVisible(), false);
    await assertAccessible(page);
    await shot(page, 'mail-phone-message');
    await page.getByRole('button', { name: 'Back to the list' }).click();
    await row(page, 'Number 10').waitFor();
    await page.getByRole('button', { name: 'Folders' }).click();
    await page.locator('.mail-folders.shown').waitFor();
    await page.waitForTimeout(300);
    await shot(page, 'mail-phone-folders');
    await page.locator('.mail-folder', { hasText: 'Trash' }).click();
    await page.getByText('There is nothing in this folder').waitFor();
    assert.deepEqual(web.errors, []);
  });

  it('has the whole of a long message on a phone, and the way back, whatever is scrolled', async () => {
    const lines = Array.from(
      { length: 200 },
      (_, i) => `Line ${i + 1} of a long letter to a list of people.`,
    );
    const thread = (id: string, text: string) =>
      message({
        subject: 'A long matter',
        id: `${id}@list.test`,
        text,
        ...(id !== 'l1' && { inReplyTo: 'l1@list.test' }),
      });
    const text = [...lines, 'The last line.'].join('\n');
    await world.deposit([thread('l1', text), thread('l2', 'Short.\n'), thread('l3', text)]);
    await world.deposit([
      message({ subject: 'Long HTML', html: `${TABLE}<p>${text.replaceAll('\n', '<p>')}` }),
    ]);
    await using web = await world.open({
      path: '/mail',
      viewport: { width: 360, height: 740 },
      touch: true,
      dark: true,
    });
    const { page } = web;
    const seen = async (): Promise<void> => {
      // Nothing but the text itself scrolls: the layout is as wide and as high as the screen.
      await eventually(async () =>
        assert.deepEqual(
          await page.evaluate(
            '[innerWidth, innerHeight, document.documentElement.scrollHeight, document.documentElement.scrollWidth]',
          ),
          [360, 740, 740, 360],
        ),
      );
      for (const button of await page.locator('.mail-thread-bar button:visible').all()) {
        const box = await button.boundingBox();
        assert.ok(
          box !== null && box.x >= 0 && box.x + box.width <= 360 && box.y >= 0,
          await button.innerHTML(),
        );
      }
    };
    await openRow(page, 'A long matter');
    const end = page.getByText('The last line.').last();
    await end.waitFor();
    await seen();
    await end.scrollIntoViewIfNeeded();
    await page.locator('.mail-reply-bar').last().scrollIntoViewIfNeeded();
    await seen();
    await shot(page, 'mail-phone-long');
    await page.getByRole('button', { name: 'Back to the list' }).tap();
    await openRow(page, 'Long HTML');
    const inFrame = page.frameLocator('.mail-frame').getByText('The last line.');
    await inFrame.waitFor();
    // Columns that have no room are drawn smaller, not letter by letter.
    const word = page.frameLocator('.mail-frame').getByText('Quantity').first();
    assert.equal(await word.evaluate((each) => each.getClientRects().length), 1);
    // The frame grows as what is in it is laid out.
    await eventually(async () => {
      await inFrame.scrollIntoViewIfNeeded();
      const box = await inFrame.boundingBox();
      assert.ok(box !== null && box.y > 100 && box.y + box.height < 740, JSON.stringify(box));
    });
    await seen();
    // Of a conversation with many unread messages those have their text at first that are seen at first.
    await world.deposit(
      Array.from({ length: 16 }, (_, i) =>
        message({
          subject: 'Much talk',
          id: `talk${i}@list.test`,
          text: `${text}\nSaid by number ${i}.\n`,
          ...(i > 0 && { inReplyTo: 'talk0@list.test' }),
        }),
      ),
    );
    await page.getByRole('button', { name: 'Back to the list' }).tap();
    await openRow(page, 'Much talk');
    await page.getByText('Said by number 9.').waitFor();
    assert.equal(await page.getByText('Said by number 15.').count(), 0);
    await eventually(async () => {
      await page.locator('.mail-thread-body').evaluate((body) => body.scrollTo(0, body.scrollHeight));
      assert.ok(await page.getByText('Said by number 15.').isVisible());
    });
    assert.deepEqual(web.errors, []);
  });

  it('reads from right to left as well', async () => {
    await world.deposit([message({ subject: 'Hebrew', text: 'שלום, זו הודעה בעברית.\n' })]);
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await row(page, 'Hebrew').waitFor();
    await page.evaluate(`document.documentElement.dir = 'rtl'`);
    await openRow(page, 'Hebrew');
    const text = page.locator('.mail-text');
    await text.waitFor();
    assert.equal(await text.evaluate((element) => getComputedStyle(element).direction), 'rtl');
    const x = async (selector: string): Promise<number> =>
      (await page.locator(selector).first().boundingBox())?.x ?? Number.NaN;
    assert.ok((await x('.mail-folders')) > (await x('.mail-list')));
    assert.ok((await x('.mail-list')) > (await x('.mail-thread')));
    const outside = await page.evaluate(`[...document.querySelectorAll('.mail *')].filter((each) => {
      const { left, right, width } = each.getBoundingClientRect();
      return width > 0 && (left < -1 || right > innerWidth + 1) && each.closest('.sr-only') === null;
    }).map(({ className }) => String(className))`);
    assert.deepEqual(outside, []);
    assert.deepEqual(web.errors, []);
  });

  it('forgets everything at sign-out', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    await page.locator('.mail-row-open').first().waitFor();
    await page
      .getByRole('button', { name: `Account of ${USER}` })
      .or(page.locator('.top-account'))
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForFunction(`indexedDB.databases().then((all) =>
      !all.some(({ name }) => name === 'postern-mail') && localStorage.getItem('postern.me') === null)`);
  });
});
