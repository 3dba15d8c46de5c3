import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { systemClock } from '../../src/base/clock.ts';
import { events } from '../../src/flow/explain/words/events.ts';
import { told } from '../../src/flow/explain/words/told.ts';
import { whyWords } from '../../src/flow/explain/words/why.ts';
import { rules } from '../../src/flow/spam/rules/index.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { auditActions, auditWhy } from '../../src/servers/http/audit-texts.ts';
import { checkTexts } from '../../src/servers/http/check-texts.ts';
import { healthTexts } from '../../src/servers/http/health-texts.ts';
import { setupTexts } from '../../src/servers/http/setup-texts.ts';
import { wayTexts } from '../../src/servers/http/way-texts.ts';
import settings from '../../web/src/text/en/settingsAbout.ts';
import { startDnsServer, type TestDnsServer } from '../support/dns-server.ts';
import { skipUnlessLong } from '../support/programs.ts';
import { lmtp } from './lmtp.ts';
import { ADMIN, NO_BROWSER, shot, startWebWorld, USER, type WebWorld } from './support.ts';

/** Unwanted, so that rules of several kinds speak. */
const SPAM = `From: "PayPal Security" <winner7712345@cheap.example>
To: undisclosed-recipients:;
Subject: YOU HAVE WON!!! CLAIM YOUR MONEY NOW!!!
Content-Type: text/html

<p>DEAR FRIEND, YOU HAVE WON 1,000,000 US$ IN THE LOTTERY.</p>
<p><a href="http://192.0.2.7/login">www.paypal.com</a></p>
<form action="http://192.0.2.7/x"><input type="password" name="p"></form>
`;

/** Runs of words that the English sentences have, and nobody's mail. */
const ENGLISH = new Set(
  [
    ...[
      events,
      whyWords,
      told,
      checkTexts,
      healthTexts,
      setupTexts,
      auditWhy,
      auditActions,
      wayTexts,
      settings,
    ].flatMap((texts) => Object.values<string>(texts)),
    ...rules.map(({ explain }) => explain),
  ]
    .flatMap((text) => text.split(/\{\w+\}/))
    .flatMap((text) => text.match(/[A-Za-z’']+(?: [A-Za-z’']+){2,}/g) ?? []),
);

/** English sentences of the server that a page shows, what is marked as English and what others said left out. */
async function englishIn(page: Page, selector: string): Promise<string[]> {
  const text = await page.locator(selector).evaluateAll((all) =>
    all
      .map((element) => {
        const copy = element.cloneNode(true) as Element;
        for (const foreign of copy.querySelectorAll('[lang=en], pre, code')) foreign.remove();
        return copy.textContent ?? '';
      })
      .join('\n'),
  );
  return [...ENGLISH].filter((words) => text.includes(words));
}

describe('sentences of the server', { skip: NO_BROWSER }, () => {
  let world: WebWorld;
  let dns: TestDnsServer;
  before(async () => {
    // Nothing of the world is asked: the names here are nobody's.
    dns = await startDnsServer({});
    const servers = [{ address: dns.address, port: dns.port, trusted: false }];
    world = await startWebWorld({
      dns: createResolver({ servers, clock: systemClock }),
      config: { dns: { servers: [`${dns.address}:${dns.port}`] } },
    });
    await lmtp(world.server, USER, SPAM, 'winner@cheap.example');
  });
  after(async () => {
    await world.close();
    await dns.close();
  });

  for (const [language, found, name, more, why] of [
    ['de-CH', /Spamfilter|Posteingang/, 'de', 'Mehr zu dieser Nachricht', 'Warum ist das hier?'],
    ['zh-CN', /垃圾邮件|收件箱/, 'zh', '此邮件的更多操作', '为什么在这里？'],
  ] as const) {
    const skip = name === 'de' ? false : skipUnlessLong();
    it(`"Why is this here?" has no English in ${name}`, { skip }, async () => {
      await using open = await world.open({ language, path: '/mail/junk' });
      const { page } = open;
      await page.getByText('YOU HAVE WON').first().click();
      await page.getByRole('button', { name: more }).last().click();
      await page.getByRole('menuitem', { name: why }).click();
      const dialog = page.locator('.mail-why');
      await dialog.locator('table tr, ol li').first().waitFor();
      assert.match(await dialog.innerText(), found);
      for (const fold of await dialog.locator('details').all())
        await fold.evaluate((e) => e.setAttribute('open', ''));
      assert.deepEqual(await englishIn(page, '.mail-why'), []);
      assert.equal(await dialog.locator('[lang=en]').count(), 0, await dialog.innerText());
      await shot(page, `why-${name}`);
    });
  }

  it('what was refused is told in German, and delivered by whom it was for', async () => {
    const account = await world.server.account(USER);
    await world.server.store.write.run('delivery.accept', {
      blob: { size: 22, encoding: 'raw', data: Buffer.from('Subject: Offer\r\n\r\nBuy!'), file: undefined },
      content: {
        envelope: Buffer.from('()'),
        bodystructure: Buffer.from('()'),
        structure: '{}',
        sentAt: undefined,
        messageId: undefined,
        references: [],
      },
      deposits: [],
      overQuota: 'junk',
      queue: [],
      events: [],
      vault: {
        caseNumber: 'ABCDE-FGHJK',
        trace: 'trace0000000000001',
        kind: 'refused',
        reversePath: 'shop@cheap.example',
        ip: '192.0.2.1',
        author: 'Shop <shop@cheap.example>',
        subject: 'An offer',
        reason: 'the filter is 99.9 % sure that it is unwanted',
        verdict: '{}',
        expiresAt: systemClock.now() + 1e9,
        received: Buffer.alloc(0),
        hidden: [],
        recipients: [{ accountId: account.id, address: USER }],
      },
    });
    const said = 'Der Filter ist zu 99.9 % sicher, dass sie unerwünscht ist';
    await using admin = await world.open({ language: 'de-CH', as: ADMIN, path: '/admin/vault' });
    await admin.page.getByText(said).waitFor();
    await using open = await world.open({ language: 'de-CH', path: '/settings/refused' });
    const { page } = open;
    await page.getByText(said).waitFor();
    await page.getByRole('button', { name: 'Ansehen', exact: true }).click();
    await page.getByText('Buy!').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Zustellen', exact: true }).click();
    await page.getByText('In Ihren Posteingang zugestellt', { exact: true }).waitFor();
    assert.equal((await world.server.account(USER)).emails, account.emails + 1);
  });

  it('the history of a message has no English in French, and the exact time', async () => {
    await using open = await world.open({ language: 'fr-FR', as: ADMIN, path: `/admin/trace?q=${USER}` });
    const { page } = open;
    const first = page.locator('.admin-event').first();
    await first.waitFor();
    assert.match(
      (await page.locator('.admin-events').allInnerTexts()).join('\n'),
      /Nous avons accepté un message/,
    );
    assert.match(
      (await first.locator('time').getAttribute('title')) ?? '',
      /^\d{4}-\d\d-\d\d[T ].*(?:Z|UTC)$/,
    );
    assert.deepEqual(await englishIn(page, '.admin-event'), []);
    await shot(page, 'trace-fr');
  });

  it('the pages of administration have no English in German, and what mends a fault can be copied', async () => {
    await using open = await world.open({ language: 'de-CH', as: ADMIN, path: '/admin/checks' });
    const { page } = open;
    await page.getByText('Es gibt keinen Schlüssel zum Signieren.', { exact: true }).waitFor();
    await page
      .getByRole('button', { name: 'Kopieren: postern dkim add example.test', exact: true })
      .waitFor();
    assert.deepEqual(await englishIn(page, 'main'), []);
    await page.goto('/admin/audit');
    const row = page.getByRole('row').filter({ hasText: USER }).filter({ hasText: 'Konto hinzugefügt' });
    await row.getByText('Konto hinzugefügt', { exact: true }).waitFor();
    await row.getByText('Nicht rückgängig zu machen', { exact: true }).click();
    await row.getByText(/^Es kann schon Post gekommen sein/).waitFor();
    assert.deepEqual(await englishIn(page, 'main'), []);
    await page.goto('/admin/settings');
    await page.getByText('Warnungen gehen per Mail an die Administratoren.', { exact: true }).waitFor();
    await page.getByText(/^Öffentliche Adressen des Servers/).waitFor();
    assert.deepEqual(await englishIn(page, 'main'), []);
    const since = systemClock.now();
    await world.server.store.write.run('bans.set', {
      kind: 'network',
      subject: '192.0.2.0/24',
      cause: 'guessing',
      reason: '20 failed logins within 10 min',
      offences: 1,
      since,
      until: since + 3_600_000,
    });
    await page.goto('/admin/bans');
    await page
      .getByText('20 fehlgeschlagene Anmeldungen innerhalb von 10 Minuten', { exact: true })
      .waitFor();
    assert.deepEqual(await englishIn(page, 'main'), []);
    await page.goto('/admin/routes');
    await page.locator('main h2').first().waitFor();
    assert.deepEqual(await englishIn(page, 'main'), []);
  });
});
