import assert from 'node:assert/strict';
import type { RecordType } from '../../../src/net/dns-providers/types.ts';
import { type Fake, type FakeAnswer, type FakeRequest, pageOf, startFake } from './fake.ts';
import { zoneOfName } from './zones.ts';

/** Cloudflare's API as its documentation has it: pages, batches, records with parts. */

export const CLOUDFLARE_TOKEN = 'cf-token';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly ttl: number;
  readonly priority?: number;
  readonly data?: Record<string, unknown>;
}

type Body = Record<string, unknown>;

export async function fakeCloudflare(
  zones: readonly string[],
): Promise<Fake & { put(name: string, type: RecordType, text: string): void }> {
  const rows = new Map<string, Row[]>(zones.map((zone) => [zone, []]));
  let next = 1;
  const ok = (result: unknown, info?: object): FakeAnswer => ({
    status: 200,
    body: {
      success: true,
      errors: [],
      messages: [],
      result,
      ...(info !== undefined && { result_info: info }),
    },
  });
  const fail = (status: number, code: number, message: string): FakeAnswer => ({
    status,
    body: { success: false, errors: [{ code, message }], messages: [], result: null },
  });
  const paged = (list: readonly unknown[], { query }: FakeRequest): FakeAnswer => {
    const size = Math.min(Number(query.get('per_page') ?? 20), 100);
    const page = Number(query.get('page') ?? 1);
    const { rows: some, pages } = pageOf(list, page, size);
    return ok(some, {
      page,
      per_page: size,
      total_pages: pages,
      count: some.length,
      total_count: list.length,
    });
  };
  function create(body: Body): Row {
    const { name, type, ttl, data } = body;
    assert.ok(typeof name === 'string' && typeof type === 'string' && typeof ttl === 'number');
    assert.ok(!name.endsWith('.') && (ttl === 1 || ttl >= 60), JSON.stringify(body));
    const base = { id: `r${next++}`, name, type, ttl };
    if (type === 'SRV' || type === 'CAA' || type === 'TLSA') {
      const parts = data as Body;
      const fields = {
        SRV: ['priority', 'weight', 'port', 'target'],
        CAA: ['flags', 'tag', 'value'],
        TLSA: ['usage', 'selector', 'matching_type', 'certificate'],
      }[type];
      assert.deepEqual(Object.keys(parts).toSorted(), fields.toSorted());
      const shown = fields.map((field) =>
        type === 'CAA' && field === 'value' ? `"${parts[field]}"` : parts[field],
      );
      // As their answers have it: the content of SRV lacks the priority.
      const content = (type === 'SRV' ? shown.slice(1) : shown).join(' ');
      return {
        ...base,
        content,
        data: parts,
        ...(type === 'SRV' && { priority: Number(parts['priority']) }),
      };
    }
    assert.equal(typeof body['content'], 'string');
    const content = String(body['content']);
    if (type === 'MX') {
      assert.equal(typeof body['priority'], 'number');
      return { ...base, content, priority: Number(body['priority']) };
    }
    if (type === 'TXT') assert.match(content, /^"/);
    else assert.equal(body['proxied'], false);
    return { ...base, content };
  }
  const fake = await startFake((request) => {
    if (request.headers.authorization !== `Bearer ${CLOUDFLARE_TOKEN}`)
      return fail(403, 9109, 'Invalid access token');
    const { method, path } = request;
    if (method === 'GET' && path === '/zones')
      return paged(
        zones.map((name, i) => ({ id: `z${i}`, name, status: 'active' })),
        request,
      );
    const [, index = '', batch] = /^\/zones\/z(\d+)\/dns_records(\/batch)?$/.exec(path) ?? [];
    const zone = zones[Number(index)] ?? '';
    const mine = rows.get(zone);
    if (index === '' || mine === undefined) return fail(404, 7003, 'Could not route to the path');
    if (method === 'GET' && batch === undefined) return paged(mine, request);
    if (method !== 'POST' || batch === undefined) return fail(405, 10000, 'Method not allowed');
    const { deletes, posts } = request.body as { deletes: { id: string }[]; posts: Body[] };
    if (deletes.length + posts.length > 200) return fail(400, 9207, 'Too many operations');
    const gone = new Set(deletes.map(({ id }) => id));
    if ([...gone].some((id) => !mine.some((row) => row.id === id)))
      return fail(404, 81044, 'Record does not exist.');
    rows.set(zone, [...mine.filter(({ id }) => !gone.has(id)), ...posts.map(create)]);
    return ok({ deletes, posts, patches: [], puts: [] });
  });
  return Object.assign(fake, {
    put(name: string, type: RecordType, text: string) {
      const zone = zoneOfName(name, zones);
      rows.get(zone)?.push({ id: `r${next++}`, name, type, content: text, ttl: 1 });
    },
  });
}
