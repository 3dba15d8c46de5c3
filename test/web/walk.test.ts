import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import type { Locator, Page } from 'playwright-core';
import { imapClient } from '../support/imap-client.ts';
import { skipUnlessLong } from '../support/programs.ts';
import { NO_BROWSER, shot } from './support.ts';
import { startWalk, type Visitor, type Walk } from './walk-support.ts';

/**
 * The two days of docs/guides/first-day-administrator.md and first-day-user.md, as people go through them, each step in
 * its order. With POSTERN_WALK_SHOTS (`node scripts/screenshots.ts`) the pictures of the guides are made on the way.
 */

const DORA = 'dora@example.test';
const MILO = 'milo@example.test';
const DORAS_PASSWORD = 'lantern copper orbit meadow';
const MILOS_PASSWORD = 'walnut harbour seven kites';

let messages = 0;
/** A message of somebody elsewhere. */
function letter(
  from: string,
  to: string,
  subject: string,
  text: string,
  headers: readonly string[] = [],
): string {
  return [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${new Date(Date.now() - 60_000).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <walk-${++messages}@elsewhere.test>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    ...headers,
    '',
    text,
  ].join('\n');
}

describe('the first days', { skip: NO_BROWSER || skipUnlessLong() }, () => {
  let walk: Walk;
  let dora: Visitor;
  let milo: Visitor;
  let invitation = '';
  before(async () => {
    walk = await startWalk();
    dora = await walk.visitor();
    milo = await walk.visitor();
  });
  after(() => walk?.close());

  let broken = false;
  /** A step on the way. Once one has failed the later ones would fail for that alone. */
  const step = (name: string, run: () => Promise<void>): void => {
    it(name, async (t) => {
      if (broken) return t.skip('an earlier step failed');
      try {
        await run();
      } catch (error) {
        broken = true;
        await shot(dora.page, 'failed-dora');
        await shot(milo.page, 'failed-milo');
        throw error;
      }
    });
  };
  const button = (page: Page, name: string | RegExp) =>
    page.getByRole('button', { name, ...(typeof name === 'string' && { exact: true }) });
  const row = (page: Page, subject: string) => page.locator('.mail-row', { hasText: subject });
  const openRow = (page: Page, subject: string) => row(page, subject).locator('.mail-row-open').click();
  const toast = (page: Page, text: string | RegExp) =>
    page.locator('.toast', { hasText: text }).first().waitFor();
  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 }).waitFor();
  const until = async (look: () => boolean | Promise<boolean>, what: string): Promise<void> => {
    for (let round = 0; round < 150; round++) {
      if (await look()) return;
      await new Promise((done) => setTimeout(done, 200));
    }
    assert.fail(`it did not happen: ${what}`);
  };

  describe("the administrator's", () => {
    step('begins with the link that the server prints, a domain, an address and a password', async () => {
      const { page } = dora;
      const link = /https?:\/\/\S+token=\S+/.exec(walk.server.output())?.[0] ?? '';
      await page.goto(link.replace('127.0.0.1', 'localhost'));
      await heading(page, 'Set up your mail server');
      assert.equal(await page.getByLabel('Domain').inputValue(), 'example.test');
      await page.getByLabel('Name before the @').fill('dora');
      await page.getByText(`You sign in with ${DORA}`).waitFor();
      await page.getByLabel('Your name').fill('Dora Keller');
      await page.getByLabel('Choose a password').fill(DORAS_PASSWORD);
      await walk.picture(page, 'admin-setup-link');
      await button(page, 'Create and go on').click();
      await page.waitForURL('**/admin/setup');
      await heading(page, 'Setting up');
    });

    step('shows the records to publish, each with its reason and what is found out there', async () => {
      const { page } = dora;
      const records = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: /DNS/ }) });
      await records.getByText('v=spf1').first().waitFor({ timeout: 60_000 });
      await records.getByText('v=DMARC1').first().waitFor();
      assert.ok((await records.getByRole('button', { name: /^Copy: TXT/ }).count()) >= 3);
      await walk.picture(page, 'admin-setup-steps');
    });

    step('sends a test message and sees it taken elsewhere', async () => {
      const { page } = dora;
      await page.getByLabel('Address elsewhere').fill('dora.keller@elsewhere.test');
      await button(page, 'Send a test message').click();
      await until(() => walk.elsewhere.transactions.length > 0, 'the test message left');
      assert.deepEqual(walk.elsewhere.transactions[0]?.to, ['dora.keller@elsewhere.test']);
      assert.match(walk.elsewhere.transactions[0]?.data.toString('latin1') ?? '', /^DKIM-Signature: /m);
      await page
        .locator('form', { hasText: 'Address elsewhere' })
        .getByText(/sent|delivered|took|taken/i)
        .first()
        .waitFor();
    });

    step('waits for a test message from elsewhere and sees it arrive', async () => {
      const { page } = dora;
      await button(page, 'Wait for a test message').click();
      const told = page.getByText(/^Write to .* in the subject\.$/);
      await told.waitFor();
      const subject = /with (.*) in the subject/.exec((await told.textContent()) ?? '')?.[1] ?? '';
      assert.notEqual(subject, '');
      await told.scrollIntoViewIfNeeded();
      await walk.picture(page, 'admin-test-mail');
      await walk.arrives(
        'dora.keller@elsewhere.test',
        DORA,
        letter('Dora <dora.keller@elsewhere.test>', DORA, `Hello ${subject}`, 'Do you read me?'),
      );
      await page
        .getByText(/arrived|came/i)
        .first()
        .waitFor({ timeout: 60_000 });
    });

    step('knows its domain and its certificate', async () => {
      const { page } = dora;
      await page.getByRole('link', { name: 'Domains' }).click();
      await page.getByRole('link', { name: 'example.test' }).click();
      await page.getByRole('heading', { name: 'example.test' }).waitFor();
      await page.getByText('v=DKIM1').first().waitFor();
      await page.getByRole('link', { name: 'Certificates' }).click();
      await heading(page, 'Certificates');
      await page.getByRole('heading', { name: 'Settings of ACME' }).waitFor();
    });

    step('backs the mail up, and tries to have it back', async () => {
      const { page } = dora;
      await page.getByRole('link', { name: 'Backups' }).click();
      await page.getByText('postern backup set target', { exact: false }).first().waitFor();
      // Files of the server are named on the server itself, as the guide says.
      for (const [name, value] of [
        ['target', walk.backup.directory],
        ['passphrase_file', walk.backup.passphrase],
      ] as const)
        walk.postern('backup', 'set', name, value);
      await page.reload();
      await page.getByText(walk.backup.directory, { exact: true }).first().waitFor();
      await button(page, 'Back up now').click();
      // The page follows what runs.
      await button(page, 'Try a restore').click();
      await page.getByText(/restore tried, all there/).waitFor();
      await walk.picture(page, 'admin-backup');
    });

    step('makes an account, and invites somebody to make another', async () => {
      const { page } = dora;
      await page.getByRole('link', { name: 'Accounts' }).click();
      await button(page, 'New account').click();
      await page.getByLabel('Address').fill('office@example.test');
      await page.getByLabel('Name', { exact: true }).fill('Office');
      await button(page, 'Add').click();
      await page.getByRole('heading', { name: 'Office' }).waitFor();
      await page.getByRole('link', { name: 'Invitations' }).click();
      await page.getByLabel('For', { exact: true }).fill(MILO);
      await button(page, 'Invite').click();
      invitation = (await page.locator('.settings-code').textContent()) ?? '';
      assert.match(invitation, /#\/invitation\?token=/);
      await walk.picture(page, 'admin-invitation');
    });
  });

  describe("the user's", () => {
    step('begins with the invitation and a password', async () => {
      const { page } = milo;
      const { hash } = new URL(invitation);
      await page.goto(`${walk.base}/${hash}`);
      await page.getByText(`You are invited to have the mailbox ${MILO}`).waitFor();
      await page.getByLabel('Your name').fill('Milo Brandt');
      await page.getByLabel('Choose a password').fill(MILOS_PASSWORD);
      await walk.picture(page, 'user-invitation');
      await button(page, 'Create the mailbox').click();
      await page.getByText('Your inbox is empty.').waitFor();
    });

    step('sees mail as it comes, and reads it', async () => {
      const { page } = milo;
      for (const each of [
        letter(
          'Hiking club <club@trails.test>',
          MILO,
          'Sunday: over the ridge',
          'We meet at nine at the station.\n',
        ),
        letter(
          'Book shop <orders@books.test>',
          MILO,
          'Your order is on its way',
          'Two books, by the end of the week.\n',
        ),
        letter(
          'Tomas Lind <tomas@workshop.test>',
          MILO,
          'The shelf',
          'Hello Milo,\n\nthe shelf is ready. Come by on Thursday.\n\nTomas\n',
        ),
        letter(
          'Ines Vogt <ines@garden.test>',
          MILO,
          'Tomato seedlings',
          'Dear Milo,\n\nthe seedlings are ready. Shall I bring them on Saturday? You could have a look at\nhttps://garden.test/seedlings first and tell me which you would like.\n\nYours,\nInes\n',
        ),
      ]) {
        const from = /<(\S+)>/.exec(each)?.[1] ?? '';
        await walk.arrives(from, MILO, each);
      }
      await row(page, 'Tomato seedlings').waitFor();
      await row(page, 'over the ridge').waitFor();
      await openRow(page, 'Tomato seedlings');
      await page.getByText('the seedlings are ready').last().waitFor();
      await page.locator('.mail-row:not(.unread)', { hasText: 'Tomato seedlings' }).waitFor();
      await walk.picture(page, 'user-inbox');
    });

    step('answers, takes it back, and sends it then', async () => {
      const { page } = milo;
      const message = page.getByRole('textbox', { name: 'Message', exact: true });
      await button(page, 'Reply').first().click();
      await message.waitFor();
      await page.waitForFunction('document.activeElement?.classList.contains("compose-text")');
      await page.keyboard.type('Dear Ines, Saturday is fine. The yellow ones, please.');
      await walk.picture(page, 'user-answer');
      const before = walk.elsewhere.transactions.length;
      await button(page, 'Send').click();
      await toast(page, 'Sent.');
      await walk.picture(page, 'user-undo');
      await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
      await message.waitFor();
      assert.match((await message.textContent()) ?? '', /The yellow ones/);
      assert.equal(walk.elsewhere.transactions.length, before);
      await button(page, 'Send').click();
      await toast(page, 'Sent.');
      await until(() => walk.elsewhere.transactions.length > before, 'the answer left');
      const sent = walk.elsewhere.transactions.at(-1);
      assert.deepEqual([sent?.from, sent?.to], [MILO, ['ines@garden.test']]);
    });

    step('finds it again', async () => {
      const { page } = milo;
      const box = page.getByRole('combobox', { name: 'Search mail' });
      await box.fill('from:ines seedlings');
      await box.press('Enter');
      await page.getByText('1 found.', { exact: true }).waitFor();
      await walk.picture(page, 'user-search');
      await button(page, 'Clear the search').click();
      await row(page, 'over the ridge').waitFor();
    });

    step('gives it a label, and puts another away until tomorrow', async () => {
      const { page } = milo;
      await openRow(page, 'Tomato seedlings');
      await page.keyboard.press('l');
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('New label').fill('Garden');
      await dialog.getByLabel('Green').check({ force: true });
      await dialog.getByRole('button', { name: 'Add' }).click();
      await dialog.getByLabel('Garden').waitFor();
      await walk.picture(page, 'user-labels');
      await dialog.getByRole('button', { name: 'Apply' }).click();
      await row(page, 'Tomato seedlings').getByText('Garden').first().waitFor();
      await openRow(page, 'over the ridge');
      await page.keyboard.press('b');
      await page.getByRole('heading', { name: 'When should it come back?' }).waitFor();
      await walk.picture(page, 'user-snooze');
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^Tomorrow/ })
        .click();
      await toast(page, /It comes back/);
      await row(page, 'over the ridge').waitFor({ state: 'detached' });
      await page.locator('.mail-folder', { hasText: 'Snoozed' }).first().click();
      await row(page, 'over the ridge').waitFor();
    });

    step('asks why a message is here, and is told', async () => {
      const { page } = milo;
      await page.locator('.mail-folder', { hasText: 'Inbox' }).first().click();
      await openRow(page, 'Your order');
      await page.locator('.mail-message-head').getByRole('button', { name: 'More for this message' }).click();
      await page.getByRole('menuitem', { name: 'Why is this here?' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('heading', { name: 'Who sent it' }).waitFor();
      await dialog.getByRole('heading', { name: 'What happened to it' }).waitFor();
      await dialog.getByRole('button', { name: 'Always allow orders@books.test' }).waitFor();
      await walk.picture(page, 'user-why');
      await page.keyboard.press('Escape');
    });

    step('makes a rule that files mail', async () => {
      const { page } = milo;
      await page.goto(`${walk.base}/settings/rules`);
      await button(page, 'New rule').click();
      await page.getByLabel('Name', { exact: true }).fill('Hiking club');
      await page.getByRole('group', { name: 'Condition' }).getByLabel('Text').fill('trails.test');
      await page.getByLabel('Folder').fill('Club');
      await walk.picture(page, 'user-rule');
      await button(page, 'Save').click();
      await page.getByText('into Club').waitFor();
      await walk.arrives(
        'club@trails.test',
        MILO,
        letter('Hiking club <club@trails.test>', MILO, 'Photos', 'Here.\n'),
      );
      await page.goto(`${walk.base}/mail`);
      await page.locator('.mail-folder', { hasText: 'Club' }).first().click();
      await row(page, 'Photos').waitFor();
    });

    step('lets an answer be given while away, once to each', async () => {
      const { page } = milo;
      await page.goto(`${walk.base}/settings/vacation`);
      await page.getByLabel('Answer while I am away').check();
      await page.getByLabel('Answer', { exact: true }).fill('I am in the mountains and answer on Monday.');
      await button(page, 'Save').click();
      await page.getByText('Saved', { exact: true }).waitFor();
      const answers = () =>
        walk.elsewhere.transactions.filter(({ data }) => data.includes('in the mountains')).length;
      for (const subject of ['Beans', 'Peas'])
        await walk.arrives(
          'ines@garden.test',
          MILO,
          letter('Ines <ines@garden.test>', MILO, subject, 'Too?\n'),
        );
      await until(() => answers() > 0, 'the answer left');
      assert.equal(answers(), 1);
      await page.getByLabel('Answer while I am away').uncheck();
      await button(page, 'Save').click();
      await page.getByText('Saved').first().waitFor();
    });

    step('has an address for a shop alone, sees who got hold of it, and switches it off', async () => {
      const { page } = milo;
      await page.goto(`${walk.base}/settings/masked`);
      await page.getByLabel('What for').fill('Book shop');
      await page.getByLabel('Site').fill('books.test');
      await button(page, 'Make an address').click();
      const address = (await page.locator('.settings-item-name').first().textContent())?.trim() ?? '';
      assert.match(address, /@example\.test$/);
      for (const from of ['orders@books.test', 'offers@lottery.test'])
        await walk.arrives(from, address, letter(`<${from}>`, address, 'Offers', 'For you.\n'));
      await page.reload();
      await page.getByText('Passed on').waitFor();
      await page.getByText(/from lottery\.test/).waitFor();
      await walk.picture(page, 'user-masked');
      await button(page, /^Switch off/).click();
      await button(page, /^Switch on/).waitFor();
      await assert.rejects(walk.arrives('offers@lottery.test', address, 'Subject: again\n\nx'), /550/);
    });

    step('brings back what was deleted for good', async () => {
      const { page } = milo;
      await page.goto(`${walk.base}/mail`);
      await openRow(page, 'Peas');
      await page.keyboard.press('#');
      await toast(page, 'Moved to the trash.');
      await page.locator('.mail-folder', { hasText: 'Trash' }).first().click();
      await shown(page, row(page, 'Peas'));
      await button(page, 'Empty').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await row(page, 'Peas').waitFor({ state: 'detached' });
      await page.goto(`${walk.base}/settings/deleted`);
      await page.getByText('Peas').click();
      await walk.picture(page, 'user-undelete');
      await button(page, 'Bring 1 message back').first().click();
      await page.getByText('1 message is back').waitFor();
    });

    step('takes a second factor, and an app password for the mail program of the phone', async () => {
      const { page } = milo;
      await page.goto(`${walk.base}/settings/security`);
      await button(page, 'Make an app password').click();
      await page.getByLabel('What for').fill('Phone');
      await button(page, 'Add').click();
      await page.getByRole('heading', { name: 'Your new app password' }).waitFor();
      const password = (await page.locator('.settings-code').textContent()) ?? '';
      await walk.picture(page, 'user-app-password');
      await button(page, 'OK').click();
      await button(page, 'Set up codes').click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('img', { name: 'QR code of the key' }).waitFor();
      const secret = ((await dialog.locator('code').textContent()) ?? '').replaceAll(' ', '');
      const totp = new TOTP({ secret: Secret.fromBase32(secret) });
      await dialog.getByLabel('Code', { exact: true }).fill(totp.generate());
      await walk.picture(page, 'user-second-factor');
      await dialog.getByRole('button', { name: 'Next' }).click();
      await page.getByRole('heading', { name: 'Recovery codes' }).waitFor();
      await button(page, 'I have kept them').click();
      // The phone's program gets in by its own password, not by Milo's any more.
      for (const [given, answer] of [
        [password, 'OK'],
        [MILOS_PASSWORD, 'NO'],
      ] as const) {
        const program = await imapClient(walk.server.ports.imaps, { tls: true });
        const { tagged } = await program.command(`LOGIN ${MILO} "${given}"`);
        program.close();
        assert.equal(tagged.slice(0, 2), answer, tagged);
      }
      await page.locator('.top-account').click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await page.getByLabel('Address').fill(MILO);
      await page.getByLabel('Password', { exact: true }).fill(MILOS_PASSWORD);
      await button(page, 'Sign in').click();
      // The code that confirmed it counts no more: the next one does.
      await page.getByLabel('Code', { exact: true }).fill(totp.generate({ timestamp: Date.now() + 30_000 }));
      await page.locator('.top-account').waitFor();
      await page.goto(`${walk.base}/mail`);
      await row(page, 'Tomato seedlings').waitFor();
      await page.context().storageState({ path: `${walk.server.directory}/../milo.json` });
    });

    step('has the same on the telephone', async () => {
      await using phone = await walk.visitor({
        phone: true,
        dark: true,
        state: `${walk.server.directory}/../milo.json`,
      });
      const { page } = phone;
      await page.goto(`${walk.base}/mail`);
      await row(page, 'Tomato seedlings').waitFor();
      await walk.picture(page, 'user-phone');
      const manifest = await page.evaluate(async () => {
        const link = document.querySelector<HTMLLinkElement>('link[rel=manifest]');
        return (await (await fetch(link?.href ?? '')).json()) as { display: string };
      });
      assert.equal(manifest.display, 'standalone');
      assert.deepEqual([...milo.errors, ...phone.errors], []);
    });
  });

  describe('the evening of the administrator', () => {
    step('finds what became of a message', async () => {
      const { page } = dora;
      await page.goto(`${walk.base}/admin/trace`);
      await page.getByLabel('Search').fill(MILO);
      await button(page, 'Search').click();
      await page
        .getByText(/^It is in the mailbox/)
        .first()
        .waitFor();
      await walk.picture(page, 'admin-trace');
    });

    step('sees why something waits, and sends it back', async () => {
      const { page } = dora;
      await page.goto(`${walk.base}/mail?compose`);
      const message = page.getByRole('textbox', { name: 'Message', exact: true });
      await message.waitFor();
      await page.getByRole('combobox', { name: 'To' }).fill('later@printer.test');
      await page.getByRole('combobox', { name: 'To' }).press('Enter');
      await page.getByLabel('Subject').fill('Two hundred leaflets');
      await message.click();
      await page.keyboard.type('By Friday, please.');
      await button(page, 'Send').click();
      await toast(page, 'Sent.');
      await page.goto(`${walk.base}/admin/queue`);
      await shown(page, page.getByText('mailbox busy, come again'));
      await page.getByRole('row').filter({ hasText: 'later@printer.test' }).getByRole('link').first().click();
      await page.getByRole('heading', { name: 'What happened' }).waitFor();
      await page.getByText('mailbox busy, come again').first().waitFor();
      await walk.picture(page, 'admin-queue');
      await button(page, 'Bounce').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Bounce' }).click();
      await page.waitForURL('**/admin/queue');
      await page.getByRole('row').filter({ hasText: 'later@printer.test' }).waitFor({ state: 'detached' });
    });

    step('asks what a change of the filter would have done', async () => {
      const { page } = dora;
      await page.goto(`${walk.base}/admin/spam`);
      await page.getByLabel('Setting', { exact: true }).first().fill('enabled');
      await page.getByLabel('Value').first().fill('false');
      await button(page, 'Ask').click();
      await page.getByText(/It would have moved/).waitFor();
      await walk.picture(page, 'admin-what-if');
    });

    step('takes a change back', async () => {
      const { page } = dora;
      await page.goto(`${walk.base}/admin/accounts/${encodeURIComponent(MILO)}`);
      await page.getByLabel('Room in GB').fill('5');
      await button(page, 'Save').first().click();
      await page.getByText('Saved', { exact: true }).waitFor();
      await page.goto(`${walk.base}/admin/audit`);
      const entry = page.getByRole('row').filter({ hasText: 'Room changed' }).filter({ hasText: MILO });
      await entry.waitFor();
      await walk.picture(page, 'admin-audit');
      await entry.getByRole('button', { name: 'Take back', exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Take back', exact: true }).click();
      await entry.getByText('Taken back', { exact: true }).waitFor();
      await page.goto(`${walk.base}/admin/accounts/${encodeURIComponent(MILO)}`);
      assert.equal(await page.getByLabel('Room in GB').inputValue(), '');
    });

    step('sees on one page how it stands', async () => {
      const { page } = dora;
      await page.goto(`${walk.base}/admin/overview`);
      await page.getByRole('heading', { name: 'The last 24 hours' }).waitFor();
      await walk.picture(page, 'admin-overview');
      assert.deepEqual(dora.errors, []);
    });
  });

  /** Load the page until it shows this. */
  async function shown(page: Page, what: Locator): Promise<void> {
    await until(async () => {
      await page.reload();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      return what.first().isVisible();
    }, 'the page shows it');
  }
});
