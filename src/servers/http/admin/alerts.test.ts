import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLogger } from '../../../base/log.ts';
import { systemClock } from '../../../base/clock.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { type InlineStore, openInlineStore } from '../../../data/inline.ts';
import { alwaysActor, createAdminApp } from './app.ts';

const facts = {
  version: '1.2.3',
  mode: 'serve' as const,
  hostname: 'host.example',
  startedAt: 1,
  dataDirectory: '/nonexistent',
  publicAddresses: () => [],
  adminAddress: () => undefined,
  listeners: () => [],
  certificates: () => [],
};

describe('alert webhooks', () => {
  let store: InlineStore;
  const local: Actor = { name: 'system', role: 'system', domainId: undefined };
  const remote: Actor = { name: 'root@own.example', role: 'admin', domainId: undefined };
  before(async () => {
    store = await openInlineStore({ path: ':memory:', clock: systemClock });
  });
  after(() => store.close());

  async function ask(actor: Actor, method: string, path: string, value?: unknown): Promise<number> {
    const app = createAdminApp(
      { store, clock: systemClock, logger: silentLogger, facts },
      alwaysActor(actor),
    );
    const answer = await app.request(`/admin/v1${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(value !== undefined && { body: JSON.stringify({ value }) }),
    });
    return answer.status;
  }
  const set = (actor: Actor, name: string, value: unknown): Promise<number> =>
    ask(actor, 'PUT', `/alerts/settings/${name}`, value);

  it('SSRF: over the network no webhook is set into our own network, nor is that allowed', async () => {
    assert.equal(await set(local, 'webhook.secret_file', '/nonexistent/secrets/hook'), 200);
    for (const url of [
      'http://127.0.0.1:8080/',
      'http://10.1.2.3/',
      'http://[::1]/',
      'http://[::ffff:192.168.0.1]/',
      'http://169.254.169.254/latest',
      'http://0x7f000001/',
      'http://2130706433/',
      'http://localhost:25/',
      'http://localhost./',
      'http://a.localhost/',
    ])
      assert.equal(await set(remote, 'webhook.url', url), 403, url);
    assert.equal(await set(remote, 'webhook.private', true), 403);
    const whole = { url: 'https://hook.example/', secret_file: '/nonexistent/secrets/hook', private: true };
    assert.equal(await set(remote, 'webhook', whole), 403);
    assert.equal(await set(remote, 'webhook.url', 'https://hook.example/'), 200);
    // What the server's own command line allows may be used.
    assert.equal(await set(local, 'webhook.private', true), 200);
    assert.equal(await set(remote, 'webhook.url', 'http://10.1.2.3/'), 200);
  });

  it('SSRF: nor by taking back what was set on the server', async () => {
    await set(local, 'webhook.private', true);
    await set(local, 'webhook.private', false);
    const { rows } = await store.read.run('directory.auditSearch', { limit: 1 });
    const path = `/audit/${rows[0]?.id}/undo`;
    assert.equal(await ask(remote, 'POST', path, 0), 400);
    const app = createAdminApp(
      { store, clock: systemClock, logger: silentLogger, facts },
      alwaysActor(remote),
    );
    const answer = await app.request(`/admin/v1${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    });
    assert.equal(answer.status, 403, await answer.text());
  });
});
