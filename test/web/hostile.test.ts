/** Pages of settings and administration with everything in them that strangers can name, made to break out of its place. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { terms } from '../../src/data/journal/types.ts';
import { TEST_PASSWORD, testActor } from '../support/server.ts';
import { lmtp } from './lmtp.ts';
import { ADMIN, DESKTOP, NO_LONG_BROWSER, startWebWorld, USER, type WebWorld } from './support.ts';

/** Breaks out of text, attributes, URLs, styles and scripts; each sets `window.hit` if it runs. */
const EVIL = [
  '<img src=x onerror="window.hit=1">',
  '"><svg onload="window.hit=1">',
  "' onmouseover='window.hit=1",
  '</script><script>window.hit=1</script>',
  'javascript:window.hit=1',
  '{{constructor.constructor("window.hit=1")()}}',
  '=HYPERLINK("https://evil.example","x")',
].join(' ');

const ADMIN_PAGES = [
  'overview',
  'domains/example.test',
  'accounts',
  `accounts/${encodeURIComponent(USER)}`,
  'aliases',
  'groups',
  'invitations',
  `trace?q=${encodeURIComponent(USER)}`,
  `trace?q=${encodeURIComponent(EVIL)}`,
  'queue',
  'vault',
  'reports',
  'audit',
  'bans',
];
const SETTINGS_PAGES = [
  'general',
  'identities',
  'rules',
  'vacation',
  'labels',
  'masked',
  'senders',
  'deleted',
  'refused',
  'security',
  'scripts',
  'programs',
  'forward',
];

describe('hostile names', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld();
    await fill(world);
  });
  after(() => world.close());

  for (const [who, pages, prefix] of [
    [ADMIN, ADMIN_PAGES, '/admin/'],
    [USER, SETTINGS_PAGES, '/settings/'],
    [USER, ['refused', 'refused/ABCDE-FGHJK'], '/account/'],
    [USER, ['', 'all', EVIL.replaceAll('/', '')].map(encodeURIComponent), '/mail/'],
  ] as const) {
    it(`stay text on every page of ${prefix}`, async () => {
      await using open = await world.open({ as: who, viewport: DESKTOP });
      let seen = 0;
      for (const name of pages) {
        await open.page.goto(`${prefix}${name}`);
        await open.page.locator('main, [role=main], h1').first().waitFor();
        await open.page.waitForLoadState('networkidle');
        const found = await open.page.evaluate(() => {
          const bad: string[] = [];
          if ('hit' in globalThis) bad.push('a script ran');
          for (const each of document.querySelectorAll('*')) {
            for (const { name: attribute, value } of each.attributes) {
              if (attribute.startsWith('on')) bad.push(`${each.tagName} ${attribute}`);
              if (['href', 'src', 'action', 'formaction', 'xlink:href'].includes(attribute)) {
                if (/^\s*(?:javascript|data:text|vbscript)/i.test(value)) bad.push(`${attribute}=${value}`);
              }
              if (attribute === 'style' && /url\(|expression|@import/i.test(value)) bad.push(value);
            }
            if (each.tagName === 'IMG' && each.getAttribute('src') === 'x') bad.push('an image of a name');
          }
          return { bad, shows: document.body.innerText.includes('onerror=') };
        });
        assert.deepEqual(found.bad, [], `${prefix}${name}`);
        if (found.shows) seen++;
      }
      assert.ok(seen > 0, 'the names are to be seen on some page');
      const policy = open.errors.filter((text) => /Content Security Policy|Refused to/.test(text));
      assert.deepEqual(policy, [], 'nothing came as far as the policy');
    });
  }
});

/** Names, notes, labels, subjects, a user agent and mailboxes, all of them hostile. */
async function fill(world: WebWorld): Promise<void> {
  const { server, base } = world;
  const call = async (who: string, method: string, path: string, body: object): Promise<void> => {
    const response = await fetch(base + path, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${who}:${TEST_PASSWORD}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  };
  const short = EVIL.slice(0, 100);
  await call(ADMIN, 'POST', '/admin/v1/invitations', { domain: 'example.test', note: EVIL.slice(0, 200) });
  await call(ADMIN, 'POST', '/admin/v1/groups', {
    address: 'team@example.test',
    members: [USER],
    description: EVIL,
  });
  await call(USER, 'POST', '/account/v1/masked', { label: short });
  await call(USER, 'PUT', '/account/v1/labels', { labels: [{ keyword: 'x', name: short, colour: 'red' }] });
  await call(USER, 'PUT', '/account/v1/vacation', {
    vacation: { enabled: false, subject: short, text: EVIL },
  });
  const { write } = server.store;
  const { id: accountId } = await server.account(USER);
  await write.run('access.openSession', {
    accountId,
    digest: 'a'.repeat(64),
    userAgent: short,
    address: '192.0.2.1',
    remember: true,
  });
  const jmap = await world.jmap(USER);
  await jmap.call('Mailbox/set', { create: { a: { name: short.replaceAll('/', '') } } });
  await jmap.call('Identity/set', { create: { a: { name: EVIL, email: USER, htmlSignature: EVIL } } });
  const q = EVIL.replaceAll('"', "'");
  await lmtp(
    server,
    USER,
    `From: "${q}" <evil@example.org>\nSubject: ${EVIL}\nMessage-ID: <onerror=@x>\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n${EVIL} javascript:window.hit=1\n--b\nContent-Type: text/html; name="${q}.html"\nContent-Disposition: attachment; filename="${q}.html"\n\n<script>window.hit=1</script>\n--b--\n`,
  );
  await write.run('delivery.accept', {
    blob: { size: 3, encoding: 'raw', data: Buffer.from('a\r\n'), file: undefined },
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
    events: [
      {
        trace: 'trace0000000000001',
        at: Date.now(),
        kind: 'message.refused',
        data: { to: USER, from: EVIL, subject: EVIL, reason: EVIL, helo: EVIL },
        terms: [terms.address(USER)],
      },
    ],
    vault: {
      caseNumber: 'ABCDE-FGHJK',
      trace: 'trace0000000000001',
      kind: 'refused',
      reversePath: '"<img onerror=window.hit=1>"@evil.example',
      ip: '192.0.2.1',
      author: EVIL,
      subject: EVIL,
      reason: EVIL,
      verdict: '{}',
      expiresAt: Date.now() + 1e9,
      received: Buffer.alloc(0),
      hidden: [],
      recipients: [{ accountId, address: USER }],
    },
  });
  await write.run('spam.listAdd', {
    actor: testActor,
    account: USER,
    pattern: '@evil.example',
    action: 'block',
    note: EVIL.slice(0, 200),
  });
}
