import { z } from 'zod';
import { type ApiSet, PAGES_MAX, providerOfSets } from './adaptors.ts';
import { type Api, createApi, shaped } from './api.ts';
import type { ProviderOptions } from './provider-options.ts';
import { type DnsProvider, isRecordType } from './types.ts';
import { bareName, fromZoneFile, fullName, relativeName, zoneFileValue } from './values.ts';

/** deSEC, https://desec.io: record sets, changed together or not at all. */

const ENDPOINT = 'https://desec.io/api/v1';
const NAME = 'deSEC';
/** Seconds, where the zone does not say; shorter ones are refused. */
const TTL_MIN = 3600;

const domainRow = z.object({ name: z.string(), minimum_ttl: z.number().optional() });
const setRow = z.object({
  subname: z.string(),
  type: z.string(),
  ttl: z.number(),
  records: z.array(z.string()),
});

export function desec({ clock, credentials, endpoint = ENDPOINT }: ProviderOptions): DnsProvider {
  const api = createApi({
    clock,
    provider: NAME,
    endpoint,
    headers: { Authorization: `Token ${credentials}` },
    problem: (answer) => said(answer),
  });
  const least = new Map<string, number>();
  return providerOfSets({
    kind: 'desec',
    async zones() {
      const rows = await pages(api, '/domains/?cursor=');
      return rows.map((row) => {
        const { name, minimum_ttl: ttl = TTL_MIN } = shaped(domainRow, row, NAME);
        least.set(bareName(name), ttl);
        return { id: name, name: bareName(name) };
      });
    },
    async list({ id, name: zone }) {
      const rows = await pages(api, `/domains/${encodeURIComponent(id)}/rrsets/?cursor=`);
      return rows.flatMap((row): ApiSet[] => {
        const { subname, type, ttl, records } = shaped(setRow, row, NAME);
        if (!isRecordType(type)) return [];
        const values = records.map((raw) => ({ raw, value: fromZoneFile(type, raw) }));
        return [{ name: fullName(subname, zone), type, ttl, values }];
      });
    },
    write: zoneFileValue,
    async change({ id, name: zone }, sets) {
      // A list is taken as a whole or refused; a set without records is deleted.
      const body = sets.map(({ name, type, ttl, raw }) => ({
        subname: relativeName(name, zone),
        type,
        ttl: Math.max(ttl, least.get(zone) ?? TTL_MIN),
        records: raw,
      }));
      await api({ method: 'PATCH', path: `/domains/${encodeURIComponent(id)}/rrsets/`, body });
    },
  });
}

/** The next page is named in the Link field: <URL>; rel="next". */
async function pages(api: Api, first: string): Promise<unknown[]> {
  const rows: unknown[] = [];
  let path: string | undefined = first;
  for (let number = 0; path !== undefined && number < PAGES_MAX; number++) {
    const { json, headers } = await api({ method: 'GET', path });
    rows.push(...shaped(z.array(z.unknown()), json, NAME));
    path = nextLink(headers.get('link') ?? '');
  }
  return rows;
}

function nextLink(field: string): string | undefined {
  for (const part of field.split(',')) {
    const url = /<([^<>]{1,2000})>/.exec(part)?.[1];
    if (url !== undefined && part.includes('rel="next"')) return url;
  }
  return undefined;
}

/** Errors are {"detail": "..."}, or by field and by row: [{"records": ["..."]}, {}]. */
function said(answer: unknown): string | undefined {
  const words: string[] = [];
  const collect = (value: unknown, depth: number): void => {
    if (typeof value === 'string') words.push(value);
    else if (typeof value === 'object' && value !== null && depth < 5)
      for (const inner of Object.values(value)) collect(inner, depth + 1);
  };
  collect(answer, 0);
  return words.length === 0 ? undefined : words.join('; ');
}
