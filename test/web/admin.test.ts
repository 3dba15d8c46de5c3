import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipUnlessLong } from '../support/programs.ts';
import { lmtp } from './lmtp.ts';
import {
  ADMIN,
  assertAccessible,
  DESKTOP,
  NO_LONG_BROWSER,
  PHONE,
  shot,
  startWebWorld,
  USER,
  type WebPage,
  type WebWorld,
} from './support.ts';

const PAGES = [
  'overview',
  'setup',
  'charts',
  'domains',
  'domains/example.test',
  'accounts',
  `accounts/${encodeURIComponent(USER)}`,
  'aliases',
  'groups',
  'invitations',
  'trace?q=bob@example.test',
  'queue',
  'vault',
  'spam',
  'routes',
  'reports',
  'certificates',
  'backups',
  'bans',
  'audit',
  'settings',
] as const;

const LONG = skipUnlessLong() === false;

describe('administration', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld();
    await lmtp(world.server, USER, 'From: <x@example.org>\nSubject: Hello\n\nHello.\n');
  });
  after(() => world.close());

  async function at(name: string, options: Parameters<WebWorld['open']>[0] = {}): Promise<WebPage> {
    const open = await world.open({ as: ADMIN, path: `/admin/${name}`, ...options });
    await open.page.getByRole('heading', { level: 1 }).waitFor();
    return open;
  }

  // All four in CI; the two that differ most otherwise.
  for (const [size, viewport, looks] of [
    ['desktop', DESKTOP, LONG ? [false, true] : [true]],
    ['phone', PHONE, LONG ? [false, true] : [false]],
  ] as const) {
    it(`shows every page on a ${size} without fault`, async () => {
      for (const dark of looks) {
        await using open = await at('overview', { viewport, dark, touch: size === 'phone' });
        for (const name of PAGES) {
          await open.page.goto(`/admin/${name}`);
          await open.page.getByRole('heading', { level: 1 }).waitFor();
          await open.page.waitForLoadState('networkidle');
          await shot(open.page, `admin-${name.replaceAll(/\W+/g, '-')}-${size}${dark ? '-dark' : ''}`);
          await assertAccessible(open.page);
          const wide = await open.page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          assert.ok(wide <= 0, `${name} is ${wide} pixels wider than the window`);
        }
        assert.deepEqual(open.errors, []);
      }
    });
  }

  it('is not for people who administer nothing', async () => {
    await using open = await world.open({ as: USER, path: '/admin/accounts' });
    await open.page.getByText('These pages are for administrators.').waitFor();
    const answer = await open.context.request.get('/admin/v1/accounts', { headers: { 'X-Postern': '1' } });
    assert.equal(answer.status(), 403);
  });

  it('makes a domain, an account, an alias and a group, and mail comes to them', async () => {
    await using open = await at('domains');
    const { page } = open;
    await page.getByLabel('New domain').fill('club.example');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('heading', { name: 'club.example' }).waitFor();
    await page.getByText('v=spf1').first().waitFor();
    await page.goto('/admin/accounts');
    await page.getByRole('button', { name: 'New account' }).click();
    await page.getByLabel('Address').fill('carol@club.example');
    await page.getByLabel('Name', { exact: true }).fill('Carol');
    await page.getByLabel('Room in GB').fill('2');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: 'Carol' }).waitFor();
    assert.equal((await world.server.account('carol@club.example')).quota, 2_000_000_000);
    await page.goto('/admin/aliases');
    await page.getByLabel('Alias').fill('info@club.example');
    await page.getByLabel('Leads to').fill('carol@club.example');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('cell', { name: 'info@club.example', exact: true }).waitFor();
    await page.goto('/admin/groups');
    await page.getByRole('button', { name: 'New group' }).click();
    await page.getByLabel('Address', { exact: true }).fill('all@club.example');
    await page.getByLabel('Members').first().fill('carol@club.example\nbob@example.test');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: 'all@club.example' }).first().waitFor();
    for (const address of ['info@club.example', 'all@club.example'])
      await lmtp(world.server, address, 'From: <x@example.org>\nSubject: To all\n\nHello.\n');
    assert.equal((await world.server.account('carol@club.example')).emails, 2);
  });

  it('takes back what was done, by the log of who changed what', async () => {
    await using open = await at(`accounts/${encodeURIComponent(USER)}`);
    const { page } = open;
    await page.getByLabel('Room in GB').fill('3');
    await page.getByRole('button', { name: 'Save' }).first().click();
    await page.getByText('Saved').waitFor();
    assert.equal((await world.server.account(USER)).quota, 3_000_000_000);
    await page.goto('/admin/audit');
    const row = page.getByRole('row').filter({ hasText: 'quota' }).filter({ hasText: USER }).first();
    await row.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
    await page.getByText('Taken back').first().waitFor();
    assert.equal((await world.server.account(USER)).quota, 0);
  });

  it('invites somebody, who makes an account of their own, once', async () => {
    await using open = await at('invitations');
    const { page } = open;
    await page.getByLabel('For', { exact: true }).fill('dave@example.test');
    await page.getByRole('button', { name: 'Invite' }).click();
    const link = (await page.locator('.settings-code').textContent()) ?? '';
    const { pathname, search, hash } = new URL(link);
    await using stranger = await world.open({ as: undefined, path: `${pathname}${search}${hash}` });
    const theirs = stranger.page;
    await theirs.getByText('dave@example.test').first().waitFor();
    await theirs.getByLabel(/name/i).first().fill('Dave');
    for (const field of await theirs.locator('input[type=password]').all())
      await field.fill('a long enough password of Dave');
    await theirs.locator('form button[type=submit]').click();
    await theirs.waitForURL('**/mail**');
    assert.equal((await world.server.account('dave@example.test')).displayName, 'Dave');
    await using late = await world.open({ as: undefined, path: `${pathname}${search}${hash}` });
    await late.page.getByRole('alert').waitFor();
  });

  it('finds what became of a message, and shows events as they happen', async () => {
    await using open = await at('trace');
    const { page } = open;
    await page.getByLabel('Search').fill(USER);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('message.deposited').first().waitFor();
    await page.getByRole('button', { name: 'Watch live' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    await lmtp(world.server, USER, 'From: <live@example.org>\nSubject: Now\n\nHello.\n', 'live@example.org');
    await page
      .getByText(/live@example\.org/)
      .first()
      .waitFor();
  });

  it('says what a change of the filter would have done', async () => {
    await using open = await at('spam');
    const { page } = open;
    await page.getByLabel('Setting', { exact: true }).first().fill('enabled');
    await page.getByLabel('Value').first().fill('false');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText(/It would have moved/).waitFor();
    await page.getByRole('button', { name: 'Edit: good_per_junked' }).click();
    await page.getByLabel('Value').last().fill('not a number');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
  });

  it('holds, releases and drops what waits in the queue', async () => {
    const client = await world.jmap(ADMIN);
    const mailboxes = await client.call('Mailbox/query', { filter: { role: 'drafts' } });
    const made = await client.call('Email/set', {
      create: {
        a: {
          mailboxIds: { [(mailboxes['ids'] as string[])[0] ?? '']: true },
          from: [{ email: ADMIN }],
          to: [{ email: 'someone@nowhere.example' }],
          subject: 'Waits',
          bodyValues: { t: { value: 'Hello' } },
          textBody: [{ partId: 't', type: 'text/plain' }],
        },
      },
    });
    const identity = await client.call('Identity/get', { ids: null });
    const sent = await client.call('EmailSubmission/set', {
      create: {
        s: {
          emailId: made['created'].a.id,
          identityId: identity['list'][0].id,
          envelope: {
            mailFrom: { email: ADMIN, parameters: { HOLDFOR: '3600' } },
            rcptTo: [{ email: 'someone@nowhere.example' }],
          },
        },
      },
    });
    assert.ok(sent['created']?.s, JSON.stringify(sent));
    await using open = await at('queue');
    const { page } = open;
    await page.getByRole('row').filter({ hasText: 'someone@nowhere.example' }).getByRole('link').click();
    await page.getByRole('button', { name: 'Hold' }).click();
    await page.getByText('held', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Drop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drop' }).click();
    await page.getByText('Nothing waits.').waitFor();
  });
});
