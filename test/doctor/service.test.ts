/** Around the doctor: keys that change without a gap, what is told to the administrator, and what mail programs ask. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { carriedOver, changeNotice, changesSince, remembered } from '../../src/flow/doctor/changes.ts';
import type { DoctorReport } from '../../src/flow/doctor/doctor.ts';
import { doctorFacts, domainFacts, type HostFacts } from '../../src/flow/doctor/facts.ts';
import { createDoctorService } from '../../src/flow/doctor/service.ts';
import { rotateStep } from '../../src/flow/doctor/rotation.ts';
import type { DoctorLine, DoctorState } from '../../src/flow/doctor/types.ts';
import { domainRecords } from '../../src/mail/dns-records.ts';
import { parseStsPolicy } from '../../src/mail/mta-sts/policy.ts';
import { makeDkimKeys } from '../../src/servers/http/admin/dkim-keys.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { type DnsTable, tableDns, txt } from '../support/dns-table.ts';
import { startTestServer, testActor } from '../support/server.ts';

const DAY = 24 * 3_600_000;

test('DKIM keys change without a moment in which a signature cannot be verified', async () => {
  await using server = await startTestServer({ config: { listen: {} } });
  const { store } = server;
  const domain = 'example.test';
  const table: DnsTable = {};
  let ahead = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + ahead };
  const makeKeys = (name: string) =>
    makeDkimKeys({ store, clock: systemClock }, testActor, name, ['ed25519-sha256'], 'pending');
  const parts = { store, clock, dns: tableDns(table, false), makeKeys, actor: testActor };
  const step = (begin = false, rotateDays = 0) => rotateStep(parts, domain, { begin, rotateDays });
  const keys = async () =>
    (await store.read.run('directory.dkimKeys', { domain })).map(
      ({ selector, state }) => `${selector} ${state}`,
    );

  const [first] = await makeDkimKeys({ store, clock: systemClock }, testActor, domain, ['ed25519-sha256']);
  assert.equal((await step()).kind, 'nothing');
  assert.equal((await step(false, 30)).kind, 'nothing', 'not old enough');
  ahead = 31 * DAY;
  const begun = await step(false, 30);
  assert.ok(begun.kind === 'begun');
  const [next = ''] = begun.selectors;
  assert.deepEqual(await keys(), [`${first?.selector} active`, `${next} pending`], 'the old one still signs');
  assert.equal((await step(true)).kind, 'waiting', 'not published yet');

  const key = (await store.read.run('directory.dkimKeys', { domain })).find(
    ({ selector }) => selector === next,
  );
  table[`${next}._domainkey.${domain}`] = { TXT: txt(`v=DKIM1; k=ed25519; p=${first?.publicKey}`) };
  assert.equal((await step()).kind, 'waiting', 'what is published is another key');
  table[`${next}._domainkey.${domain}`] = { TXT: txt(`v=DKIM1; k=ed25519; p=${key?.publicKey}`) };
  ahead = 0;
  assert.equal((await step()).kind, 'waiting', 'resolvers may still remember that there was none');
  ahead = 2 * 3_600_000;
  assert.equal((await step()).kind, 'changed');
  assert.deepEqual(await keys(), [`${first?.selector} retired`, `${next} active`]);
  assert.equal((await step()).kind, 'nothing', 'mail that the old one signed is still on its way');
  ahead = 15 * DAY;
  assert.equal((await step()).kind, 'revoked');
  assert.deepEqual(await keys(), [`${first?.selector} revoked`, `${next} active`]);
  ahead = 31 * DAY;
  assert.equal((await step()).kind, 'forgotten');
  assert.deepEqual(await keys(), [`${next} active`]);
});

function report(...states: (readonly [subject: string, state: DoctorState])[]): DoctorReport {
  const lines = states.map(([subject, state]): DoctorLine => {
    return {
      check: 'mx',
      subject,
      state,
      found: `Found ${state}.`,
      why: 'It matters.',
      mend: state === 'ok' ? [] : ['a record'],
    };
  });
  return { at: 0, hostname: 'mail.example.test', domains: [], lines };
}

describe('what changed', () => {
  test('the first look tells of problems alone, later ones of all that got worse or was mended', () => {
    const first = report(['a', 'problem'], ['b', 'warning'], ['c', 'unknown']);
    assert.deepEqual(
      changesSince(undefined, first).worse.map(({ subject }) => subject),
      ['a'],
    );
    const before = remembered(first);
    assert.equal(changeNotice(changesSince(before, first), 'h'), undefined, 'nothing changed');
    const next = changesSince(before, report(['a', 'ok'], ['b', 'problem'], ['c', 'warning']));
    assert.deepEqual(
      next.worse.map(({ subject }) => subject),
      ['b', 'c'],
    );
    assert.deepEqual(
      next.mended.map(({ subject }) => subject),
      ['a'],
    );
    const notice = changeNotice(next, 'mail.example.test');
    assert.equal(notice?.subject, 'mail.example.test: 2 things need your attention');
    assert.ok(notice.paragraphs.includes('    a record'));
  });

  test('a resolver that is away for a while is no news, neither then nor afterwards', () => {
    const before = remembered(report(['a', 'problem'], ['b', 'ok']));
    const away = report(['a', 'unknown'], ['b', 'unknown']);
    assert.equal(changeNotice(changesSince(before, away), 'h'), undefined);
    assert.deepEqual(carriedOver(before, away), before);
  });
});

test('the daily look: gauges under both names, and a mail to the administrator when something changed', async () => {
  await using server = await startTestServer();
  const table: DnsTable = { 'mx.example.test': { A: ['192.0.2.7'], bogus: ['TXT'] } };
  const metrics = new Metrics();
  const dns = tableDns(table, false);
  const service = createDoctorService({
    deps: server.deps,
    clock: systemClock,
    metrics,
    host: () => ({
      hostname: 'mx.example.test',
      addresses: ['192.0.2.7'],
      adminAddress: undefined,
      listeners: [],
      dataDirectory: server.directory,
      tlsKeys: [],
      relayed: true,
    }),
    resolver: async () => dns,
    makeResolver: () => dns,
    makeKeys: async () => [],
    options: { lists: [], timeServers: [], bigDomains: [], allowPrivate: true, connectMs: 500 },
  });
  const alice = await server.account('alice@example.test');
  const mails = async () => (await server.account(alice.address)).emails;
  await service.daily();
  assert.equal(await mails(), 1);
  await service.daily();
  assert.equal(await mails(), 1, 'nothing changed');
  table['example.test'] = { MX: [{ preference: 10, exchange: 'mx.example.test' }] };
  await service.daily();
  assert.equal(await mails(), 2, 'the MX record is there now');
  const text = await metrics.text();
  assert.match(text, /^postern_doctor_state\{check="mx",domain="example\.test"\} 0$/m);
  assert.match(text, /^postern_doctor_state\{check="reverse",domain=""\} 3$/m);
  assert.match(text, /^dns_sanity_server_ptr_record\{ip="192\.0\.2\.7"\} 0$/m);
  assert.match(text, /^dns_sanity_domain_mx_record\{domain="example\.test"\} 1$/m);
  assert.match(text, /^dns_sanity_domain_dmarc_record\{domain="example\.test"\} 0$/m);
  assert.match(
    text,
    /^dns_sanity_example_dmarc_record\{domain="example\.test",host="_dmarc\.example\.test",dmarc="v=DMARC1; p=none;/m,
  );
});

describe('names of our domains behind a proxy', () => {
  interface Got {
    readonly status: number;
    readonly type: string;
    readonly body: string;
  }

  function ask(port: number, host: string, path: string, body?: string): Promise<Got> {
    return new Promise((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST';
      const call = request(
        { host: '127.0.0.1', port, path, method, agent: false, headers: { host } },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              type: answer.headers['content-type'] ?? '',
              body: text,
            }),
          );
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  const outlook = (address: string): string =>
    `<?xml version="1.0"?><Autodiscover xmlns="x"><Request><EMailAddress>${address}</EMailAddress><AcceptableResponseSchema>y</AcceptableResponseSchema></Request></Autodiscover>`;

  test('policy and settings are told there, to the port that else answers to this machine alone', async () => {
    await using server = await startTestServer({ domains: ['other.test'] });
    const port = server.ports.http ?? 0;
    const policy = await ask(port, 'mta-sts.other.test', '/.well-known/mta-sts.txt');
    assert.equal(policy.status, 200);
    assert.match(policy.type, /^text\/plain/);
    const parsed = parseStsPolicy(Buffer.from(policy.body));
    assert.ok(
      parsed.status === 'ok' && parsed.policy.mode === 'testing' && parsed.policy.mx[0] === 'mx.example.test',
    );

    for (const [host, path] of [
      ['autoconfig.other.test', '/mail/config-v1.1.xml?emailaddress=bob%40other.test'],
      ['other.test', '/.well-known/autoconfig/mail/config-v1.1.xml'],
      ['mx.example.test', '/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=bob@other.test'],
    ] as const) {
      const { status, body } = await ask(port, host, path);
      assert.equal(status, 200, host);
      assert.match(
        body,
        /<emailProvider id="other\.test">[^]*type="imap">\s*<hostname>mx\.example\.test<\/hostname>\s*<port>993<\/port>\s*<socketType>SSL/,
      );
      assert.match(body, /type="smtp">\s*<hostname>mx\.example\.test<\/hostname>\s*<port>465</);
    }

    const found = await ask(
      port,
      'autodiscover.other.test',
      '/Autodiscover/Autodiscover.xml',
      outlook('b&amp;b@other.test'),
    );
    assert.equal(found.status, 200);
    assert.match(
      found.body,
      /<Type>IMAP<\/Type>\s*<Server>mx\.example\.test<\/Server>\s*<Port>993<\/Port>\s*<LoginName>b&amp;b@other\.test</,
    );

    const profile = await ask(port, 'autoconfig.other.test', '/mail/apple.mobileconfig?email=bob@other.test');
    assert.equal(profile.type, 'application/x-apple-aspen-config');
    assert.match(profile.body, /<key>IncomingMailServerHostName<\/key><string>mx\.example\.test<\/string>/);
  });

  test('nothing else is told under those names, nor anything about domains of others', async () => {
    await using server = await startTestServer();
    const port = server.ports.http ?? 0;
    assert.equal((await ask(port, 'autoconfig.example.test', '/')).status, 421);
    assert.equal((await ask(port, 'mta-sts.example.test', '/metrics')).status, 421);
    assert.equal((await ask(port, 'mta-sts.elsewhere.test', '/.well-known/mta-sts.txt')).status, 404);
    assert.equal(
      (await ask(port, 'example.test', '/.well-known/mta-sts.txt')).status,
      404,
      'only at mta-sts.',
    );
    assert.equal((await ask(port, 'autoconfig.elsewhere.test', '/mail/config-v1.1.xml')).status, 404);
    assert.equal(
      (await ask(port, 'x', '/autodiscover/autodiscover.xml', outlook('a@elsewhere.test'))).status,
      404,
    );
    assert.equal((await ask(port, 'x', '/autodiscover/autodiscover.xml', 'no address')).status, 400);
    assert.equal((await ask(port, 'x', '/autodiscover/autodiscover.xml', 'x'.repeat(20_000))).status, 413);
    assert.equal((await ask(port, 'x', '/mail/apple.mobileconfig?email="><x@example.test')).status, 400);
    const known = await ask(port, 'x', '/autodiscover/autodiscover.xml', outlook('alice@example.test'));
    const strange = await ask(port, 'x', '/autodiscover/autodiscover.xml', outlook('nobody@example.test'));
    assert.equal(strange.body.replaceAll('nobody', 'alice'), known.body, 'it does not say who is here');
  });
});

test('records of a domain that Amazon SES receives and sends for', async () => {
  await using server = await startTestServer();
  const { read, write } = server.store;
  const routing = {
    transports: { ses: { kind: 'ses-api', region: 'eu-west-1' } },
    routes: [{ name: 'all', transports: ['ses'] }],
  };
  await write.run('routing.saveSettings', { actor: testActor, json: JSON.stringify(routing), what: 'test' });
  const host: HostFacts = {
    hostname: 'mx.example.test',
    addresses: ['192.0.2.7'],
    adminAddress: undefined,
    listeners: [],
    dataDirectory: '/',
    tlsKeys: [],
    relayed: false,
  };
  const facts = await domainFacts({ read }, host, 'example.test');
  assert.deepEqual(facts.ses, { sends: true });
  const both = { ...facts, ses: { sends: true, receives: { region: 'eu-west-1', alone: false } } };
  const values = domainRecords(both)
    .filter(({ name }) => name === 'example.test')
    .map(({ type, value }) => `${type} ${value}`);
  assert.deepEqual(values, [
    'MX 10 mx.example.test',
    'MX 20 inbound-smtp.eu-west-1.amazonaws.com',
    'TXT v=spf1 mx include:amazonses.com -all',
    'CAA 0 issue "letsencrypt.org"',
  ]);
  const { sendsDirectly } = await doctorFacts({ read }, host, [], () => 0);
  assert.equal(sendsDirectly, false, 'port 25 of others does not matter then');
});

test('the command line: settings, exit status, JSON, rotation by hand', async () => {
  const dns = await startDnsServer({
    'example.test': { NS: ['ns.example.test'], MX: [{ preference: 10, exchange: 'mx.example.test' }] },
    'mx.example.test': { A: ['192.0.2.7'] },
  });
  await using server = await startTestServer({ config: { dns: { servers: [`127.0.0.1:${dns.port}`] } } });
  const run = (...args: string[]): Promise<{ status: number | null; text: string }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ['src/app/main.ts', ...args, '--data', server.directory], {
        cwd: new URL('../..', import.meta.url),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      child.on('close', (status) => resolve({ status, text }));
    });
  try {
    const changed = await run('doctor', 'set', 'mta_sts', 'enforce');
    assert.deepEqual(changed, { status: 0, text: 'mta_sts is "enforce" from now on.\n' });
    const good = await run('doctor', 'example.test', '--check', 'mx');
    assert.equal(good.status, 0, good.text);
    assert.match(good.text, /ok {7}mx, example\.test: It leads to 10 mx\.example\.test\./);
    const bad = await run('doctor', 'example.test', '--check', 'spf', '--json');
    assert.equal(bad.status, 1);
    const [line] = (JSON.parse(bad.text) as DoctorReport).lines;
    assert.deepEqual(
      [line?.check, line?.state, line?.mend],
      ['spf', 'problem', ['example.test. 3600 IN TXT "v=spf1 mx -all"']],
    );
    const rotation = await run('dkim', 'rotate', 'example.test');
    assert.equal(rotation.status, 0);
    assert.match(rotation.text, /_domainkey\.example\.test\. 3600 IN TXT "v=DKIM1; k=ed25519; p=/);
  } finally {
    await dns.close();
  }
});
