import assert from 'node:assert/strict';
import type { RecordType } from '../../../src/net/dns-providers/types.ts';
import { type Fake, type FakeAnswer, type FakeRequest, pageOf, startFake } from './fake.ts';
import { zoneOfName } from './zones.ts';

/** DNS in the Hetzner Cloud API as its documentation has it: record sets, actions that are done a moment later. */

export const HETZNER_TOKEN = 'hetzner-token';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly ttl: number | null;
  records: { value: string; comment?: string }[];
}

export async function fakeHetzner(
  zones: readonly string[],
): Promise<Fake & { put(name: string, type: RecordType, text: string): void }> {
  const rows = new Map<string, Row[]>(zones.map((zone) => [zone, []]));
  let actions = 0;
  const fail = (status: number, code: string, message: string): FakeAnswer => ({
    status,
    body: { error: { code, message } },
  });
  const paged = (field: string, list: readonly unknown[], { query }: FakeRequest): FakeAnswer => {
    const size = Math.min(Number(query.get('per_page') ?? 25), 50);
    const page = Number(query.get('page') ?? 1);
    const { rows: some, pages } = pageOf(list, page, size);
    const pagination = { page, per_page: size, next_page: page < pages ? page + 1 : null, last_page: pages };
    return { status: 200, body: { [field]: some, meta: { pagination } } };
  };
  const fake = await startFake((request) => {
    const { method, path, headers } = request;
    if (headers.authorization !== `Bearer ${HETZNER_TOKEN}`)
      return fail(401, 'unauthorized', 'unable to authenticate');
    if (method === 'GET' && path === '/zones')
      return paged(
        'zones',
        zones.map((name, i) => ({ id: i + 1, name, mode: 'primary', ttl: 3600 })),
        request,
      );
    const [, done] = /^\/actions\/(\d+)$/.exec(path) ?? [];
    if (done !== undefined)
      return { status: 200, body: { action: { id: Number(done), status: 'success', error: null } } };
    const [, index = '', rest = ''] = /^\/zones\/(\d+)\/rrsets(.*)$/.exec(path) ?? [];
    const mine = rows.get(zones[Number(index) - 1] ?? '');
    if (mine === undefined) return fail(404, 'not_found', 'zone not found');
    if (method === 'GET' && rest === '') return paged('rrsets', mine, request);
    const [, owner = '', type = '', what = ''] =
      /^\/([^/]+)\/([A-Z]+)\/actions\/(add|remove)_records$/.exec(rest) ?? [];
    if (method !== 'POST' || what === '') return fail(404, 'not_found', 'not found');
    const name = decodeURIComponent(owner);
    const { records, ttl } = request.body as { records: { value: string }[]; ttl?: number };
    assert.ok(records.length > 0 && (ttl === undefined || ttl >= 60));
    for (const { value } of records)
      if (
        type === 'TXT'
          ? !value.startsWith('"')
          : ['MX', 'CNAME', 'SRV'].includes(type) && !value.endsWith('.')
      )
        return fail(422, 'invalid_input', `invalid value ${value}`);
    const set = mine.find((row) => row.name === name && row.type === type);
    if (what === 'remove') {
      if (set === undefined) return fail(404, 'not_found', 'rrset not found');
      const gone = records.map(({ value }) => value);
      set.records = set.records.filter(({ value }) => !gone.includes(value));
      if (set.records.length === 0) mine.splice(mine.indexOf(set), 1);
    } else {
      if (mine.some((row) => row.name === name && row.type !== type && [row.type, type].includes('CNAME')))
        return fail(422, 'invalid_input', 'CNAME records must stand alone');
      if (set === undefined) mine.push({ name, type, ttl: ttl ?? null, records });
      else set.records.push(...records);
    }
    actions += 1;
    const status = actions % 5 === 0 ? 'running' : 'success';
    return { status: 201, body: { action: { id: actions, status, error: null } } };
  });
  return Object.assign(fake, {
    put(name: string, type: RecordType, text: string) {
      const zone = zoneOfName(name, zones);
      const owner = name === zone ? '@' : name.slice(0, -zone.length - 1);
      const set = rows.get(zone)?.find((row) => row.name === owner && row.type === type);
      if (set === undefined)
        rows.get(zone)?.push({ name: owner, type, ttl: null, records: [{ value: text }] });
      else set.records.push({ value: text });
    },
  });
}
