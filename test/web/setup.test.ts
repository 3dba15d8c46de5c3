import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { DIGITALOCEAN_TOKEN, fakeDigitalocean } from '../dns-plan/fakes/digitalocean.ts';
import { runCommand } from '../support/cli.ts';
import { startDnsServer, type TestDnsServer, type Zone } from '../support/dns-server.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer.ts';
import { lmtp } from './lmtp.ts';
import { assertAccessible, NO_LONG_BROWSER, PHONE, shot, startWebWorld, type WebWorld } from './support.ts';

/** The first day of a server in a browser: from the link that it prints to mail that comes and goes. */

const DOMAIN = 'new.test';
const ANN = `ann@${DOMAIN}`;

describe('setting up', { skip: NO_LONG_BROWSER }, () => {
  let directory: string;
  let dns: TestDnsServer;
  let peer: SmtpPeer;
  let world: WebWorld;
  let server: TestServer;
  let provider: Awaited<ReturnType<typeof fakeDigitalocean>>;
  let options: TestServerOptions;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-setup-'));
    dns = await startDnsServer({
      [DOMAIN]: { NS: ['ns.provider.test'] },
      'far.test': { MX: [{ preference: 10, exchange: 'mx.far.test' }] },
    });
    peer = await startSmtpPeer();
    provider = await fakeDigitalocean([DOMAIN]);
    const servers = [{ address: dns.address, port: dns.port, trusted: false }];
    options = {
      accounts: [],
      directory,
      dns: createResolver({ servers, clock: systemClock }),
      config: { hostname: `mx.${DOMAIN}`, dns: { servers: [`${dns.address}:${dns.port}`] } },
    };
    world = await startWebWorld(options);
    server = world.server;
  });
  after(async () => {
    await server.close();
    await world.close();
    await Promise.all([provider.close(), peer.close(), dns.close()]);
    await rm(directory, { recursive: true, force: true });
  });

  const cli = async (...words: string[]): Promise<void> => {
    const { status, err } = await runCommand(words, { data: directory });
    assert.equal(status, 0, err);
  };
  const pathOf = (link: string): string => {
    const { pathname, search, hash } = new URL(link);
    return `${pathname}${search}${hash}`;
  };
  const origin = (): string => `http://localhost:${server.ports.http}`;

  it('leads from the link of the server to mail both ways, through reloads and a restart', async () => {
    const link = pathOf(server.setupLink ?? '');
    // The server is started anew before anybody has filled in the form: the link that was printed first still leads in.
    await server.close();
    server = await startTestServer(options);
    await using opened = await world.open({ as: undefined });
    const { page, context } = opened;
    await page.goto(`${origin()}${link}`);
    assert.equal(await page.getByLabel('Domain').inputValue(), DOMAIN);
    assert.ok(!page.url().includes('token='), 'the secret stays in no address');
    await page.reload();
    await page.getByLabel('Name before the @').fill('ann');
    await page.getByLabel('Your name').fill('Ann');
    await page.getByLabel('Choose a password').fill('a long password of Ann');
    await shot(page, 'setup-first');
    await page.getByRole('button', { name: 'Create and go on' }).click();
    await page.waitForURL('**/admin/setup');

    // Nothing is published: each key is named by its record.
    const step = (title: string) => page.locator('.admin-steps > li').filter({ hasText: title });
    const records = step('DNS records');
    await records.getByText('Problem').first().waitFor();
    const keys = await server.store.read.run('directory.dkimKeys', { domain: DOMAIN });
    const said = (await records.locator('.admin-found').textContent()) ?? '';
    for (const { selector } of keys)
      assert.ok(said.includes(`${selector}._domainkey.${DOMAIN}: The key is not published`), said);
    await records
      .getByText(`Copy: MX ${DOMAIN}`)
      .or(records.getByLabel(`Copy: MX ${DOMAIN}`))
      .waitFor();
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: origin() });
    await records.getByLabel(`Copy: MX ${DOMAIN}`).click();
    assert.equal(await page.evaluate<string>('navigator.clipboard.readText()'), `10 mx.${DOMAIN}`);

    // The provider is named on the server; the page shows what it would be told, and has it done.
    const key = join(directory, 'dns.key');
    await writeFile(key, DIGITALOCEAN_TOKEN);
    await cli('dns', 'use', DOMAIN, 'digitalocean', '--credentials', key, '--endpoint', provider.endpoint);
    await cli('doctor', 'set', 'addresses', '["192.0.2.7"]');
    await page.reload();
    await page.getByRole('button', { name: 'What would the DNS provider be told?' }).click();
    await records.getByText('v=spf1').last().waitFor();
    await shot(page, 'setup-plan');
    await page.getByRole('button', { name: 'Publish these' }).click();
    await page.getByText('Published', { exact: true }).waitFor();
    publish(provider.requests, dns.zone);
    await page.getByRole('button', { name: 'Check again' }).click();
    await records.getByText('Done', { exact: true }).waitFor();
    await assertAccessible(page);

    // Mail goes out; what was begun is watched on when the page is loaded anew.
    await cli('transport', 'add', 'out', 'relay', 'host=127.0.0.1', `port=${peer.port}`, 'tls=none');
    await cli('route', 'add', 'all', '--via', 'out');
    const send = step('Mail goes out');
    await send.getByLabel('Address elsewhere').fill('friend@far.test');
    await send.getByRole('button', { name: 'Send a test message' }).click();
    await send.getByRole('status').waitFor();
    await page.reload();
    await send.getByText('Done', { exact: true }).waitFor();
    assert.ok(peer.transactions.some(({ to }) => to.includes('friend@far.test')));

    // And comes in, although the server is started anew while it is waited for.
    const receive = step('Mail comes in');
    await receive.getByRole('button', { name: 'Wait for a test message' }).click();
    await receive.getByText(`Write to ${ANN} from elsewhere`).waitFor();
    await server.close();
    server = await startTestServer(options);
    await page.goto(`${origin()}/admin/setup`);
    await receive.getByRole('status').waitFor();
    await lmtp(server, ANN, 'From: <friend@far.test>\nSubject: Hello\n\nHello.\n', 'friend@far.test');
    await receive.getByText('Done', { exact: true }).waitFor();
    await page.setViewportSize(PHONE);
    await shot(page, 'setup-phone');
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    assert.ok(wide <= 0, `the page is ${wide} pixels wider than the window`);
  });
});

interface Posted {
  readonly method: string;
  readonly body?: unknown;
}

/** What the provider was told stands in DNS. */
function publish(requests: readonly Posted[], zone: Zone): void {
  for (const { method, body } of requests) {
    if (method !== 'POST') continue;
    const { name, type, data, priority } = body as Record<'name' | 'type' | 'data', string> & {
      priority: number;
    };
    const full = name === '@' ? DOMAIN : `${name}.${DOMAIN}`;
    const node = (zone[full] ??= {});
    const value = data.replace(/\.$/, '');
    if (type === 'MX') (node.MX ??= []).push({ preference: priority, exchange: value });
    else if (type === 'A') (node.A ??= []).push(data);
    else if (type === 'TXT') (node.TXT ??= []).push(data.replaceAll(/"\s*"/g, '').replace(/^"|"$/g, ''));
  }
}
