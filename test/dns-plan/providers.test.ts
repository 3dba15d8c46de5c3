import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Refusal } from '../../src/base/errors.ts';
import { cloudflare } from '../../src/net/dns-providers/cloudflare.ts';
import { desec } from '../../src/net/dns-providers/desec.ts';
import { CONTRACT_ZONES, providerContract } from '../../src/net/dns-providers/provider.contract.ts';
import type { ProviderOptions } from '../../src/net/dns-providers/provider-options.ts';
import type { DnsProvider, RecordType } from '../../src/net/dns-providers/types.ts';
import { digitalocean } from '../../src/net/dns-providers/digitalocean.ts';
import { hetzner } from '../../src/net/dns-providers/hetzner.ts';
import { route53 } from '../../src/net/dns-providers/route53.ts';
import { porkbun } from '../../src/net/dns-providers/porkbun.ts';
import { CLOUDFLARE_TOKEN, fakeCloudflare } from './fakes/cloudflare.ts';
import { DESEC_TOKEN, fakeDesec } from './fakes/desec.ts';
import { DIGITALOCEAN_TOKEN, fakeDigitalocean } from './fakes/digitalocean.ts';
import { fakeHetzner, HETZNER_TOKEN } from './fakes/hetzner.ts';
import { fakeRoute53, ROUTE53_KEYS } from './fakes/route53.ts';
import { fakePorkbun, PORKBUN_KEYS } from './fakes/porkbun.ts';
import type { Fake } from './fakes/fake.ts';

interface Kind {
  readonly kind: string;
  readonly make: (options: ProviderOptions) => DnsProvider;
  readonly credentials: string;
  readonly fake: (
    zones: readonly string[],
  ) => Promise<Fake & { put(name: string, type: RecordType, text: string): void }>;
  readonly without?: readonly RecordType[];
  /** An answer that says in its own way what is wrong, and what of it is repeated. */
  readonly trouble: { readonly body: unknown; readonly words: RegExp };
}

const KINDS: readonly Kind[] = [
  {
    kind: 'cloudflare',
    make: cloudflare,
    credentials: CLOUDFLARE_TOKEN,
    fake: fakeCloudflare,
    trouble: {
      body: {
        success: false,
        errors: [{ code: 81053, message: 'An A record with that host already exists.' }],
      },
      words: /An A record with that host already exists\. \[81053\]/,
    },
  },
  {
    kind: 'desec',
    make: desec,
    credentials: DESEC_TOKEN,
    fake: fakeDesec,
    trouble: { body: [{}, { records: ['Record content malformed.'] }], words: /Record content malformed/ },
  },
  {
    kind: 'hetzner',
    make: hetzner,
    credentials: HETZNER_TOKEN,
    fake: fakeHetzner,
    trouble: {
      body: { error: { code: 'invalid_input', message: 'invalid value' } },
      words: /invalid value \[invalid_input\]/,
    },
  },
  {
    kind: 'digitalocean',
    make: digitalocean,
    credentials: DIGITALOCEAN_TOKEN,
    fake: fakeDigitalocean,
    without: ['TLSA'],
    trouble: { body: { id: 'unprocessable_entity', message: 'Name is bad' }, words: /Name is bad/ },
  },
  {
    kind: 'porkbun',
    make: porkbun,
    credentials: PORKBUN_KEYS,
    fake: fakePorkbun,
    trouble: { body: { status: 'ERROR', message: 'Invalid domain.' }, words: /Invalid domain/ },
  },
  {
    kind: 'route53',
    make: route53,
    credentials: ROUTE53_KEYS,
    fake: fakeRoute53,
    trouble: {
      body: '<ErrorResponse><Error><Code>Throttling</Code><Message>a &amp; b</Message></Error></ErrorResponse>',
      words: /a & b/,
    },
  },
];

for (const { kind, make, credentials, fake, without = [], trouble } of KINDS) {
  providerContract(
    kind,
    async () => {
      const server = await fake(CONTRACT_ZONES);
      const provider = make({ clock: systemClock, credentials, endpoint: server.endpoint });
      return {
        provider,
        put: async (name, type, text) => server.put(name, type, text),
        close: () => server.close(),
      };
    },
    { without, many: 230 },
  );

  describe(`${kind}: when something is wrong`, () => {
    const refusal = async (promise: Promise<unknown>): Promise<Refusal> => {
      const error = await promise.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof Refusal, String(error));
      return error;
    };

    it('waits as long as it is asked to, then goes on', async () => {
      const server = await fake(['example.test']);
      const slept: number[] = [];
      const clock: Clock = { ...systemClock, sleep: async (ms) => void slept.push(ms) };
      server.first.push({ status: 429, headers: { 'Retry-After': '3' } }, { status: 429 });
      const provider = make({ clock, credentials, endpoint: server.endpoint });
      assert.equal(await provider.zoneOf('a.example.test'), 'example.test');
      assert.equal(slept[0], 3000);
      assert.equal(slept.length, 2);
      await server.close();
    });

    it('says so when it would have to wait too long', async () => {
      const server = await fake(['example.test']);
      server.first.push({ status: 429, headers: { 'Retry-After': '900' } });
      const provider = make({ clock: systemClock, credentials, endpoint: server.endpoint });
      const { kind: refused, message } = await refusal(provider.zoneOf('example.test'));
      assert.equal(refused, 'unavailable');
      assert.match(message, /in 900 s/);
      await server.close();
    });

    it('tells of wrong credentials, of what the provider says, of strange answers, and of nobody there', async () => {
      const server = await fake(['example.test']);
      const at = (secret: string): DnsProvider =>
        make({ clock: systemClock, credentials: secret, endpoint: server.endpoint });
      const denied = await refusal(at(credentials.replace(/[a-z]/, 'X')).zoneOf('example.test'));
      assert.equal(denied.kind, 'not-permitted', denied.message);
      server.first.push({ status: 400, body: trouble.body });
      assert.match((await refusal(at(credentials).zoneOf('example.test'))).message, trouble.words);
      server.first.push({ status: 502, body: '<html>' });
      assert.equal((await refusal(at(credentials).zoneOf('example.test'))).kind, 'unavailable');
      server.first.push({ status: 200, body: '<html>' });
      assert.match((await refusal(at(credentials).zoneOf('example.test'))).message, /something else/);
      server.first.push({ status: 302, headers: { Location: 'http://127.0.0.1:1/' } });
      assert.equal((await refusal(at(credentials).zoneOf('example.test'))).kind, 'unavailable');
      await server.close();
      assert.match((await refusal(at(credentials).zoneOf('example.test'))).message, /cannot be asked/);
    });

    it('sends its secret by HTTPS only', () => {
      assert.throws(
        () => make({ clock: systemClock, credentials, endpoint: 'http://api.example.net' }),
        Refusal,
      );
    });
  });
}
