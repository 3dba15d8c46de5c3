import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answer, jmapClient } from '../jmap/client.ts';
import { imapClient } from '../support/imap-client.ts';
import { TEST_PASSWORD } from '../support/server.ts';
import { settled, showsEveryPage } from './each-page.ts';
import { lmtp } from './lmtp.ts';
import { NO_LONG_BROWSER, startWebWorld, USER, type WebPage, type WebWorld } from './support.ts';

const PAGES = [
  'general',
  'identities',
  'security',
  'programs',
  'vacation',
  'rules',
  'forward',
  'scripts',
  'labels',
  'senders',
  'masked',
  'deleted',
  'refused',
] as const;

describe('settings', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld();
  });
  after(() => world.close());

  /** The page of a setting, with what is in it there. */
  async function at(name: string, options: Parameters<WebWorld['open']>[0] = {}): Promise<WebPage> {
    const open = await world.open({ path: `/settings/${name}`, ...options });
    await settled(open.page);
    return open;
  }

  showsEveryPage({ area: 'settings', pages: PAGES, open: at });

  it('speaks the language that is chosen, at once and from then on', async () => {
    await using open = await at('general');
    await open.page.getByLabel('Language').selectOption('de');
    await open.page.getByRole('heading', { name: 'Allgemein', level: 1 }).waitFor();
    await open.page.reload();
    await open.page.getByRole('link', { name: 'Weiterleitung' }).waitFor();
    await open.page.waitForFunction(() => document.documentElement.lang === 'de');
  });

  it('makes rules of a form that file mail as it arrives', async () => {
    await using open = await at('rules');
    const { page } = open;
    await page.getByRole('button', { name: 'New rule' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Club');
    await page.getByRole('group', { name: 'Condition' }).getByLabel('Text').fill('club.example');
    await page.getByLabel('Folder').fill('Club');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Sender contains “club.example” → into Club').waitFor();
    await lmtp(world.server, USER, 'From: Anna <anna@club.example>\nSubject: Match on Sunday\n\nAt ten.\n');
    const client = await imapClient(world.server.ports.imaps ?? 0, { tls: true });
    await client.ok(`LOGIN ${USER} "${TEST_PASSWORD}"`);
    assert.match((await client.ok('STATUS Club (MESSAGES)')).join(), /MESSAGES 1/);
    client.close();
    await page.getByRole('button', { name: 'Delete: Club' }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.reload();
    await page.getByText('into Club').waitFor();
    await page.goto('/settings/scripts');
    await page.getByText('fileinto').waitFor();
  });

  it('answers while its owner is away, and says what is wrong with a form', async () => {
    await using open = await at('vacation', { timeZone: 'America/New_York' });
    const { page } = open;
    await page.getByLabel('Answer while I am away').check();
    await page.getByLabel('Answer', { exact: true }).fill('Back on Monday.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.reload();
    assert.equal(await page.getByLabel('Answer', { exact: true }).inputValue(), 'Back on Monday.');
    assert.equal(await page.getByLabel('Answer while I am away').isChecked(), true);
    // What only other programs set is shown, and stays until it is changed.
    const client = await jmapClient(world.server, USER);
    const kept = async (): Promise<Answer> =>
      (await client.call('VacationResponse/get'))['list'][0] as Answer;
    const singleton = {
      fromDate: '2030-06-01T12:34:56Z',
      toDate: '2030-06-03T12:00:00Z',
      textBody: null,
      htmlBody: '<p>Back on <b>Monday</b>.</p>',
    };
    await client.call('VacationResponse/set', { update: { singleton } });
    await page.reload();
    assert.equal(await page.getByLabel('Answer', { exact: true }).inputValue(), 'Back on Monday.');
    assert.equal(await page.getByLabel('First day').inputValue(), '2030-06-01');
    assert.equal(await page.getByLabel('Last day').inputValue(), '2030-06-03');
    await page.getByText('Another program set the exact time').nth(1).waitFor();
    assert.equal(await page.getByText('Another program set the exact time').count(), 2);
    await page.getByText('Another program gave this answer formatting').waitFor();
    await page.getByLabel('Subject').fill('Away');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    assert.deepEqual(await kept(), { id: 'singleton', isEnabled: true, subject: 'Away', ...singleton });
    await page.reload();
    await page.getByLabel('Last day').fill('2030-06-04');
    await page.getByLabel('Answer', { exact: true }).fill('Back on Tuesday.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    const { fromDate, toDate, textBody, htmlBody } = await kept();
    assert.deepEqual([fromDate, textBody, htmlBody], [singleton.fromDate, 'Back on Tuesday.', null]);
    // A day ends when it does where one is, not where the server is.
    assert.equal(toDate, '2030-06-05T04:00:00Z');
    await page.reload();
    assert.equal(await page.getByLabel('Last day').inputValue(), '2030-06-04');
    assert.equal(await page.getByText('Another program set the exact time').count(), 1);
    await page.goto('/settings/forward');
    await page.getByLabel('Addresses').fill('no address');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').waitFor();
  });

  it('makes a masked address that takes mail, tells who passed it on, and can be switched off', async () => {
    await using open = await at('masked');
    const { page } = open;
    await page.getByLabel('What for').fill('Shoes');
    await page.getByLabel('Site').fill('shoes.example');
    await page.getByRole('button', { name: 'Make an address' }).click();
    const address = (await page.locator('.settings-item-name').first().textContent())?.trim() ?? '';
    assert.match(address, /@example\.test$/);
    const message = (from: string): string => `From: <${from}>\nTo: <${address}>\nSubject: Offers\n\nBuy.\n`;
    await lmtp(world.server, address, message('news@shoes.example'), 'news@shoes.example');
    await lmtp(world.server, address, message('spam@stranger.example'), 'spam@stranger.example');
    await page.reload();
    await page.getByText('Passed on').waitFor();
    await page.getByText('1 message from stranger.example').waitFor();
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByRole('button', { name: 'Switch on' }).waitFor();
    await assert.rejects(
      lmtp(world.server, address, message('news@shoes.example'), 'news@shoes.example'),
      /55\d/,
    );
  });

  it('gives out an app password that a mail program gets in with, and takes it back', async () => {
    await using open = await at('security');
    const { page } = open;
    await page.getByRole('button', { name: 'Make an app password' }).click();
    await page.getByLabel('What for').fill('Laptop');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'Your new app password' }).waitFor();
    const password = (await page.locator('.settings-code').textContent()) ?? '';
    const login = async (): Promise<string> => {
      const client = await imapClient(world.server.ports.imaps ?? 0, { tls: true });
      const { tagged } = await client.command(`LOGIN ${USER} "${password}"`);
      client.close();
      return tagged.slice(0, 2);
    };
    assert.equal(await login(), 'OK');
    await page.getByRole('button', { name: 'OK' }).click();
    await page.getByText('Laptop').waitFor();
    await page.getByRole('button', { name: 'Remove: Laptop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Laptop').waitFor({ state: 'detached' });
    assert.equal(await login(), 'NO');
  });

  it('writes a Sieve script, says where it is wrong, and lets it run', async () => {
    await using open = await at('scripts');
    const { page } = open;
    await page.getByRole('button', { name: 'New script' }).click();
    await page.getByLabel('Name').fill('mine');
    await page.getByLabel('Script').fill('require "fileinto";\nif true { fileinto }');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText(/line 2/).waitFor();
    await page.getByLabel('Script').fill('require "fileinto"; if header :is "subject" "x" { fileinto "X"; }');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByText('Active', { exact: true }).waitFor();
  });

  it('says who is let through, and who is not', async () => {
    await using open = await at('senders');
    const { page } = open;
    const add = async (address: string, state: string): Promise<void> => {
      await page.getByLabel('Address or domain').fill(address);
      await page.locator('select').selectOption({ label: state });
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('listitem').filter({ hasText: address }).waitFor();
    };
    await add('friend@example.net', 'Allow');
    await add('@spam.example', 'Block');
    const badge = (address: string): Promise<string | null> =>
      page.getByRole('listitem').filter({ hasText: address }).locator('.badge').textContent();
    assert.deepEqual(
      [await badge('friend@example.net'), await badge('@spam.example')],
      ['Allowed', 'Blocked'],
    );
  });

  it('brings back what was deleted for good', async () => {
    const [id] = await world.deposit(['From: <x@example.org>\nSubject: Deed of the house\n\nKeep.\n']);
    const client = await world.jmap();
    await client.call('Email/set', { destroy: [id] });
    await using open = await at('deleted');
    await open.page.getByText('Deed of the house').click();
    await open.page.getByRole('button', { name: 'Bring 1 message back' }).click();
    await open.page.getByText('1 message is back').waitFor();
    const found = await client.call('Email/query', { filter: { subject: 'Deed' } });
    assert.equal((found['ids'] as string[]).length, 1);
  });
});
