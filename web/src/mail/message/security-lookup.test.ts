import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Gpg, NO_GPG, startGpg } from '../../../../test/support/gpg.ts';
import type { KeyServer, StoredKey } from './security-keys.ts';
import { lookUp } from './security-lookup.ts';

describe('keys that a domain publishes', { skip: NO_GPG }, () => {
  let gpg: Gpg;
  let ann: string;
  before(() => {
    gpg = startGpg();
    ann = gpg.key('Ann <ann@a.example>', 'ed25519');
  });
  after(() => gpg.close());

  /** A server of which the domain says this, and which has no keys yet. */
  const answering = (octets?: string): KeyServer & { readonly kept: unknown[] } => {
    const kept: unknown[] = [];
    return {
      kept,
      keysOf: () => Promise.resolve([]),
      askDomain: () =>
        Promise.resolve({ found: octets !== undefined, ...(octets !== undefined && { octets }) }),
      keepKey(key, address, source, trusted) {
        kept.push([key.kind, address, key.fingerprint, source, trusted]);
        return Promise.resolve({} as StoredKey);
      },
    };
  };

  it('are kept for the address that was asked for, and for no other', async () => {
    const server = answering(gpg.run(['--export', ann]).toString('base64'));
    assert.equal(await lookUp(server, 'Ann@a.example'), 1);
    assert.deepEqual(server.kept, [['pgp', 'Ann@a.example', ann.toLowerCase(), 'domain', false]]);
    assert.equal(await lookUp(server, 'boss@a.example'), 0);
    assert.equal(server.kept.length, 1);
  });

  it('may be none, or nothing that is a key', async () => {
    for (const server of [answering(), answering(btoa('<html>no</html>')), answering('*')]) {
      assert.equal(await lookUp(server, 'ann@a.example'), 0);
      assert.deepEqual(server.kept, []);
    }
  });
});
