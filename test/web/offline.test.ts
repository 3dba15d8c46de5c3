import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keptOnDevice } from './device.ts';
import { eventually, NO_LONG_BROWSER, shot, startWebWorld, type WebPage, type WebWorld } from './support.ts';

/** The service worker: what is there without a network, and what is never kept. */

describe('without a network', { skip: NO_LONG_BROWSER }, () => {
  let world: WebWorld;
  before(async () => {
    world = await startWebWorld();
  });
  after(() => world.close());

  const ready = async ({ page }: WebPage): Promise<void> => {
    await page.evaluate(async () => {
      const { active } = await navigator.serviceWorker.ready;
      for (let round = 0; round < 1200; round++) {
        if (active?.state === 'activated' && navigator.serviceWorker.controller !== null) return;
        await new Promise((done) => setTimeout(done, 50));
      }
      throw new Error('the service worker does not come to work');
    });
  };

  it('the app opens, and shows mail that was read before', async () => {
    await world.deposit([
      'From: alice@example.test\nTo: bob@example.test\nSubject: Read me later\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>Offline <b>words</b>.</p>\n',
    ]);
    await using opened = await world.open({ path: '/mail' });
    const { page, context } = opened;
    await page.getByText('Read me later').first().click();
    await page.frameLocator('iframe').first().getByText('Offline').waitFor();
    await ready(opened);
    await keptOnDevice(page, ['postern-mail', 'bodies'], 'Offline <b>words');
    const path = new URL(page.url()).pathname;
    await context.setOffline(true);
    await page.reload();
    await page.getByText('Read me later').first().waitFor();
    await page.frameLocator('iframe').first().getByText('Offline').waitFor();
    assert.equal(new URL(page.url()).pathname, path);
    await shot(page, 'offline');
    await page.goto('/settings/general');
    await page.getByRole('heading').first().waitFor();
  });

  it('no answer with private data is in the caches', async () => {
    await using opened = await world.open({ path: '/mail' });
    await ready(opened);
    const kept = await opened.page.evaluate(async () => {
      const paths: string[] = [];
      for (const name of await caches.keys())
        for (const request of await (await caches.open(name)).keys())
          paths.push(new URL(request.url).pathname);
      return paths;
    });
    assert.ok(kept.includes('/mail') && kept.includes('/frame/message'), kept.join());
    assert.deepEqual(
      kept.filter((path) => /^\/(?:jmap|account|auth|admin)/.test(path)),
      [],
    );
  });

  it('what is on the device goes with the session', async () => {
    await using opened = await world.open({ path: '/mail?compose' });
    const { page } = opened;
    await page.getByLabel('Subject').fill('Secret plans');
    await page.getByText(/^Saved/).waitFor();
    await page.evaluate(async () => {
      await fetch('/auth/sign-out', {
        method: 'POST',
        headers: { 'X-Postern': '1', 'Content-Type': 'application/json' },
        body: '{}',
      });
    });
    await page.reload();
    await page.getByLabel('Password', { exact: true }).waitFor();
    await eventually(async () => {
      const names = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
      assert.ok(!names.includes('postern-compose'), 'the drafts are still on the device');
    });
    assert.equal(await page.evaluate(() => localStorage.getItem('postern.me')), null);
  });

  it('a push becomes a notice, with what the person wants told, and never two', async () => {
    await using opened = await world.open({ path: '/mail' });
    const { page, context } = opened;
    await context.grantPermissions(['notifications'], { origin: world.base });
    await ready(opened);
    const tools = await context.newCDPSession(page);
    const registration = new Promise<string>((found) => {
      tools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const [first] = registrations;
        if (first !== undefined) found(first.registrationId);
      });
    });
    await tools.send('ServiceWorker.enable');
    const registrationId = await registration;
    const [worker] = context.serviceWorkers();
    assert.ok(worker);
    // What is shown is written down; what the clock of a phone says must not matter.
    await worker.evaluate(() => {
      const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
      const shown: string[] = [];
      Object.assign(globalThis, { shown });
      const show = registration.showNotification.bind(registration);
      registration.showNotification = (title, options) => {
        shown.push(`${title}: ${options?.body}`);
        return show(title, options);
      };
      const now = Date.now;
      Date.now = () => now() + 3_600_000;
    });
    const push = async (subject: string, pushes: number): Promise<void> => {
      await world.deposit([
        `From: Alice <alice@example.test>\nTo: bob@example.test\nSubject: ${subject}\n\nx\n`,
      ]);
      const data = JSON.stringify({ '@type': 'StateChange', changed: {} });
      for (let i = 0; i < pushes; i++)
        await tools.send('ServiceWorker.deliverPushMessage', { origin: world.base, registrationId, data });
    };
    /** Until the worker has shown so many; all of them. */
    const shown = (count: number): Promise<string[]> =>
      worker.evaluate(async (wanted) => {
        const { shown: all } = globalThis as unknown as { shown: string[] };
        while (all.length < wanted) await new Promise((done) => setTimeout(done, 20));
        return all;
      }, count);
    /** A page tells the worker what is wanted, and waits until it has written that down. */
    const tell = async (notices: string): Promise<void> => {
      await page.goto('/mail');
      await page.evaluate(async (kind) => {
        const { active } = await navigator.serviceWorker.ready;
        const { port1, port2 } = new MessageChannel();
        const answer = new Promise((done) => (port1.onmessage = done));
        active?.postMessage({ kind: 'settings', notices: kind, language: 'de' }, [port2]);
        await answer;
      }, notices);
      // Whoever looks at the app needs no notice.
      await page.goto('about:blank');
    };
    await tell('sender-and-subject');
    await push('Lunch?', 3);
    await shown(1);
    await push('Dinner?', 1);
    assert.deepEqual(await shown(2), ['Alice: Lunch?', 'Alice: Dinner?']);
    await tell('count');
    await push('Secret', 1);
    assert.deepEqual((await shown(3)).slice(2), ['Neue Mail: ']);
    const left = await worker.evaluate(async () => {
      const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
      // It is written down that one is shown before it is.
      for (let tries = 0; tries < 500 && (await registration.getNotifications()).length < 3; tries++)
        await new Promise((done) => setTimeout(done, 20));
      return (await registration.getNotifications()).map(({ title }) => title);
    });
    assert.deepEqual(left.toSorted(), ['Alice', 'Alice', 'Neue Mail']);
  });

  it('an icon, a manifest and the worker are served as such', async () => {
    await using opened = await world.open();
    const get = async (path: string) => opened.context.request.get(`${world.base}${path}`);
    const manifest = (await (await get('/manifest.webmanifest')).json()) as {
      icons: { src: string; type: string }[];
    };
    for (const { src, type } of manifest.icons) {
      const answer = await get(src);
      assert.deepEqual([answer.status(), answer.headers()['content-type']?.split(';')[0]], [200, type]);
    }
    const worker = await get('/sw.js');
    assert.match(worker.headers()['content-type'] ?? '', /javascript/);
    assert.equal(worker.headers()['cache-control'], 'no-cache');
  });
});
