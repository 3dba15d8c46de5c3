/** What every provider does, whatever its API: one suite for all. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import type { DnsProvider, RecordType } from './types.ts';

export interface ProviderWorld {
  readonly provider: DnsProvider;
  /** Write a value as somebody else would, past the provider: as in a zone file, TXT in quotes. */
  put(name: string, type: RecordType, text: string): Promise<void>;
  close(): Promise<void>;
}

/** Zones that the account has. `unknown` lies in none of them. */
export const CONTRACT_ZONES = ['example.test', 'deep.example.test', 'example.co.test'] as const;
const ZONE = CONTRACT_ZONES[0];

export interface ContractOptions {
  readonly skip?: string | false;
  /** Types that the provider cannot hold. */
  readonly without?: readonly RecordType[];
  /** Records that are put so that a zone fills several pages. */
  readonly many?: number;
}

const LONG = `v=DKIM1; k=rsa; p=${'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A'.repeat(12)}`;

const SAMPLES: readonly (readonly [RecordType, string])[] = [
  ['A', '192.0.2.7'],
  ['AAAA', '2001:db8::7'],
  ['CNAME', 'mail.example.test'],
  ['MX', '10 mail.example.test'],
  ['TXT', 'v=spf1 mx -all'],
  ['TXT', LONG],
  ['SRV', '0 1 993 mail.example.test'],
  ['TLSA', '3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'],
  ['CAA', '0 issue "letsencrypt.org"'],
];

export function providerContract(
  kind: string,
  start: () => Promise<ProviderWorld>,
  options: ContractOptions = {},
): void {
  const { skip = false, without = [], many = 0 } = options;
  describe(`DNS provider ${kind}`, { skip }, () => {
    let world: ProviderWorld;
    before(async () => {
      world = await start();
    });
    after(() => world?.close());

    const values = async (
      name: string,
      type: RecordType,
      zone: string = ZONE,
    ): Promise<readonly string[]> => {
      const sets = await world.provider.read(zone, [name]);
      assert.ok(sets.every((set) => set.name === name));
      return (sets.find((set) => set.type === type)?.values ?? []).toSorted();
    };
    const change = (
      name: string,
      type: RecordType,
      add: readonly string[],
      remove: readonly string[] = [],
      seen?: readonly string[],
    ): Promise<void> => world.provider.change(ZONE, [{ name, type, ttl: 3600, add, remove, before: seen }]);

    it('finds the longest zone that a name lies in', async () => {
      const { provider } = world;
      assert.equal(await provider.zoneOf('example.test'), 'example.test');
      assert.equal(await provider.zoneOf('_dmarc.mail.example.test'), 'example.test');
      assert.equal(await provider.zoneOf('mail.deep.example.test'), 'deep.example.test');
      assert.equal(await provider.zoneOf('mail.example.co.test'), 'example.co.test');
      assert.equal(await provider.zoneOf('notexample.test'), undefined);
      assert.equal(await provider.zoneOf('other.co.test'), undefined);
    });

    for (const [type, value] of SAMPLES.filter(([each]) => !without.includes(each))) {
      it(`writes ${type}, reads it back, and removes it: ${value.slice(0, 30)}`, async () => {
        const name = `sample-${type.toLowerCase()}.${ZONE}`;
        await change(name, type, [value], [], []);
        assert.deepEqual(await values(name, type), [value]);
        await change(name, type, [], [value], [value]);
        assert.deepEqual(await values(name, type), []);
      });
    }

    it('changes the name of the zone itself', async () => {
      await change(ZONE, 'MX', ['10 mx.example.test']);
      assert.deepEqual(await values(ZONE, 'MX'), ['10 mx.example.test']);
      await change(ZONE, 'MX', [], ['10 mx.example.test']);
      assert.deepEqual(await values(ZONE, 'MX'), []);
    });

    it('keeps the values of others in the same record set, odd ones too', async () => {
      const odd = 'say "hi" \\ there; é';
      await world.put(ZONE, 'TXT', '"google-site-verification=abc"');
      await world.put(ZONE, 'TXT', '"say \\"hi\\" \\\\ there; \\195\\169"');
      await world.put(ZONE, 'TXT', '"in " "pieces"');
      const theirs = ['google-site-verification=abc', 'in pieces', odd].toSorted();
      assert.deepEqual(await values(ZONE, 'TXT'), theirs);
      await change(ZONE, 'TXT', ['v=spf1 mx -all'], [], theirs);
      assert.deepEqual(await values(ZONE, 'TXT'), [...theirs, 'v=spf1 mx -all'].toSorted());
      await change(ZONE, 'TXT', ['v=spf1 a -all'], ['v=spf1 mx -all']);
      assert.deepEqual(await values(ZONE, 'TXT'), [...theirs, 'v=spf1 a -all'].toSorted());
      await change(ZONE, 'TXT', [], ['v=spf1 a -all']);
      assert.deepEqual(await values(ZONE, 'TXT'), theirs);
    });

    it('refuses, with nothing changed, when a set is not what the plan saw', async () => {
      const [a, b] = [`one.${ZONE}`, `two.${ZONE}`];
      await world.put(b, 'A', '192.0.2.9');
      const changes = [a, b].map((name) => {
        return { name, type: 'A' as const, ttl: 3600, add: ['192.0.2.1'], remove: [], before: [] };
      });
      const refused = await world.provider.change(ZONE, changes).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(refused instanceof Refusal && refused.kind === 'conflict', String(refused));
      assert.deepEqual(await values(a, 'A'), []);
      assert.deepEqual(await values(b, 'A'), ['192.0.2.9']);
    });

    it('takes what is done already for done', async () => {
      const name = `twice.${ZONE}`;
      await change(name, 'A', ['192.0.2.1']);
      await change(name, 'A', ['192.0.2.1', '192.0.2.2'], ['192.0.2.3']);
      assert.deepEqual(await values(name, 'A'), ['192.0.2.1', '192.0.2.2']);
    });

    it('makes several changes, an alias in the place of an address among them', async () => {
      const name = `moved.${ZONE}`;
      await change(name, 'A', ['192.0.2.1']);
      await world.provider.change(ZONE, [
        { name, type: 'A', ttl: 3600, add: [], remove: ['192.0.2.1'] },
        { name, type: 'CNAME', ttl: 3600, add: ['mail.example.test'], remove: [] },
        { name: `_dmarc.${ZONE}`, type: 'TXT', ttl: 3600, add: ['v=DMARC1; p=none'], remove: [] },
      ]);
      assert.deepEqual(await values(name, 'CNAME'), ['mail.example.test']);
      assert.deepEqual(await values(name, 'A'), []);
      assert.deepEqual(await values(`_dmarc.${ZONE}`, 'TXT'), ['v=DMARC1; p=none']);
    });

    it(`finds a record among ${many}`, { skip: many === 0 && 'it is asked by name' }, async () => {
      const zone = 'example.co.test';
      for (let i = 0; i < many; i++) await world.put(`host${i}.${zone}`, 'A', '192.0.2.5');
      assert.deepEqual(await values(`host0.${zone}`, 'A', zone), ['192.0.2.5']);
      assert.deepEqual(await values(`host${many - 1}.${zone}`, 'A', zone), ['192.0.2.5']);
    });
  });
}
