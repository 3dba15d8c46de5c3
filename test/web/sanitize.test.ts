import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { NO_BROWSER } from './support.ts';
import { FRAME_POLICY } from '../../src/servers/http/web/headers.ts';
import { VECTORS } from './sanitize-vectors.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * The sanitiser by itself, in a real browser and without the nets below it: a page without any policy and a frame in
 * which scripts may run. What it lets through would run here.
 */
const BARE = '<!doctype html><meta charset=utf-8><title>bare</title><iframe id=frame src="/empty"></iframe>';

interface Outcome {
  readonly html: string;
  readonly css: string;
  readonly remote: number;
}

describe('HTML of messages', { skip: NO_BROWSER }, () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let base = '';
  let code = '';
  const asked: string[] = [];
  /** What got past all policies. */
  const reached: string[] = [];
  before(async () => {
    code = await bundle();
    server = createServer((request, response) => {
      const { url = '' } = request;
      response.setHeader('Content-Type', 'text/html');
      if (url === '/frame') response.setHeader('Content-Security-Policy', FRAME_POLICY);
      response.end(
        url === '/'
          ? BARE
          : url === '/real'
            ? BARE.replace('"/empty"', '"/frame" sandbox="allow-same-origin allow-popups"')
            : '<!doctype html><body></body>',
      );
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({
      executablePath: process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
    page = await browser.newPage();
    page.on('request', (request) => {
      const url = request.url();
      if (!/^(?:data|blob):/.test(url)) asked.push(url);
    });
    await page.route(
      (url) => !url.href.startsWith(base),
      (route) => {
        reached.push(route.request().url());
        return route.abort();
      },
    );
    page.on('dialog', (dialog) => {
      asked.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(base);
    await page.evaluate(code);
  });
  after(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** Put a message into the frame as the app does; what became of it, what ran, what was loaded. */
  async function show(html: string, remote = false): Promise<Outcome & { readonly ran: number }> {
    return page.evaluate(
      `(${async function show(text: string, images: boolean): Promise<unknown> {
        // oxlint-disable-next-line typescript/no-explicit-any -- runs in the page
        const g = globalThis as any;
        const frame = g.document.getElementById('frame');
        const inner = frame.contentDocument;
        g.ran = 0;
        g.alert = () => g.ran++;
        frame.contentWindow.alert = g.alert;
        const found = g.Sanitizer.sanitize(text, {
          document: inner,
          cid: () => undefined,
          remote: (url: string) => (images ? `/account/v1/image?url=${encodeURIComponent(url)}` : undefined),
          warning: (host: string) => host,
          quoteLabel: 'q',
        });
        for (const old of inner.head.querySelectorAll('style')) old.remove();
        const style = inner.createElement('style');
        style.textContent = found.css;
        inner.head.append(style);
        for (const name of inner.body.getAttributeNames()) inner.body.removeAttribute(name);
        for (const [name, value] of Object.entries(found.body)) inner.body.setAttribute(name, value);
        inner.body.replaceChildren(found.content);
        for (const each of inner.body.querySelectorAll('a,area,summary,button,input,[tabindex]')) {
          if (/^https?:|^mailto:/.test(each.getAttribute('href') ?? '')) continue;
          each.focus();
          each.click();
        }
        await new Promise((done) => g.setTimeout(done, 10));
        return {
          html: inner.documentElement.outerHTML,
          css: found.css,
          remote: found.remoteImages.size,
          ran: g.ran,
        };
      }.toString()})(${JSON.stringify(html)}, ${remote})`,
    );
  }

  const BAD =
    /<(?:script|iframe|object|embed|svg|math|form|input|button|select|textarea|link|meta (?!charset)|base|video|audio|source|template|noscript|dialog|portal)\b|\son[a-z]+\s*=|javascript:|vbscript:|srcset=|srcdoc=|formaction=|@import|@font-face|expression\(|position:\s*(?:fixed|absolute|sticky)/i;

  it(`comes to nothing in ${VECTORS.length} attacks`, { timeout: 600_000 }, async () => {
    assert.ok(VECTORS.length >= 150);
    const outside = await page.evaluate('document.documentElement.outerHTML');
    for (const vector of VECTORS) {
      asked.length = 0;
      const { html, css, ran } = await show(vector);
      const name = vector.slice(0, 200);
      assert.equal(ran, 0, `a script ran: ${name}`);
      assert.deepEqual(asked, [], `something was loaded: ${name}`);
      // What is text, or in quotes, may say what it likes.
      const markup = html.replaceAll(/(title|alt)="[^"]*"/g, '').replaceAll(/>[^<]*</g, '><');
      assert.doesNotMatch(markup, BAD, name);
      assert.doesNotMatch(css, /url\(|@import|@font-face|var\(|<\/|[;{\s]position\s*:/i, name);
      assert.equal(page.url(), `${base}/`, `the page was left: ${name}`);
    }
    assert.equal(
      await page.evaluate('document.documentElement.outerHTML'),
      outside,
      'the page around was changed',
    );
    assert.equal(await page.evaluate('document.title'), 'bare');
  });

  it('gives the same when its result is read and cleaned again', { timeout: 300_000 }, async () => {
    for (const vector of VECTORS) {
      const once = await show(vector);
      asked.length = 0;
      const twice = await show(once.html);
      assert.equal(twice.ran, 0, vector);
      assert.deepEqual(asked, [], vector);
    }
  });

  it('loads images through our own server alone, when they are wanted', async () => {
    for (const vector of VECTORS.filter((each) => each.includes('evil.test'))) {
      asked.length = 0;
      const { ran } = await show(vector, true);
      assert.equal(ran, 0, vector);
      assert.deepEqual(
        asked.filter((url) => !url.startsWith(`${base}/account/v1/image?url=http`)),
        [],
        vector,
      );
    }
  });

  it('counts the images it blocks, wherever they hide', async () => {
    const { remote } = await show(
      `<style>p{background:url(https://evil.test/1)}</style><p style="background:url(https://evil.test/2)"><img src="https://evil.test/3"><img src="//evil.test/4"><img src="https://evil.test/3"><table background="https://evil.test/5"><tr><td>x`,
    );
    assert.equal(remote, 5);
  });

  it('keeps what is harmless', async () => {
    const { html, css } = await show(
      '<style>.a > p, #b{color:red;font:bold 12px Arial}@media (max-width:600px){.a{width:100%!important}}</style><body bgcolor="#ffeedd"><div class="a x" id=b dir=rtl><p style="margin:0;color:#123456;text-align:center">Text <a href="https://x.test/?a=1&b=2">link</a> <font color=blue face="Arial">old</font></p><table width=600 cellpadding=0 border=0><tr><td colspan=2 valign=top>cell</td></tr></table><ul><li>one</ul><a href="#b">down</a><a name=b>here</a></div>',
    );
    assert.match(css, /\.m-a > p, #m-b\{color:red;/);
    assert.match(css, /@media \(max-width: 600px\)\{\n\.m-a\{width:100% !important;\}/);
    assert.match(html, /<body bgcolor="#ffeedd">/);
    assert.match(html, /<div class="m-a m-x" id="m-b" dir="rtl">/);
    assert.match(html, /href="https:\/\/x\.test\/\?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"/);
    assert.match(html, /<font color="blue" face="Arial">old<\/font>/);
    assert.match(html, /<td colspan="2" valign="top">cell<\/td>/);
    assert.match(html, /href="#m-b"/);
  });

  it('bears what is huge and what is deep', { timeout: 300_000 }, async () => {
    const started = Date.now();
    await show('<div>'.repeat(10_000));
    await show(`${'<p>x</p>'.repeat(20_000)}`);
    await show(`<style>${'a{color:red}'.repeat(10_000)}</style>`);
    await show('<blockquote type=cite></blockquote>'.repeat(8000));
    await show(`<a href="${'x'.repeat(500_000)}">x</a>${'<b '.repeat(20_000)}`);
    // Each of these held the page for a minute.
    await show('<b><i><u><s>'.repeat(25_000));
    const fonts = Array.from({ length: 25_000 }, (_, n) => `<font size=${n}>`);
    await show(fonts.join(''));
    const nth = Array.from({ length: 2500 }, (_, n) => `*:not(:nth-child(${n}n+1)) *:not(b) p{color:red}`);
    const { css } = await show(`<style>${nth.join('\n')}</style>${'<p>x</p>'.repeat(9000)}`);
    assert.ok(css.split('\n').length <= 102);
    const many = await show(`<style>${`${'p b,'.repeat(100)}i{color:red}`.repeat(300)}</style><p>x</p>`);
    assert.ok(many.css.split(',').length < 3200);
    const columns = await show(`<p style="column-count:999;width:1px">${'x '.repeat(1000)}</p>`);
    assert.doesNotMatch(columns.html, /column/);
    // What grows with the square of the size would take far longer, on any machine.
    assert.ok(Date.now() - started < 240_000);
  });

  it('could not do harm in its own frame even if it got there', async () => {
    await page.goto(`${base}/real`);
    await page.evaluate(code);
    reached.length = 0;
    for (const vector of VECTORS) {
      const ran = await page.evaluate(
        `(() => { globalThis.ran = 0; globalThis.alert = () => globalThis.ran++;
          const inner = document.getElementById('frame').contentDocument;
          inner.body.innerHTML = ${JSON.stringify(vector.replaceAll('alert(1)', 'parent.alert(1)')).replaceAll('</', '<\\/')};
          return new Promise((done) => setTimeout(() => done(globalThis.ran), 5)); })()`,
      );
      assert.equal(ran, 0, vector);
    }
    assert.deepEqual(reached, []);
    assert.equal(page.url(), `${base}/real`);
  });
});

/** The sanitiser as one script that leaves itself in `Sanitizer`. */
async function bundle(): Promise<string> {
  const entry = join(ROOT, 'web/src/mail/message/sanitize.ts');
  assert.ok(existsSync(entry));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: join(ROOT, 'web'),
    publicDir: false,
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      lib: { entry, formats: ['iife'], name: 'Sanitizer' },
    },
  });
  const [first] = Array.isArray(built) ? built : [built];
  assert.ok(first !== undefined && 'output' in first);
  return `${first.output[0].code};globalThis.Sanitizer = Sanitizer;`;
}
