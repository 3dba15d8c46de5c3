import { z } from 'zod';
import { type ApiRecord, type ApiZone, type NewRecord, PAGES_MAX, providerOfRecords } from './adaptors.ts';
import { type Api, createApi, shaped } from './api.ts';
import type { ProviderOptions } from './provider-options.ts';
import { type DnsProvider, isRecordType } from './types.ts';
import {
  bareName,
  caaParts,
  canonicalValue,
  mxParts,
  srvParts,
  tlsaParts,
  unquoted,
  zoneFileValue,
} from './values.ts';

/** Cloudflare, API version 4. The token needs Zone:Read and DNS:Edit of the zone. */

const ENDPOINT = 'https://api.cloudflare.com/client/v4';
const NAME = 'Cloudflare';
const PER_PAGE = 100;
/** Seconds; 1 means "automatic", which is 300. */
const TTL_MIN = 60;
/** Records in one batch: 200 is the least that any plan has. */
const BATCH_MAX = 200;

const page = z.object({
  result: z.array(z.unknown()),
  result_info: z.object({ total_pages: z.number().optional() }).optional(),
});
const zoneRow = z.object({ id: z.string(), name: z.string() });
const recordRow = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z.number(),
  priority: z.number().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});
const problems = z.object({ errors: z.array(z.object({ code: z.number(), message: z.string() })) });

export function cloudflare({ clock, credentials, endpoint = ENDPOINT }: ProviderOptions): DnsProvider {
  const api = createApi({
    clock,
    provider: NAME,
    endpoint,
    headers: { Authorization: `Bearer ${credentials}` },
    problem(answer) {
      const said = problems.safeParse(answer);
      return said.success
        ? said.data.errors.map(({ code, message }) => `${message} [${code}]`).join('; ')
        : undefined;
    },
  });
  return providerOfRecords({
    kind: 'cloudflare',
    async zones() {
      const rows = await pages(api, '/zones?');
      return rows.map((row): ApiZone => {
        const { id, name } = shaped(zoneRow, row, NAME);
        return { id, name: bareName(name) };
      });
    },
    async list({ id }) {
      const rows = await pages(api, `/zones/${encodeURIComponent(id)}/dns_records?`);
      return rows.flatMap((row) => recordOf(shaped(recordRow, row, NAME)));
    },
    async change({ id }, remove, add) {
      const path = `/zones/${encodeURIComponent(id)}/dns_records/batch`;
      const deletes = remove.map((record) => ({ id: record.id }));
      const posts = add.map(bodyOf);
      // One batch is made as a whole or not at all; what is too much for one goes in several.
      for (let at = 0; at === 0 || at < deletes.length + posts.length; at += BATCH_MAX) {
        const from = Math.max(0, at - deletes.length);
        const to = Math.max(0, at + BATCH_MAX - deletes.length);
        const body = { deletes: deletes.slice(at, at + BATCH_MAX), posts: posts.slice(from, to) };
        await api({ method: 'POST', path, body });
      }
    },
  });
}

async function pages(api: Api, path: string): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (let number = 1; number <= PAGES_MAX; number++) {
    const { json } = await api({ method: 'GET', path: `${path}page=${number}&per_page=${PER_PAGE}` });
    const { result, result_info: info } = shaped(page, json, NAME);
    rows.push(...result);
    if (number >= (info?.total_pages ?? 1)) break;
  }
  return rows;
}

function recordOf({ id, name, type, content, ttl, priority, data }: z.output<typeof recordRow>): ApiRecord[] {
  if (!isRecordType(type)) return [];
  const base = { id, name: bareName(name), type, ttl: ttl === 1 ? 300 : ttl };
  const text = (key: string): string => String(data?.[key] ?? '');
  switch (type) {
    case 'TXT':
      return [{ ...base, value: unquoted(content) }];
    case 'MX':
      return [{ ...base, value: canonicalValue(type, `${priority ?? 0} ${content}`) }];
    case 'SRV':
      if (data === undefined) return [];
      return [
        {
          ...base,
          value: canonicalValue(
            type,
            `${text('priority')} ${text('weight')} ${text('port')} ${text('target')}`,
          ),
        },
      ];
    default:
      return [{ ...base, value: canonicalValue(type, content) }];
  }
}

/** Types with several parts are given in parts ("data"). */
function bodyOf({ name, type, ttl, value }: NewRecord): object {
  const base = { name, type, ttl: Math.max(ttl, TTL_MIN) };
  switch (type) {
    case 'MX': {
      const { preference, host } = mxParts(value);
      return { ...base, priority: preference, content: host };
    }
    case 'SRV':
      return { ...base, data: srvParts(value) };
    case 'TLSA': {
      const { usage, selector, matchingType, data } = tlsaParts(value);
      return { ...base, data: { usage, selector, matching_type: matchingType, certificate: data } };
    }
    case 'CAA':
      return { ...base, data: caaParts(value) };
    case 'TXT':
      return { ...base, content: zoneFileValue(type, value) };
    default:
      // Never through their proxy, which carries no mail.
      return { ...base, content: value, proxied: false };
  }
}
