import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { startAws } from '../support/aws/emulator.ts';
import { startDnsServer, type TestDnsServer } from '../support/dns-server.ts';
import { showsEveryPage } from './each-page.ts';
import { lmtp } from './lmtp.ts';
import { ADMIN, NO_LONG_BROWSER, startWebWorld, USER, type WebPage, type WebWorld } from './support.ts';

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
  'ses',
  'reports',
  'certificates',
  'backups',
  'bans',
  'audit',
  'settings',
] as const;

describe('administration', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  let dns: TestDnsServer;
  before(async () => {
    dns = await startDnsServer({});
    const servers = [{ address: dns.address, port: dns.port, trusted: false }];
    world = await startWebWorld({
      dns: createResolver({ servers, clock: systemClock }),
      config: { dns: { servers: [`${dns.address}:${dns.port}`] } },
    });
    await lmtp(world.server, USER, 'From: <x@example.org>\nSubject: Hello\n\nHello.\n');
  });
  after(async () => {
    await world.close();
    await dns.close();
  });

  async function at(name: string, options: Parameters<WebWorld['open']>[0] = {}): Promise<WebPage> {
    const open = await world.open({ as: ADMIN, path: `/admin/${name}`, ...options });
    await open.page.getByRole('heading', { level: 1 }).waitFor();
    return open;
  }

  showsEveryPage({ area: 'admin', pages: PAGES, open: at });

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
    // Not as much as there is: somebody meant something.
    await page.getByLabel('Room in GB').fill('two');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Write a number, such as 2.5, or nothing.').waitFor();
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
    await page.getByText('Saved', { exact: true }).waitFor();
    assert.equal((await world.server.account(USER)).quota, 3_000_000_000);
    await page.goto('/admin/audit');
    // What takes it back has an entry of its own, with another name.
    const row = page.getByRole('row').filter({ hasText: 'Room changed' }).filter({ hasText: USER });
    await row.getByRole('button', { name: 'Take back', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Take back', exact: true }).click();
    // Said in the row, once what is shown is as it is now.
    await row.getByText('Taken back', { exact: true }).waitFor();
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
    await page.getByText(/messages? or connections?/).waitFor();
    // By whom it was sent and what became of it, and linked to.
    await page.getByLabel('Sender').fill('@example.org');
    await page.getByLabel('Outcome').selectOption('delivered');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.waitForURL(/sender=%40example.org&outcome=delivered/);
    await page.getByText(/messages? or connections?/).waitFor();
    const time = page.locator('.admin-events time').first();
    assert.match((await time.getAttribute('title')) ?? '', /^\d{4}-\d\d-\d\d/);
    const kept = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const stream = await (await kept).createReadStream();
    let lines = '';
    for await (const piece of stream) lines += String(piece);
    assert.ok(lines.split('\n').some((line) => line.includes('"message.deposited"')));
    await page.getByLabel('Outcome').selectOption('refused');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('Nothing is known of it.').waitFor();
    await page.getByLabel('Sender').fill('');
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
    await page
      .getByRole('row')
      .filter({ hasText: 'someone@nowhere.example' })
      .getByRole('link')
      .first()
      .click();
    await page.getByRole('button', { name: 'Hold' }).click();
    await page.getByText('held', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Drop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drop' }).click();
    await page.getByText('Nothing waits.').waitFor();
  });

  it('adds ways to send and routes by forms, and tells where mail would go', async () => {
    await using open = await at('routes');
    const { page } = open;
    await page.getByRole('button', { name: 'New way to send' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('smarthost');
    await dialog.getByLabel('Host').fill('smtp.provider.example');
    await dialog.getByLabel('User name').fill('us');
    await dialog.getByLabel('Password').fill('secret of the smarthost');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: 'smtp.provider.example:587 · us' }).waitFor();
    await page.getByRole('button', { name: 'New route' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('to-far');
    await dialog.getByLabel('Ways, in order').fill('smarthost, direct');
    await dialog.getByLabel('To domains').fill('far.example');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: 'To domains: far.example' }).waitFor();
    await page.getByLabel('Mail to').fill('somebody@far.example');
    await page.getByRole('button', { name: 'Ask' }).first().click();
    await page.getByText('It would take the route “to-far”:').waitFor();
    await page.getByLabel('Mail to').fill(USER);
    await page.getByRole('button', { name: 'Ask' }).first().click();
    await page.getByText('example.test is a domain of ours').waitFor();
    // What the form has no field for stays, and so does the secret, which is not shown.
    await page.getByRole('button', { name: 'Edit: smarthost' }).click();
    assert.equal(await dialog.getByLabel('Password').inputValue(), '');
    await dialog.getByLabel('Port').fill('465');
    await dialog.getByLabel('Encryption').selectOption('implicit');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: 'smtp.provider.example:465 · us' }).waitFor();
    const kept = JSON.parse((await world.server.store.read.run('routing.settings', null)) ?? '{}');
    assert.equal(kept.transports.smarthost.login.user, 'us');
    assert.match(kept.transports.smarthost.login.secret_file, /secrets\/transport-smarthost$/);
    await page.getByRole('button', { name: 'Remove: to-far' }).click();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('All mail takes the usual way.').waitFor();
  });

  it('shows how Amazon SES stands, with what mends it, and whom nothing is sent to', async () => {
    const aws = await startAws({ ses: { identities: ['example.test'], production: false } });
    try {
      await using open = await at('ses');
      const { page } = open;
      await page.getByText('No way to send and no source of mail uses Amazon SES.').waitFor();
      await page.goto('/admin/routes');
      await page.getByRole('button', { name: 'New way to send' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Kind').selectOption('ses-api');
      await dialog.getByLabel('Name', { exact: true }).fill('ses');
      await dialog.getByLabel('Region').fill('eu-west-1');
      await dialog.getByLabel('Configuration set').fill('postern');
      await dialog.getByLabel('Access key').fill(`${aws.accessKeyId}:${aws.secretAccessKey}`);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('button', { name: 'Edit: ses' }).click();
      // The emulator in Amazon's place: what the form has no field for, as JSON.
      const json = dialog.getByLabel('JSON');
      await dialog.getByLabel('Kind').selectOption('json');
      const settings = JSON.parse(await json.inputValue());
      await json.fill(JSON.stringify({ ...settings, endpoint: aws.endpoint }));
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.goto('/admin/ses');
      const region = page.getByRole('region', { name: 'eu-west-1' });
      await region.getByText('used by ses').waitFor();
      await region.getByText('The account is in the sandbox.').waitFor();
      await region.getByText('Sending is enabled, and Amazon has no objections.').waitFor();
      await region.getByText('0 of 50000 recipients in 24 hours are used', { exact: false }).waitFor();
      await region.getByText('The domain is verified.').waitFor();
      await region.getByText('SES signs mail of the domain.').waitFor();
      await region.getByText('configuration set postern').waitFor();
      await region.getByRole('button', { name: /^Copy: aws sesv2 put-account-details/ }).waitFor();
      await page.getByLabel('Address').fill('gone@far.example');
      await page.getByRole('button', { name: 'Add' }).click();
      await page.getByRole('cell', { name: 'gone@far.example', exact: true }).waitFor();
      await page.getByRole('button', { name: 'Remove: gone@far.example' }).click();
      await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByText('Mail is sent to everybody.').waitFor();
    } finally {
      await aws.close();
    }
  });

  it('signs somebody out whose laptop was stolen', async () => {
    await using theirs = await world.open({ as: USER });
    await using open = await at(`accounts/${encodeURIComponent(USER)}`);
    const { page } = open;
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByRole('button', { name: 'Sign out everywhere' }).waitFor({ state: 'detached' });
    const answer = await theirs.context.request.get('/auth/me', { headers: { 'X-Postern': '1' } });
    assert.equal(answer.status(), 401);
  });

  it('bans with a reason, never bans some, asks before held mail is dropped', async () => {
    await using open = await at('bans');
    const { page, context } = open;
    await page.getByLabel('Network', { exact: true }).fill('198.51.100.7');
    await page.getByLabel('Why').fill('guesses');
    await page.getByRole('button', { name: 'Ban', exact: true }).click();
    await page.getByRole('row').filter({ hasText: '198.51.100.7' }).getByText('guesses').waitFor();
    await page.getByLabel('Network that is never banned').fill('192.0.2.0/24');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('cell', { name: '192.0.2.0/24', exact: true }).waitFor();
    const held = [{ account: USER, hold: { reason: 'it sent far more', since: 0 }, messages: 3 }];
    await page.route(/\/admin\/v1\/holds\??$/, (route) => route.fulfill({ json: { held } }));
    let released = 0;
    await page.route('**/admin/v1/holds/*/release', (route) => {
      released++;
      return route.fulfill({ json: { messages: 3, recipients: 3 } });
    });
    await page.reload();
    await page.getByRole('button', { name: 'Drop', exact: true }).click();
    await page.getByRole('dialog').getByText(`Drop all held mail of ${USER}?`).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.equal(released, 0);
    // A session that ends meanwhile is said once, where one signs in.
    await page.getByLabel('Network', { exact: true }).fill('198.51.100.8');
    await context.clearCookies();
    await page.getByRole('button', { name: 'Ban', exact: true }).click();
    await page.getByText('Your session has ended.').waitFor();
    assert.equal(await page.locator('.toast.bad').count(), 0);
  });

  it('says how a backup is set up where there is none', async () => {
    await using open = await at('backups');
    await open.page.getByText('No backup is set up').waitFor();
    await open.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.base });
    await open.page.getByRole('button', { name: 'Copy: postern backup create' }).click();
    assert.equal(await open.page.evaluate<string>('navigator.clipboard.readText()'), 'postern backup create');
    await open.page.getByText('How to restore').waitFor();
  });
});
