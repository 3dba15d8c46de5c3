import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { Refusal } from '../../src/base/errors.ts';
import { CONTRACT_ZONES, providerContract } from '../../src/net/dns-providers/provider.contract.ts';
import { rfc2136 } from '../../src/net/dns-providers/rfc2136.ts';
import { withSession } from '../../src/net/dns-providers/dns-session.ts';
import { parseTsigKey } from '../../src/net/dns-providers/tsig.ts';
import { CLASSES, encodeData, encodeUpdate } from '../../src/net/dns-providers/wire.ts';
import type { RecordType } from '../../src/net/dns-providers/types.ts';
import { skipWithout } from '../support/programs.ts';
import { type Knot, KNOT_KEY, startKnot } from './knot.ts';

const skip = skipWithout('knotd');

/** The data of a TXT record in the very pieces that are written. */
function pieces(text: string): Buffer {
  const found = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inner = '']) => {
    const octets = inner.replace(/\\(\d{3}|.)/g, (_, code: string) =>
      code.length === 3 ? String.fromCharCode(Number(code)) : code,
    );
    return Buffer.from(octets, 'latin1');
  });
  return Buffer.concat(found.flatMap((each) => [Buffer.from([each.length]), each]));
}

providerContract(
  'rfc2136 (Knot)',
  async () => {
    const knot = await startKnot(Object.fromEntries(CONTRACT_ZONES.map((zone) => [zone, ''])));
    const place = { host: '127.0.0.1', port: knot.port, key: parseTsigKey(KNOT_KEY), clock: systemClock };
    const provider = rfc2136({
      clock: systemClock,
      host: '127.0.0.1',
      port: knot.port,
      credentials: KNOT_KEY,
    });
    return {
      provider,
      async put(name: string, type: RecordType, text: string) {
        const zone = (await provider.zoneOf(name)) ?? '';
        const data = type === 'TXT' ? pieces(text) : encodeData(type, text);
        const record = { name, type, class: CLASSES.in, ttl: 300, data };
        const { rcode } = await withSession(place, (session) =>
          session.exchange((id) => encodeUpdate(id, zone, [], [record])),
        );
        assert.equal(rcode, 0);
      },
      close: () => knot.stop(),
    };
  },
  { skip },
);

describe('RFC 2136 at Knot', { skip }, () => {
  let knot: Knot;
  const at = (credentials: string) =>
    rfc2136({ clock: systemClock, host: '127.0.0.1', port: knot.port, credentials });
  before(async () => {
    knot = await startKnot({ 'wild.test': '* A 192.0.2.99\n*.sub CNAME www\nreal A 192.0.2.1\n' });
  });
  after(() => knot?.stop());

  const refusal = async (promise: Promise<unknown>): Promise<Refusal> => {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Refusal, String(error));
    return error;
  };

  it('tells what stands at a name from what a wildcard gives', async () => {
    const sets = await at(KNOT_KEY).read('wild.test', [
      'mail.wild.test',
      'real.wild.test',
      'a.sub.wild.test',
    ]);
    assert.deepEqual(
      sets.map(({ name, values }) => [name, values]),
      [['real.wild.test', ['192.0.2.1']]],
    );
    const change = {
      name: 'mail.wild.test',
      type: 'A' as const,
      ttl: 60,
      add: ['192.0.2.2'],
      remove: [],
      before: [],
    };
    await at(KNOT_KEY).change('wild.test', [change]);
    const [mail] = await at(KNOT_KEY).read('wild.test', ['mail.wild.test']);
    assert.deepEqual([mail?.values, mail?.ttl], [['192.0.2.2'], 60]);
  });

  it('says in words what is wrong with a key', async () => {
    const secret = await refusal(at('hmac-sha256:postern-key:d3Jvbmc=').zoneOf('wild.test'));
    assert.match(secret.message, /secret of the key is another one/);
    const name = await refusal(at('hmac-sha256:nobody:d3Jvbmc=').zoneOf('wild.test'));
    assert.match(name.message, /does not know our TSIG key/);
    const late = { ...systemClock, now: () => systemClock.now() - 3_600_000 };
    const clocks = rfc2136({ clock: late, host: '127.0.0.1', port: knot.port, credentials: KNOT_KEY });
    assert.match((await refusal(clocks.zoneOf('wild.test'))).message, /clocks differ/);
  });

  it('says when the key may not update', async () => {
    const change = { name: 'new.wild.test', type: 'A' as const, ttl: 60, add: ['192.0.2.2'], remove: [] };
    const reader = at(KNOT_KEY.replace('postern-key', 'reader'));
    const refused = await refusal(reader.change('wild.test', [change]));
    assert.equal(refused.kind, 'not-permitted');
    assert.deepEqual(await at(KNOT_KEY).read('wild.test', ['new.wild.test']), []);
  });

  it('reads keys as BIND and Knot keep them', () => {
    const secret = Buffer.from('a secret').toString('base64');
    const bind = parseTsigKey(
      `# made by tsig-keygen\nkey "Up.Date." {\n\talgorithm hmac-sha512;\n\tsecret "${secret}";\n};\n`,
    );
    assert.deepEqual(
      [bind.name, bind.algorithm, bind.secret.toString()],
      ['up.date', 'hmac-sha512', 'a secret'],
    );
    const own = parseTsigKey(`key:\n  - id: up\n    algorithm: hmac-sha256\n    secret: ${secret}\n`);
    assert.deepEqual([own.name, own.algorithm, own.secret.toString()], ['up', 'hmac-sha256', 'a secret']);
    assert.throws(() => parseTsigKey('hmac-md5:up:c2VjcmV0'), /hmac-md5/);
    assert.throws(() => parseTsigKey('nothing of the kind'), /key statement/);
  });
});
