import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { parseRights } from '../../src/data/sharing/rights.ts';
import type { JmapClient } from '../jmap/client.ts';
import { TEST_PASSWORD, testActor } from '../support/server.ts';
import { keptOnDevice } from './device.ts';
import {
  ADMIN,
  assertAccessible,
  NO_LONG_BROWSER,
  PATIENCE_MS,
  PHONE,
  shot,
  startWebWorld,
  USER,
  type WebWorld,
} from './support.ts';

/** Writing mail in the browser; what arrives is looked at by JMAP. */

interface Part {
  readonly partId: string | null;
  readonly blobId: string;
  readonly type: string;
  readonly name: string | null;
  readonly cid: string | null;
  readonly disposition: string | null;
}
interface Got {
  readonly id: string;
  readonly subject: string;
  readonly from: { readonly email: string }[];
  readonly to: { readonly email: string }[];
  readonly bcc: { readonly email: string }[] | null;
  readonly replyTo: { readonly email: string }[] | null;
  readonly inReplyTo: string[] | null;
  readonly references: string[] | null;
  readonly messageId: string[];
  readonly keywords: Record<string, true>;
  readonly attachments: Part[];
  readonly textBody: Part[];
  readonly htmlBody: Part[];
  readonly bodyValues: Record<string, { readonly value: string }>;
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFElEQVR42mNkYPhfz8DAwMDEAAUAGAgBgWxvFqMAAAAASUVORK5CYII=',
  'base64',
);

describe('writing', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld();
  });
  after(() => world.close());

  const find = async (client: JmapClient, subject: string, role: string): Promise<Got | undefined> => {
    const boxes = (await client.call('Mailbox/get', { ids: null }))['list'] as { id: string; role: string }[];
    const inMailbox = boxes.find((each) => each.role === role)?.id;
    const { ids } = await client.call('Email/query', {
      filter: { inMailbox, subject },
      sort: [{ property: 'receivedAt', isAscending: false }],
    });
    const { list } = await client.call('Email/get', {
      ids: (ids as string[]).slice(0, 1),
      properties: [
        'id',
        'subject',
        'from',
        'to',
        'bcc',
        'replyTo',
        'inReplyTo',
        'references',
        'messageId',
        'keywords',
        'attachments',
        'textBody',
        'htmlBody',
        'bodyValues',
      ],
      fetchTextBodyValues: true,
      fetchHTMLBodyValues: true,
    });
    return (list as Got[])[0];
  };
  const count = async (client: JmapClient, subject: string, role: string): Promise<number> => {
    const boxes = (await client.call('Mailbox/get', { ids: null }))['list'] as { id: string; role: string }[];
    const inMailbox = boxes.find((each) => each.role === role)?.id;
    return ((await client.call('Email/query', { filter: { inMailbox, subject } }))['ids'] as string[]).length;
  };
  const until = async <T>(look: () => Promise<T | undefined | false>): Promise<T> => {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await new Promise((done) => setTimeout(done, 150));
    }
    assert.fail('it did not happen');
  };
  const value = (email: Got, parts: readonly Part[]): string =>
    email.bodyValues[parts[0]?.partId ?? '']?.value ?? '';
  const message = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
  const write = async (page: Page, to: string, subject: string, text: string): Promise<void> => {
    await message(page).waitFor();
    await page.getByRole('combobox', { name: 'To' }).fill(to);
    await page.getByRole('combobox', { name: 'To' }).press('Enter');
    await page.getByLabel('Subject').fill(subject);
    await message(page).click();
    await page.keyboard.type(text);
  };
  const send = (page: Page): Promise<void> => page.getByRole('button', { name: 'Send', exact: true }).click();
  const sendsAtOnce = async (context: BrowserContext): Promise<void> => {
    const data = { undoSendSeconds: 0 };
    await context.request.put(`${world.base}/account/v1/preferences`, {
      headers: { 'X-Postern': '1' },
      data,
    });
  };
  const saved = (page: Page): Promise<void> => page.getByText(/^Saved/).waitFor();

  it('sends what was written: text, formatting, a file and a picture', async () => {
    const client = await world.jmap();
    const { list: identities } = await client.call('Identity/get', { ids: null });
    const { id: identity = '' } = (identities as { id: string }[])[0] ?? {};
    const replyTo = [{ name: null, email: 'answers@example.test' }];
    await client.call('Identity/set', { update: { [identity]: { replyTo } } });
    await using opened = await world.open({ path: '/mail?compose' });
    const { page } = opened;
    await page.evaluate(() => localStorage.setItem('postern.preferences', '{"undoSendSeconds":0}'));
    await page.route('**/account/v1/preferences', (route) =>
      route.fulfill({ json: { preferences: { undoSendSeconds: 0 } } }),
    );
    await page.goto('/mail?compose');
    await write(page, ADMIN, 'Bücher & more', 'Grüezi ');
    await page.keyboard.press('Control+b');
    await page.keyboard.type('bold');
    await page.keyboard.press('Control+b');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Bulleted list' }).click();
    await page.keyboard.type('one');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.keyboard.type('שלום, world.');
    const octets = randomBytes(300_000);
    const [files, images] = [
      page.locator('input[type=file]').nth(0),
      page.locator('input[type=file]').nth(1),
    ];
    await files.setInputFiles({ name: 'Größe.bin', mimeType: 'application/octet-stream', buffer: octets });
    await images.setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: PNG });
    await message(page).locator('img').waitFor();
    await page.getByText('Größe.bin').waitFor();
    await assertAccessible(page);
    await shot(page, 'compose');
    await send(page);
    await page.getByText('Sent.').waitFor();
    const alice = await world.jmap(ADMIN);
    const got = await until(() => find(alice, 'Bücher', 'inbox'));
    assert.equal(got.from[0]?.email, USER);
    assert.match(value(got, got.textBody), /^Grüezi bold\n\n- one/);
    const html = value(got, got.htmlBody);
    assert.match(html, /Grüezi(?: |&nbsp;)<b>bold<\/b>/);
    assert.match(html, /<ul><li>one<\/li><\/ul>/);
    assert.match(html, /<div dir="rtl">שלום, world\./);
    assert.deepEqual(
      got.replyTo?.map(({ email }) => email),
      ['answers@example.test'],
    );
    const file = got.attachments.find(({ name }) => name === 'Größe.bin');
    const picture = got.attachments.find(({ type }) => type === 'image/png');
    assert.ok(file && picture);
    const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    assert.equal(hash(await (await alice.download(file.blobId)).bytes()), hash(octets));
    assert.equal(hash(await (await alice.download(picture.blobId)).bytes()), hash(PNG));
    assert.ok(html.includes(`src="cid:${picture.cid ?? '-'}"`), html);
    const bob = await world.jmap();
    const kept = await until(() => find(bob, 'Bücher', 'sent'));
    assert.ok(!('$draft' in kept.keywords));
    assert.equal(await count(bob, 'Bücher', 'drafts'), 0);
    assert.deepEqual(opened.errors, []);
  });

  it('can be taken back', async () => {
    await using opened = await world.open({ path: '/mail?compose' });
    const { page } = opened;
    await page.route('**/account/v1/preferences', (route) =>
      route.fulfill({ json: { preferences: { undoSendSeconds: 60 } } }),
    );
    await page.goto('/mail?compose');
    await write(page, ADMIN, 'Rash words', 'I quit.');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Sent.').waitFor();
    // What is said of it is not in the way of the next one, at any width.
    await page.keyboard.press('c');
    await message(page).waitFor();
    const usual = page.viewportSize();
    const isCovered = (selector: string): Promise<boolean> =>
      page.evaluate((below) => {
        const [toast, row] = ['.toast', below].map((each) =>
          document.querySelector(each)?.getBoundingClientRect(),
        );
        if (toast === undefined || row === undefined) throw new Error('it is not there');
        return toast.bottom > row.top && toast.right > row.left;
      }, selector);
    for (const [width, shape] of [
      [1160, 'Large'],
      [1160, 'Usual size'],
      [360, undefined],
    ] as const) {
      await page.setViewportSize({ width, height: 640 });
      if (shape !== undefined) await page.getByRole('button', { name: shape, exact: true }).click();
      await page.getByRole('button', { name: 'Send', exact: true }).click({ trial: true });
      for (const row of ['.compose-tools', '.compose-foot'])
        assert.equal(await isCovered(row), false, `${row} at ${width} ${shape}`);
    }
    if (usual !== null) await page.setViewportSize(usual);
    await page.getByRole('button', { name: 'Save and close' }).click();
    await message(page).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await message(page).waitFor();
    assert.match((await message(page).textContent()) ?? '', /I quit\./);
    const bob = await world.jmap();
    assert.equal(await count(bob, 'Rash words', 'sent'), 0);
    assert.equal(await count(bob, 'Rash words', 'drafts'), 1);
    const { list } = await bob.call('EmailSubmission/get', { ids: null });
    assert.deepEqual(
      (list as { undoStatus: string }[])
        .map(({ undoStatus }) => undoStatus)
        .filter((each) => each !== 'final'),
      ['canceled'],
    );
    // Discarded, and brought back.
    await page.getByRole('button', { name: 'Discard' }).click();
    await message(page).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await message(page).waitFor();
    assert.equal(await count(await world.jmap(ADMIN), 'Rash words', 'inbox'), 0);
  });

  it('can leave later, and is listed until then', async () => {
    await using opened = await world.open({ path: '/mail?compose' });
    const { page } = opened;
    await write(page, ADMIN, 'Good morning', 'Hello.');
    await page.getByRole('button', { name: 'Send later' }).click();
    await assertAccessible(page);
    await page.getByRole('menuitem', { name: 'Choose day and time' }).click();
    await page.getByLabel('Send at').fill('2020-01-01T08:00');
    await page.getByRole('dialog').getByRole('button', { name: 'Send later' }).click();
    await page.getByText('This time has passed').waitFor();
    const at = new Date(Date.now() + 3 * 86_400_000);
    await page.getByLabel('Send at').fill(at.toISOString().slice(0, 16));
    await page.getByRole('dialog').getByRole('button', { name: 'Send later' }).click();
    await page.getByText(/It will be sent on/).waitFor();
    await page.goto('/mail/scheduled');
    const row = page.getByRole('listitem').filter({ hasText: 'Good morning' });
    await row.waitFor();
    await assertAccessible(page);
    await shot(page, 'scheduled');
    await row.getByRole('button', { name: 'Cancel and edit' }).click();
    await page.getByText('it is a draft again').waitFor();
    await message(page).waitFor();
    const bob = await world.jmap();
    const { list } = await bob.call('EmailSubmission/get', { ids: null });
    assert.ok(!(list as { undoStatus: string }[]).some(({ undoStatus }) => undoStatus === 'pending'));
    assert.equal(await count(await world.jmap(ADMIN), 'Good morning', 'inbox'), 0);
  });

  it('is kept as one draft, through a reload and from Drafts', async () => {
    await using opened = await world.open({ path: '/mail?compose' });
    const { page } = opened;
    await write(page, ADMIN, 'Half a thought', 'To be continued');
    await saved(page);
    await page.keyboard.type(', perhaps');
    // The server need not have it yet.
    await keptOnDevice(page, ['postern-compose', 'drafts'], ', perhaps');
    await page.reload();
    await message(page).waitFor();
    assert.match((await message(page).textContent()) ?? '', /To be continued, perhaps/);
    const bob = await world.jmap();
    await until(async () => {
      const draft = await find(bob, 'Half a thought', 'drafts');
      return draft !== undefined && value(draft, draft.textBody).includes('perhaps');
    });
    assert.equal(await count(bob, 'Half a thought', 'drafts'), 1);
    await page.getByRole('button', { name: 'Save and close' }).click();
    await message(page).waitFor({ state: 'detached' });
    assert.equal(await count(bob, 'Half a thought', 'drafts'), 1);
  });

  it('is sent once from two tabs; other words are a message of their own, if one wants', async () => {
    await using opened = await world.open({ path: '/mail' });
    const { page, context } = opened;
    await sendsAtOnce(context);
    const [bob, alice] = [await world.jmap(), await world.jmap(ADMIN)];
    for (const [subject, changes] of [
      ['Twice the same', false],
      ['Twice, changed', true],
    ] as const) {
      await page.goto('/mail?compose');
      await write(page, ADMIN, subject, 'Hello');
      await page.getByRole('button', { name: 'Save and close' }).click();
      await message(page).waitFor({ state: 'detached' });
      await until(async () => (await count(bob, subject, 'drafts')) === 1);
      const tabs = [page, await context.newPage()] as const;
      for (const tab of tabs) {
        tab.setDefaultTimeout(PATIENCE_MS);
        await tab.goto('/mail/drafts');
        await tab.getByText(subject).first().click();
        await message(tab).waitFor();
      }
      const [first, second] = tabs;
      await send(first);
      await first.getByText('Sent.', { exact: true }).waitFor();
      if (changes) {
        await message(second).click();
        await second.keyboard.press('Control+End');
        await second.keyboard.type(' again');
      }
      await send(second);
      if (changes) {
        await second.getByRole('heading', { name: 'Already sent' }).waitFor();
        await second.getByRole('button', { name: 'Keep as a draft' }).click();
        await until(async () => (await count(bob, subject, 'drafts')) === 1);
        assert.equal(await count(alice, subject, 'inbox'), 1);
        await send(second);
        await second.getByText('Sent.', { exact: true }).waitFor();
        await until(async () => (await count(alice, subject, 'inbox')) === 2);
        const got = await until(() => find(alice, subject, 'inbox'));
        assert.match(value(got, got.textBody), /Hello again/);
      } else await second.getByText('already sent from another window').waitFor();
      await message(second).waitFor({ state: 'detached' });
      await second.close();
      assert.deepEqual(
        [
          await count(alice, subject, 'inbox'),
          await count(bob, subject, 'sent'),
          await count(bob, subject, 'drafts'),
        ],
        changes ? [2, 2, 0] : [1, 1, 0],
      );
    }
    assert.deepEqual(opened.errors, []);
  });

  it('says what is missing, at its place', async () => {
    await using opened = await world.open({
      path: '/mail?compose',
      viewport: PHONE,
      touch: true,
      dark: true,
    });
    const { page } = opened;
    await message(page).waitFor();
    await page.getByLabel('Subject').fill('x');
    await send(page);
    await page.getByText('enter at least one address').waitFor();
    await page.getByRole('combobox', { name: 'To' }).fill('nobody,');
    await send(page);
    await page.getByText('“nobody” is not an address').first().waitFor();
    await assertAccessible(page);
    await shot(page, 'compose-phone-dark');
    await page.getByRole('button', { name: 'Remove nobody' }).click();
    // What was wrong is not said any longer.
    await page.getByText('“nobody” is not an address').waitFor({ state: 'detached' });
    await page.getByRole('combobox', { name: 'To' }).fill('nobody@example.test');
    await message(page).click();
    await send(page);
    await page.getByText('“nobody@example.test” takes no mail from here').waitFor();
    await page.getByRole('button', { name: 'Remove nobody@example.test' }).click();
    // However a file is called, it can be taken away again.
    const name = `${'A very long name of a file '.repeat(4)}.txt`;
    await page
      .locator('.compose-window input[type=file]')
      .first()
      .setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from('x') });
    const takeAway = page.locator('.compose-file').getByRole('button', { name: /^Remove A very long/ });
    await takeAway.waitFor();
    const box = await takeAway.boundingBox();
    assert.ok(box !== null && box.x + box.width <= PHONE.width, JSON.stringify(box));
    await takeAway.click();
    // What the server refused to send it keeps as a draft, and what is written then.
    await message(page).click();
    await page.keyboard.type('Kept. ');
    await saved(page);
    const quota = (octets: number): Promise<unknown> =>
      world.server.store.write.run('directory.setQuota', { actor: testActor, address: USER, quota: octets });
    await quota(100);
    await page.keyboard.type('Here. ');
    await page.getByText('Not saved on the server: your mailbox is full').waitFor();
    await page.getByRole('combobox', { name: 'To' }).fill(ADMIN);
    await send(page);
    await page.getByText('Your mailbox is full. Delete something, then send again.').waitFor();
    await quota(0);
    await message(page).click();
    await page.keyboard.type('See the attached file');
    await saved(page);
    const draft = await until(async () => find(await world.jmap(), 'x', 'drafts'));
    assert.match(value(draft, draft.textBody), /Kept\. Here\./);
    await send(page);
    await page.getByRole('heading', { name: 'No attachment?' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Discard' }).click();
  });

  it('answers from the address it came to, quotes without scripts, and marks the message', async () => {
    const [id = ''] = await world.deposit([
      [
        'From: Alice <alice@example.test>',
        'To: bob+news@example.test',
        'Subject: A question',
        'Message-ID: <q1@example.test>',
        'References: <q0@example.test>',
        'MIME-Version: 1.0',
        'Content-Type: text/html; charset=utf-8',
        '',
        '<table width="600" bgcolor="#ffeedd"><tr><td colspan="2" dir="rtl">cell</td></tr></table><p onclick="alert(1)" style="position:fixed;color:red">How are <b>you</b>?</p><script>document.title="owned"</script><img src="http://127.0.0.1:9/pixel.png" onerror="document.title=\'owned\'"><a href="javascript:alert(1)">x</a>',
      ].join('\n'),
    ]);
    await using opened = await world.open({ path: '/mail' });
    const { page } = opened;
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => dialogs.push(dialog.message()) && void dialog.dismiss());
    await page.getByText('A question').first().click();
    await page.getByRole('button', { name: 'Reply', exact: true }).first().click();
    await message(page).waitFor();
    const html = await message(page).innerHTML();
    assert.doesNotMatch(html, /script|onclick|onerror|javascript:|position/i);
    assert.match(html, /How are <b>you<\/b>/);
    // It looks as it did: what there is beside styles stays, but for addresses.
    assert.match(html, /<table width="600" bgcolor="#ffeedd">.*<td colspan="2" dir="rtl">cell/);
    // The cursor stands above what is quoted.
    await page.waitForFunction(() => document.activeElement?.classList.contains('compose-text'));
    await page.keyboard.type('Well, thanks.');
    await send(page);
    await page.getByText('Sent.').waitFor();
    const bob = await world.jmap();
    const sent = await until(() => find(bob, 'Re: A question', 'sent'));
    assert.deepEqual(
      sent.to.map(({ email }) => email),
      [ADMIN],
    );
    assert.deepEqual(sent.inReplyTo, ['q1@example.test']);
    assert.deepEqual(sent.references, ['q0@example.test', 'q1@example.test']);
    assert.match(value(sent, sent.textBody), /Well, thanks\.[\s\S]*\n> How are you\?/);
    await until(async () => {
      const { list } = await bob.call('Email/get', { ids: [id], properties: ['keywords'] });
      return '$answered' in ((list as Got[])[0]?.keywords ?? {});
    });
    assert.ok(!requests.some((url) => url.includes('pixel')), 'the picture was fetched');
    assert.deepEqual([dialogs, await page.title().then((title) => title.includes('owned'))], [[], false]);
  });

  it('puts the lines of flowed text together again, and forwards files with it', async () => {
    await world.deposit([
      [
        'From: Alice <alice@example.test>',
        'To: bob@example.test',
        'Subject: Flowing',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8; format=flowed',
        '',
        'One line that was ',
        'cut in two.',
        '--b',
        'Content-Type: application/pdf; name="plan.pdf"',
        'Content-Disposition: attachment; filename="plan.pdf"',
        '',
        '%PDF',
        '--b--',
      ].join('\n'),
    ]);
    await using opened = await world.open({ path: '/mail', dark: true });
    const { page } = opened;
    await page.getByText('Flowing').first().click();
    await page.getByRole('button', { name: 'Forward', exact: true }).first().click();
    await page.getByRole('combobox', { name: 'To' }).fill(ADMIN);
    await message(page).getByText('One line that was cut in two.').waitFor();
    await page.getByRole('list', { name: 'Attachments' }).last().getByText('plan.pdf').waitFor();
    await shot(page, 'forward-dark');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('Sent.').waitFor();
    const bob = await world.jmap();
    const sent = await until(() => find(bob, 'Fwd: Flowing', 'sent'));
    assert.deepEqual(
      sent.attachments.map(({ name }) => name),
      ['plan.pdf'],
    );
    assert.equal(sent.inReplyTo, null);
  });

  it('follows mailto: links, and suggests those one wrote to', async () => {
    await using opened = await world.open({
      path: `/mail?mailto=${encodeURIComponent('mailto:x@example.net?subject=Hi%20there&body=a%0Ab')}`,
    });
    const { page } = opened;
    await message(page).waitFor();
    assert.equal(await page.getByLabel('Subject').inputValue(), 'Hi there');
    await page.getByText('x@example.net').waitFor();
    await page.getByRole('combobox', { name: 'To' }).pressSequentially('ali');
    await page.getByRole('option', { name: /alice/i }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Remove ${ADMIN}` }).waitFor();
  });

  it('waits on the device while there is no network, and goes when there is', async () => {
    await using opened = await world.open({ path: '/mail?compose' });
    const { page, context } = opened;
    await write(page, ADMIN, 'From the train', 'Tunnel.');
    await saved(page);
    await context.setOffline(true);
    await send(page);
    await page.getByText('The message waits on this device').waitFor();
    await context.setOffline(false);
    await page.getByText('1 message that waited was sent').waitFor();
    const alice = await world.jmap(ADMIN);
    await until(() => find(alice, 'From the train', 'inbox'));
    assert.equal(await count(alice, 'From the train', 'inbox'), 1);
    const bob = await world.jmap();
    assert.equal(await count(bob, 'From the train', 'drafts'), 0);
    assert.equal(await count(bob, 'From the train', 'sent'), 1);
  });

  it('tries an upload again that failed, and sends it then; text flows', async () => {
    await using opened = await world.open({ path: '/mail' });
    const { page, context } = opened;
    await sendsAtOnce(context);
    await page.goto('/mail?compose');
    let failures = 0;
    await page.route('**/jmap/upload/**', (route) =>
      failures++ === 0 ? route.abort('connectionreset') : route.continue(),
    );
    const long = 'a paragraph that is longer than a line of mail should be, so that it flows '
      .repeat(2)
      .trim();
    await write(page, ADMIN, 'Second try', long);
    await page
      .locator('.compose-window input[type=file]')
      .first()
      .setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('the plan') });
    await page.getByText('Not uploaded:').waitFor();
    await page.locator('.compose-file.bad .compose-link').click();
    await page.getByText('Not uploaded:').waitFor({ state: 'detached' });
    await send(page);
    await page.getByText('Sent.').waitFor();
    const alice = await world.jmap(ADMIN);
    const got = await until(() => find(alice, 'Second try', 'inbox'));
    assert.deepEqual(
      got.attachments.map(({ name }) => name),
      ['plan.txt'],
    );
    const text = value(got, got.textBody);
    assert.ok(text.split('\n').every((line) => line.length <= 78));
    assert.equal(text.replaceAll(' \n', ' ').trim(), long);
    // What is written while a file is still on its way goes along; a window closed by then is no message lost.
    for (const [subject, closes] of [
      ['Slow line', false],
      ['Slow line, closed', true],
    ] as const) {
      let release: () => void = () => undefined;
      const gate = new Promise<void>((done) => (release = done));
      await page.unroute('**/jmap/upload/**');
      await page.route('**/jmap/upload/**', async (route) => {
        await gate;
        await route.continue().catch(() => undefined);
      });
      await page.goto('/mail?compose');
      await write(page, ADMIN, subject, 'Text');
      await page
        .locator('.compose-window input[type=file]')
        .first()
        .setInputFiles({ name: 'slow.txt', mimeType: 'text/plain', buffer: Buffer.from('slow') });
      await send(page);
      await page.getByRole('button', { name: 'Sending …' }).waitFor();
      await message(page).click();
      await page.keyboard.type(', and more');
      if (closes) await page.getByRole('button', { name: 'Save and close' }).click();
      if (closes) await page.getByText('The message is sent as soon as its attachments').waitFor();
      release();
      await page.getByText(closes ? '1 message that waited was sent' : 'Sent.').waitFor();
      const late = await until(() => find(alice, subject, 'inbox'));
      assert.match(value(late, late.textBody), /Text, and more/);
      assert.equal(late.attachments[0]?.name, 'slow.txt');
    }
  });

  it('writes as a masked address, with nothing of who is behind it', async () => {
    await using opened = await world.open({ path: '/mail' });
    const { page, context } = opened;
    const made = await context.request.post(`${world.base}/account/v1/masked`, {
      headers: { 'X-Postern': '1' },
      data: { label: 'Shop' },
    });
    const { address } = (await made.json()) as { address: string };
    await page.goto('/mail?compose');
    await write(page, ADMIN, 'From behind a mask', 'Hello.');
    const from = page.locator('.compose-from');
    const option = await from.locator('option', { hasText: address }).getAttribute('value');
    await from.selectOption(option);
    await send(page);
    await page.getByText('Sent.').waitFor();
    const alice = await world.jmap(ADMIN);
    const got = await until(() => find(alice, 'From behind a mask', 'inbox'));
    assert.deepEqual(
      got.from.map(({ email }) => email),
      [address],
    );
    const { list } = await alice.call('Email/get', { ids: [got.id], properties: ['blobId', 'headers'] });
    const { headers } = list[0] as { headers: { name: string; value: string }[] };
    const telling = headers.filter(
      ({ name, value: text }) => text.includes(USER) && !/^received$/i.test(name),
    );
    assert.deepEqual(telling, []);
  });

  it('closes with Back on a phone, and asks before signing out loses what waits', async () => {
    await using opened = await world.open({ path: '/mail', viewport: PHONE, touch: true });
    const { page, context } = opened;
    await page.getByRole('button', { name: 'Compose' }).last().tap();
    await write(page, ADMIN, 'Back button', 'Kept. See the attached file.');
    await saved(page);
    await send(page);
    await page.getByRole('heading', { name: 'No attachment?' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'No attachment?' }).waitFor({ state: 'detached' });
    await message(page).waitFor();
    await page.goBack();
    await message(page).waitFor({ state: 'detached' });
    assert.equal(new URL(page.url()).pathname, '/mail');
    const bob = await world.jmap();
    await until(async () => (await count(bob, 'Back button', 'drafts')) === 1);
    await page.getByRole('button', { name: 'Compose' }).last().tap();
    await write(page, ADMIN, 'Never sent', 'Lost?');
    await saved(page);
    await context.setOffline(true);
    await send(page);
    await page.getByText('The message waits on this device').waitFor();
    await page.locator('.top-account').tap();
    await page.getByRole('menuitem', { name: 'Sign out' }).tap();
    await page.getByText('A message has not been sent yet.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).tap();
    await page.locator('.mail').waitFor();
    await context.setOffline(false);
    await page.getByText('1 message that waited was sent').waitFor();
  });

  it('is sent once by who is in a hurry, and by who leaves the page with it on its way', async () => {
    await using opened = await world.open({ path: '/mail' });
    const { page, context } = opened;
    await sendsAtOnce(context);
    const alice = await world.jmap(ADMIN);
    const bob = await world.jmap();
    const places = async (subject: string): Promise<readonly number[]> => [
      await count(alice, subject, 'inbox'),
      await count(bob, subject, 'sent'),
      await count(bob, subject, 'drafts'),
    ];
    const submits = (route: { request(): { postData(): string | null } }): boolean =>
      route.request().postData()?.includes('EmailSubmission/set') === true;
    // Twice, and again; closed while it is on its way.
    await page.goto('/mail?compose');
    let submissions = 0;
    let release: () => void = () => undefined;
    const held = new Promise<void>((done) => (release = done));
    await page.route('**/jmap/api', async (route) => {
      if (submits(route)) {
        submissions++;
        await held;
      }
      await route.continue();
    });
    await write(page, ADMIN, 'Hurry', 'Now.');
    await page.keyboard.press('Control+Enter');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Sending …' }).waitFor();
    await message(page).click();
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Save and close' }).click();
    release();
    await page.getByText('Sent.', { exact: true }).waitFor();
    await message(page).waitFor({ state: 'detached' });
    assert.equal(submissions, 1);
    await until(async () => (await count(alice, 'Hurry', 'inbox')) > 0);
    assert.deepEqual(await places('Hurry'), [1, 1, 0]);
    // Left before the server had it, and after it had, but before it had said so.
    for (const [subject, arrives] of [
      ['Left early', false],
      ['Left late', true],
    ] as const) {
      const left = await context.newPage();
      left.setDefaultTimeout(PATIENCE_MS);
      const gone = new Promise<void>((done) => {
        void left.route('**/jmap/api', async (route) => {
          if (!submits(route)) return route.continue();
          if (arrives) await route.fetch();
          done();
        });
      });
      await left.goto('/mail?compose');
      await write(left, ADMIN, subject, 'Bye.');
      await saved(left);
      await send(left);
      await gone;
      await left.close();
      const back = await context.newPage();
      await back.goto('/mail');
      await back.getByText('1 message that waited was sent.', { exact: true }).waitFor();
      await until(async () => (await count(alice, subject, 'inbox')) > 0);
      assert.deepEqual(await places(subject), [1, 1, 0]);
      assert.equal(await message(back).count(), 0);
      await back.close();
    }
    // The session has ended: it goes when its owner is back.
    await page.unroute('**/jmap/api');
    await page.goto('/mail?compose');
    await write(page, ADMIN, 'Out in the cold', 'Hello?');
    await context.clearCookies();
    await send(page);
    await page.getByText('Your session has ended. Sign in to go on').waitFor();
    await page.getByLabel('Address').fill(USER);
    await page.getByLabel('Password', { exact: true }).fill(TEST_PASSWORD);
    await page.keyboard.press('Enter');
    // Where a first try fails, the next is a minute later.
    await page.getByText('1 message that waited was sent.', { exact: true }).waitFor({ timeout: 100_000 });
    await until(async () => (await count(alice, 'Out in the cold', 'inbox')) > 0);
    assert.deepEqual(await places('Out in the cold'), [1, 1, 0]);
  });

  it('answers a list where it wants answers, and forwards a message as a file', async () => {
    await world.deposit([
      'From: Carl <carl@example.net>\nTo: club@lists.example\nList-Post: <mailto:club@lists.example>\nSubject: Club night\n\nAt eight.\n',
    ]);
    await using opened = await world.open({ path: '/mail' });
    const { page } = opened;
    await page.getByText('Club night').first().click();
    const choose = async (item: string): Promise<void> => {
      await page.getByRole('button', { name: 'More for this message', exact: true }).last().click();
      await page.getByRole('menuitem', { name: item, exact: true }).click();
      await message(page).waitFor();
    };
    await choose('Reply to the list');
    await page.getByRole('button', { name: 'Remove club@lists.example' }).waitFor();
    assert.equal(await page.locator('.compose-chip').count(), 1);
    await page.getByRole('button', { name: 'Discard' }).click();
    await message(page).waitFor({ state: 'detached' });
    await choose('Forward as an attachment');
    await page.locator('.compose-file').getByText('Club night.eml').waitFor();
    await page.getByRole('combobox', { name: 'To' }).fill(ADMIN);
    await send(page);
    await page.getByText('Sent.', { exact: true }).waitFor();
    const got = await until(async () => find(await world.jmap(ADMIN), 'Fwd: Club night', 'inbox'));
    assert.deepEqual(
      got.attachments.map(({ name, type }) => [name, type]),
      [['Club night.eml', 'message/rfc822']],
    );
  });

  it('forwards files of an account that others share', async () => {
    await world.server.store.write.run('sharing.setRights', {
      actor: testActor,
      account: ADMIN,
      mailbox: 'INBOX',
      identifier: USER,
      rights: parseRights('lr') ?? 0,
      mode: 'replace',
    });
    const [id] = await world.deposit(
      [
        'Subject: Shared plan\nFrom: x@example.net\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee it.\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="plan.pdf"\n\nthe plan\n--b--\n',
      ],
      { account: ADMIN },
    );
    assert.ok(id);
    await using opened = await world.open({ path: '/mail' });
    const { page } = opened;
    await page.locator('.mail-shared .mail-folder').first().click();
    await page.getByText('Shared plan').first().click();
    await page.getByRole('button', { name: 'Forward', exact: true }).last().click();
    await message(page).waitFor();
    await page.getByRole('combobox', { name: 'To' }).fill(USER);
    await page.getByRole('combobox', { name: 'To' }).press('Enter');
    await send(page);
    await page.getByText('Sent.').waitFor();
    const got = await until(async () => find(await world.jmap(), 'Fwd: Shared plan', 'inbox'));
    assert.deepEqual(
      got.attachments.map(({ name }) => name),
      ['plan.pdf'],
    );
  });
});
