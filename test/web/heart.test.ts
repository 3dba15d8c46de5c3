import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { message } from './mail-messages.ts';
import { assertAccessible, NO_BROWSER, startWebWorld, USER, type WebWorld } from './support.ts';

/** What must work in the webmail whatever else does; it runs with every run of the tests. The rest of test/web takes longer. */

describe('the heart of the webmail', { skip: NO_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld();
    await world.deposit([
      message({ subject: 'First' }),
      message({ subject: 'Second', html: '<p>In <b>HTML</b>' }),
    ]);
  });
  after(() => world?.close());

  it('mail is read, put away and back, written, sent, and arrives without being asked for', async () => {
    await using web = await world.open({ path: '/mail' });
    const { page } = web;
    const row = (subject: string) => page.locator('.mail-row', { hasText: subject });
    await row('Second').locator('.mail-row-open').click();
    await page.frameLocator('.mail-frame').getByText('HTML').waitFor();
    await page.locator('.mail-row:not(.unread)', { hasText: 'Second' }).waitFor();
    await assertAccessible(page);
    await page.keyboard.press('e');
    await page.getByText('Archived').waitFor();
    assert.equal(await row('Second').count(), 0);
    await page.keyboard.press('z');
    await row('Second').waitFor();
    await page.keyboard.press('c');
    await page.getByRole('combobox', { name: 'To' }).fill(`${USER},`);
    await page.getByLabel('Subject').fill('To myself');
    await page.getByRole('textbox', { name: 'Message', exact: true }).click();
    await page.keyboard.type('Remember.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Sent.').waitFor();
    await world.deposit([message({ subject: 'From elsewhere' })]);
    await row('From elsewhere').waitFor();
    assert.deepEqual(web.errors, []);
  });
});
