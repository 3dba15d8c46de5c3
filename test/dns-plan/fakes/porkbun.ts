import assert from 'node:assert/strict';
import type { RecordType } from '../../../src/net/dns-providers/types.ts';
import { unquoted } from '../../../src/net/dns-providers/values.ts';
import { type Fake, type FakeAnswer, startFake } from './fake.ts';
import { zoneOfName } from './zones.ts';

/** Porkbun's API as its documentation has it: POST for everything, keys in the body, numbers as texts. */

export const PORKBUN_KEYS = 'pk1_key\nsk1_secret';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly ttl: string;
  readonly prio: string | null;
}

export async function fakePorkbun(
  zones: readonly string[],
): Promise<Fake & { put(name: string, type: RecordType, text: string): void }> {
  const rows = new Map<string, Row[]>(zones.map((zone) => [zone, []]));
  const [apikey, secretapikey] = PORKBUN_KEYS.split('\n');
  let next = 1;
  const ok = (more: object = {}): FakeAnswer => ({ status: 200, body: { status: 'SUCCESS', ...more } });
  const fail = (status: number, message: string): FakeAnswer => ({
    status,
    body: { status: 'ERROR', message },
  });
  const fake = await startFake(({ method, path, body }) => {
    assert.equal(method, 'POST');
    const given = body as Record<string, string>;
    if (given['apikey'] !== apikey || given['secretapikey'] !== secretapikey)
      return fail(403, 'Invalid API key. (002)');
    if (path === '/domain/listAll') {
      assert.equal(given['start'], '0');
      return ok({ domains: zones.map((domain) => ({ domain, status: 'ACTIVE' })) });
    }
    const [, what = '', zone = '', id = ''] =
      /^\/dns\/(retrieve|create|delete)\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const mine = rows.get(zone);
    if (mine === undefined) return fail(400, 'Invalid domain.');
    if (what === 'retrieve') return ok({ records: mine });
    if (what === 'delete') {
      const at = mine.findIndex((row) => row.id === id);
      if (at === -1) return fail(400, 'Invalid record ID.');
      mine.splice(at, 1);
      return ok();
    }
    const { name = '', type = '', content = '', ttl = '', prio = null } = given;
    assert.ok(!name.endsWith(zone) && Number(ttl) >= 600, JSON.stringify(given));
    if (type === 'SRV') assert.match(content, /^\d+ \d+ \S+$/);
    mine.push({ id: String(next), name: name === '' ? zone : `${name}.${zone}`, type, content, ttl, prio });
    return ok({ id: next++ });
  });
  return Object.assign(fake, {
    put(name: string, type: RecordType, text: string) {
      const content = type === 'TXT' ? unquoted(text) : text;
      rows
        .get(zoneOfName(name, zones))
        ?.push({ id: String(next++), name, type, content, ttl: '600', prio: '0' });
    },
  });
}
