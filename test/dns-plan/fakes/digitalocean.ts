import assert from 'node:assert/strict';
import type { RecordType } from '../../../src/net/dns-providers/types.ts';
import { unquoted } from '../../../src/net/dns-providers/values.ts';
import { type Fake, type FakeAnswer, type FakeRequest, pageOf, startFake } from './fake.ts';
import { zoneOfName } from './zones.ts';

/** DigitalOcean's API as its documentation has it: records with their parts, "@" for the zone's own name. */

export const DIGITALOCEAN_TOKEN = 'do-token';

interface Row {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly data: string;
  readonly priority: number | null;
  readonly port: number | null;
  readonly weight: number | null;
  readonly flags: number | null;
  readonly tag: string | null;
  readonly ttl: number;
}

const NEEDED: Readonly<Record<string, readonly string[]>> = {
  MX: ['priority'],
  SRV: ['priority', 'port', 'weight'],
  CAA: ['flags', 'tag'],
};

export async function fakeDigitalocean(
  zones: readonly string[],
): Promise<Fake & { put(name: string, type: RecordType, text: string): void }> {
  const rows = new Map<string, Row[]>(zones.map((zone) => [zone, []]));
  let next = 1;
  const blank = { priority: null, port: null, weight: null, flags: null, tag: null };
  const fail = (status: number, id: string, message: string): FakeAnswer => ({
    status,
    body: { id, message },
  });
  const paged = (
    field: string,
    list: readonly unknown[],
    { query, path }: FakeRequest,
    origin: string,
  ): FakeAnswer => {
    const size = Math.min(Number(query.get('per_page') ?? 20), 200);
    const page = Number(query.get('page') ?? 1);
    const { rows: some, pages } = pageOf(list, page, size);
    const link = page < pages ? { pages: { next: `${origin}/api${path}?page=${page + 1}` } } : {};
    return { status: 200, body: { [field]: some, links: link, meta: { total: list.length } } };
  };
  const fake = await startFake((request, origin) => {
    const { method, path, headers } = request;
    if (headers.authorization !== `Bearer ${DIGITALOCEAN_TOKEN}`)
      return fail(401, 'unauthorized', 'Unable to authenticate you');
    if (method === 'GET' && path === '/domains')
      return paged(
        'domains',
        zones.map((name) => ({ name, ttl: 1800 })),
        request,
        origin,
      );
    const [, zone = '', id] = /^\/domains\/([^/]+)\/records(?:\/(\d+))?$/.exec(path) ?? [];
    const mine = rows.get(zone);
    if (mine === undefined)
      return fail(404, 'not_found', 'The resource you were accessing could not be found.');
    if (method === 'GET') return paged('domain_records', mine, request, origin);
    if (method === 'DELETE' && id !== undefined) {
      const at = mine.findIndex((row) => row.id === Number(id));
      if (at === -1) return fail(404, 'not_found', 'The resource you were accessing could not be found.');
      mine.splice(at, 1);
      return { status: 204 };
    }
    assert.equal(method, 'POST');
    const body = request.body as Row;
    assert.ok(!body.name.endsWith(zone), 'names are relative');
    for (const field of NEEDED[body.type] ?? []) assert.notEqual((body as never)[field], undefined, field);
    if (['MX', 'CNAME', 'SRV', 'CAA'].includes(body.type) && !body.data.endsWith('.'))
      return fail(422, 'unprocessable_entity', 'Data needs to end with a dot (.)');
    const data = ['MX', 'CNAME', 'SRV', 'CAA'].includes(body.type) ? body.data.slice(0, -1) : body.data;
    const row = { ...blank, ...body, id: next++, data: data === zone ? '@' : data };
    mine.push(row);
    return { status: 201, body: { domain_record: row } };
  });
  return Object.assign(fake, {
    put(name: string, type: RecordType, text: string) {
      const zone = zoneOfName(name, zones);
      const owner = name === zone ? '@' : name.slice(0, -zone.length - 1);
      const data = type === 'TXT' ? unquoted(text) : text;
      rows.get(zone)?.push({ ...blank, id: next++, type, name: owner, data, ttl: 1800 });
    },
  });
}
