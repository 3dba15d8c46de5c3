/** Signatures of messages as somebody sees them: made with GnuPG and OpenSSL, opened in a browser. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type Gpg, NO_GPG, startGpg } from '../support/gpg.ts';
import {
  assertAccessible,
  DESKTOP,
  eventually,
  NO_BROWSER,
  NO_LONG_BROWSER,
  shot,
  startWebWorld,
  type WebWorld,
} from './support.ts';

const NO_OPENSSL = spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl';
const SMALL = { width: 360, height: 740 };
const BODY = 'Dear Bob,\r\n\r\nthe house is sold.  \r\n';
const PART = `Content-Type: text/plain; charset=utf-8\r\n\r\n${BODY}`;

const head = (from: string, subject: string, more = ''): string =>
  `From: ${from}\r\nTo: bob@example.test\r\nSubject: ${subject}\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n${more}MIME-Version: 1.0\r\n`;
const signedBy = (signature: string, part = PART, boundary = 'sig'): string =>
  `Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary=${boundary}\r\n\r\n` +
  `--${boundary}\r\n${part}\r\n--${boundary}\r\nContent-Type: application/pgp-signature\r\n\r\n${signature}\r\n--${boundary}--\r\n`;

describe('signatures in the browser', { skip: NO_BROWSER || NO_GPG || NO_OPENSSL }, () => {
  let gpg: Gpg;
  let world: WebWorld;
  let ann: string;
  const ids: Record<string, string> = {};

  before(async () => {
    gpg = startGpg();
    ann = gpg.key('Ann Author <ann@a.example>', 'ed25519', 'never', '20250101T000000!');
    world = await startWebWorld();
  });
  after(async () => {
    await world?.close();
    gpg?.close();
  });

  /** Messages as they are, without anything that would change their octets. */
  const put = async (messages: Record<string, string>): Promise<void> => {
    const made = await world.deposit(Object.values(messages));
    Object.keys(messages).forEach((name, i) => (ids[name] = made[i] ?? ''));
  };
  const open = async (page: Page, name: string): Promise<void> => {
    const client = await world.jmap();
    const { list } = await client.call('Email/get', { ids: [ids[name]], properties: ['threadId'] });
    await page.goto(`/mail/inbox/${list[0].threadId}`);
  };
  const banner = (page: Page) => page.locator('.mail-signature');
  const says = async (page: Page, words: RegExp, tone: 'good' | 'danger' | 'neutral'): Promise<void> => {
    await eventually(async () => {
      const text = await banner(page).innerText();
      assert.match(text, words);
      const classes = (await banner(page).getAttribute('class')) ?? '';
      const shown = /\bgood\b/.test(classes) ? 'good' : /\bdanger\b/.test(classes) ? 'danger' : 'neutral';
      assert.equal(shown, tone, text);
    });
  };
  const sign = (part = PART, ...more: string[]): string =>
    gpg
      .detached(ann, part, ...more)
      .toString()
      .replaceAll(/\r?\n/g, '\r\n')
      .trimEnd();

  it('a key is not known, comes along, is trusted, and then the message is shown as signed', async () => {
    const attached =
      `Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nContent-Type: text/plain\r\n\r\nthe house is sold.\r\n` +
      `--in\r\nContent-Type: application/pgp-keys; name=key.asc\r\n\r\n${gpg.publicKey(ann).toString().replaceAll(/\r?\n/g, '\r\n')}\r\n--in--\r\n`;
    await put({
      unknown: head('Ann <ann@a.example>', 'unknown') + signedBy(sign()),
      attached: head('Ann <ann@a.example>', 'attached') + signedBy(sign(attached), attached),
      changed: head('Ann <ann@a.example>', 'changed') + signedBy(sign(), PART.replace('sold', 'lost')),
      eve: head('Eve <eve@e.example>', 'not hers') + signedBy(sign()),
      two: head('Ann <ann@a.example>', 'two From', 'From: Eve <eve@e.example>\r\n') + signedBy(sign()),
      old:
        head('Ann <ann@a.example>', 'sent again') +
        signedBy(sign(PART, '--faked-system-time', '20251122T000000!')),
      footer:
        `${head('Ann <ann@a.example>', 'by a list')}Content-Type: multipart/mixed; boundary=list\r\n\r\n--list\r\n` +
        `${signedBy(sign())}\r\n--list\r\nContent-Type: text/plain\r\n\r\nYou are fired.\r\n--list--\r\n`,
    });
    const { page, errors, context } = await world.open({ viewport: DESKTOP });
    await open(page, 'unknown');
    await says(page, /signed, but the key .* not known/, 'neutral');
    await open(page, 'attached');
    await says(page, /only came with this message/, 'neutral');
    await shot(page, 'first-1400-light');
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Trust this key for ann@a.example' }).click();
    await page.getByRole('button', { name: 'It is the same: trust' }).click();
    await page.waitForSelector('.mail-signature.good');
    await says(page, /Signed by ann@a.example, with the key that you trust/, 'good');
    // From now on without the key in the message.
    await open(page, 'unknown');
    await says(page, /Signed by ann@a.example/, 'good');
    await shot(page, 'trusted-1400-light');
    await open(page, 'old');
    await says(page, /Signed by ann@a.example[^]*signed on Nov \d+, 20\d\d already/, 'good');
    await open(page, 'changed');
    await says(page, /does not fit/, 'danger');
    await open(page, 'eve');
    await says(page, /not known/, 'neutral');
    await open(page, 'two');
    await says(page, /exactly one sender/, 'danger');
    // Johnny, you are fired: what a list or an enemy puts beside it gets no mark.
    await open(page, 'footer');
    await says(page, /Only a part .* is signed/, 'neutral');
    await page.getByRole('button', { name: 'Show only what is signed' }).click();
    await page.waitForSelector('dialog .mail-text');
    const alone = await page.locator('dialog .mail-viewer-message').innerText();
    assert.match(alone, /the house is sold/);
    assert.doesNotMatch(alone, /fired/);
    await shot(page, 'part-1400-light');
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('a clear-signed text is shown without its armor; encrypted mail says what to do', {
    skip: NO_LONG_BROWSER,
  }, async () => {
    const clear = gpg.clear(ann, 'the house is sold.\n').toString();
    await put({
      clear: `${head('Ann <ann@a.example>', 'clear')}Content-Type: text/plain; charset=utf-8\r\n\r\n${clear}`,
      around: `${head('Ann <ann@a.example>', 'around')}Content-Type: text/plain\r\n\r\nYou are fired.\n${clear}`,
      sealed: `${head('Ann <ann@a.example>', 'sealed')}Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=e\r\n\r\n--e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--e\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--e--\r\n`,
    });
    await using view = await world.open({ viewport: SMALL, dark: true });
    const { page } = view;
    await open(page, 'clear');
    await says(page, /Signed by ann@a.example/, 'good');
    await page.waitForFunction(
      () => !document.querySelector('.mail-text')?.textContent?.includes('BEGIN PGP'),
    );
    assert.match(await page.locator('.mail-text').innerText(), /^\s*the house is sold\.\s*$/);
    await shot(page, 'clear-360-dark');
    await open(page, 'around');
    await says(page, /Only a part/, 'neutral');
    assert.match(await page.locator('.mail-text').innerText(), /fired/);
    await open(page, 'sealed');
    await page.getByText('This message is encrypted with PGP').waitFor();
    await shot(page, 'sealed-360-dark');
    await assertAccessible(page);
    assert.deepEqual(view.errors, []);
  });

  it('S/MIME: a message within its signature is taken out of it; its certificate can be trusted', async () => {
    const home = mkdtempSync(join(tmpdir(), 'smime-'));
    try {
      const openssl = (...args: string[]): void =>
        void execFileSync('openssl', args, { cwd: home, stdio: 'ignore' });
      const [subject, alt] = ['/CN=Cleo Customer', 'subjectAltName=email:cleo@c.example'];
      openssl(
        'req',
        '-x509',
        '-nodes',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-keyout',
        'key',
        '-out',
        'crt',
        '-subj',
        subject,
        '-addext',
        alt,
      );
      const inner =
        'Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>the house is sold</p><script>document.title="run"</script>\r\n' +
        '--in\r\nContent-Type: text/plain; name=plan.txt\r\nContent-Disposition: attachment; filename=plan.txt\r\n\r\nthe plan\r\n--in--\r\n';
      writeFileSync(join(home, 'inner'), inner);
      const smime = (input: string, ...more: string[]): string => {
        writeFileSync(join(home, 'part'), input);
        openssl(
          'cms',
          '-sign',
          '-binary',
          '-in',
          'part',
          '-signer',
          'crt',
          '-inkey',
          'key',
          '-outform',
          'DER',
          '-out',
          'sig',
          ...more,
        );
        return readFileSync(join(home, 'sig')).toString('base64').replaceAll(/.{76}/g, '$&\r\n');
      };
      const from = 'Cleo <cleo@c.example>';
      await put({
        opaque: `${head(from, 'opaque')}Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n${smime(inner, '-nodetach', '-stream')}\r\n`,
        detached:
          `${head(from, 'detached')}Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s\r\n\r\n--s\r\n${PART}\r\n--s\r\n` +
          `Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n${smime(PART)}\r\n--s--\r\n`,
      });
      await using view = await world.open({ viewport: SMALL });
      const { page } = view;
      await open(page, 'opaque');
      await says(page, /vouches for itself/, 'neutral');
      const frame = page.frameLocator('.mail-frame');
      await frame.getByText('the house is sold').waitFor();
      await page.getByText('plan.txt').waitFor();
      assert.notEqual(await page.title(), 'run');
      await page.locator('.mail-signature-details summary').click();
      await shot(page, 'opaque-360-light');
      await assertAccessible(page);
      await page.getByRole('button', { name: /Trust this certificate/ }).click();
      await page.getByRole('button', { name: 'It is the same: trust' }).click();
      await page.waitForSelector('.mail-signature.good');
      await open(page, 'detached');
      await says(page, /with the certificate that you trust/, 'good');
      assert.deepEqual(view.errors, []);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('a key that came with proven mail is remembered, and another one is told of', {
    skip: NO_LONG_BROWSER,
  }, async () => {
    const [first, second] = ['one', 'two'].map(() => gpg.key('Dora <dora@d.example>', 'ed25519'));
    const mail = (key = '', subject = ''): string =>
      `Authentication-Results: mx.example.test; dmarc=pass header.from=d.example\r\n${head('Dora <dora@d.example>', subject, `Autocrypt: addr=dora@d.example; keydata=\r\n ${gpg.run(['--export', key]).toString('base64')}\r\n`)}` +
      signedBy(gpg.detached(key, PART).toString().replaceAll(/\r?\n/g, '\r\n').trimEnd());
    await put({ dora: mail(first, 'dora'), dora2: mail(second, 'dora again') });
    await using view = await world.open({ viewport: DESKTOP });
    const { page } = view;
    const remembered = page.waitForResponse(
      (answer) => answer.request().method() === 'POST' && answer.url().endsWith('/account/v1/keys'),
    );
    await open(page, 'dora');
    await says(page, /only came with this message/, 'neutral');
    await remembered;
    await open(page, 'dora');
    await says(page, /same key as before/, 'neutral');
    await open(page, 'dora2');
    await says(page, /used another key until now/, 'danger');
    await shot(page, 'changed-1400-light');
    assert.deepEqual(view.errors, []);
  });

  it('keys of others: added from a paste, trusted no more, removed', { skip: NO_LONG_BROWSER }, async () => {
    const bea = gpg.key('Bea <bea@b.example>', 'ed25519');
    await using view = await world.open({ viewport: DESKTOP, dark: true, path: '/settings/keys' });
    const { page } = view;
    const item = page.locator('.settings-item', { hasText: 'bea@b.example' });
    await page.getByLabel('Or paste it here').fill('no key at all');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('There is no key and no certificate in it.').waitFor();
    await page.getByLabel('Or paste it here').fill(gpg.publicKey(bea).toString());
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await item.waitFor();
    assert.match(await item.innerText(), /PGP key, added by you/);
    await shot(page, 'keys-1400-dark');
    await assertAccessible(page);
    await item.getByRole('button', { name: 'Trust no more' }).click();
    await item.getByRole('button', { name: 'Trust', exact: true }).waitFor();
    await item.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await item.waitFor({ state: 'detached' });
    assert.deepEqual(view.errors, []);
  });

  it('in every language and size', { skip: NO_LONG_BROWSER }, async () => {
    for (const language of ['de-CH', 'fr-FR', 'es-ES', 'zh-CN']) {
      await using view = await world.open({ viewport: SMALL, language, path: '/settings/keys' });
      await view.page.locator('main h2').first().waitFor();
      await shot(view.page, `keys-360-${language}`);
      await open(view.page, 'changed');
      await view.page.waitForSelector('.mail-signature.danger');
      assert.doesNotMatch(await banner(view.page).innerText(), /signature does|broken/);
      await shot(view.page, `broken-360-${language}`);
      assert.deepEqual(view.errors, []);
    }
  });
});
