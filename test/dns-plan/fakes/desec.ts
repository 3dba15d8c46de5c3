import assert from 'node:assert/strict';
import type { RecordType } from '../../../src/net/dns-providers/types.ts';
import { type Fake, type FakeAnswer, type FakeRequest, startFake } from './fake.ts';
import { zoneOfName } from './zones.ts';

/** deSEC's API as its documentation has it: record sets, pages by a cursor in the Link field, bulk changes. */

export const DESEC_TOKEN = 'desec-token';

interface Row {
  readonly subname: string;
  readonly type: string;
  ttl: number;
  records: string[];
}

const PAGE = 50;
const MINIMUM_TTL = 3600;

export async function fakeDesec(
  zones: readonly string[],
): Promise<Fake & { put(name: string, type: RecordType, text: string): void }> {
  const rows = new Map<string, Row[]>(zones.map((zone) => [zone, []]));
  function paged(list: readonly unknown[], { query, path }: FakeRequest, origin: string): FakeAnswer {
    const cursor = query.get('cursor');
    if (cursor === null && list.length > PAGE)
      return { status: 400, body: { detail: 'Pagination required.' } };
    const from = Number(cursor ?? 0);
    const next = from + PAGE;
    const link =
      next < list.length
        ? `<${origin}/api${path}?cursor=>; rel="first", <${origin}/api${path}?cursor=${next}>; rel="next"`
        : `<${origin}/api${path}?cursor=>; rel="first"`;
    return { status: 200, body: list.slice(from, next), headers: { Link: link } };
  }
  const fake = await startFake((request, origin) => {
    const { method, path, headers, body } = request;
    if (headers.authorization !== `Token ${DESEC_TOKEN}`)
      return { status: 401, body: { detail: 'Invalid token.' } };
    if (method === 'GET' && path === '/domains/')
      return paged(
        zones.map((name) => ({ name, minimum_ttl: MINIMUM_TTL, created: '2020-01-01T00:00:00Z' })),
        request,
        origin,
      );
    const [, zone = ''] = /^\/domains\/([^/]+)\/rrsets\/$/.exec(path) ?? [];
    const mine = rows.get(zone);
    if (mine === undefined) return { status: 404, body: { detail: 'Not found.' } };
    if (method === 'GET')
      return paged(
        mine.map((row) => ({ ...row, domain: zone, name: `${row.subname}.${zone}.` })),
        request,
        origin,
      );
    if (method !== 'PATCH') return { status: 405, body: { detail: 'Method not allowed.' } };
    assert.ok(Array.isArray(body));
    const errors = (body as Row[]).map(problemOf);
    if (errors.some((error) => Object.keys(error).length > 0)) return { status: 400, body: errors };
    for (const set of body as Row[]) {
      const others = mine.filter(({ subname, type }) => subname !== set.subname || type !== set.type);
      mine.splice(0, mine.length, ...others, ...(set.records.length > 0 ? [{ ...set }] : []));
    }
    return { status: 200, body };
  });
  return Object.assign(fake, {
    put(name: string, type: RecordType, text: string) {
      const zone = zoneOfName(name, zones);
      const subname = name === zone ? '' : name.slice(0, -zone.length - 1);
      const mine = rows.get(zone) ?? [];
      const set = mine.find((row) => row.subname === subname && row.type === type);
      if (set === undefined) mine.push({ subname, type, ttl: MINIMUM_TTL, records: [text] });
      else set.records.push(text);
    },
  });
}

/** Wrong TTLs, text without quotes or in pieces that are too long, host names without their final dot. */
function problemOf({ type, ttl, records }: Row): Record<string, string[]> {
  if (ttl < MINIMUM_TTL) return { ttl: [`Ensure this value is greater than or equal to ${MINIMUM_TTL}.`] };
  for (const record of records) {
    if (type === 'TXT' && !/^("(?:[^"\\]|\\.){0,1020}" ?)+$/.test(record))
      return { records: ['Data for TXT records must be given using quotation marks.'] };
    if (['MX', 'CNAME', 'SRV'].includes(type) && !record.endsWith('.'))
      return { records: ['Hostnames must be fully qualified.'] };
  }
  return {};
}
