import { z } from 'zod';
import { Refusal } from '../../base/errors.ts';
import { type ApiRecord, type NewRecord, PAGES_MAX, providerOfRecords } from './adaptors.ts';
import { type Api, createApi, shaped } from './api.ts';
import type { ProviderOptions } from './provider-options.ts';
import { type DnsProvider, isRecordType } from './types.ts';
import {
  bareName,
  caaParts,
  canonicalValue,
  dotted,
  fullName,
  mxParts,
  relativeName,
  srvParts,
  unquoted,
} from './values.ts';

/** DigitalOcean, API version 2. It has no TLSA. The token needs the scopes domain:read, create, update and delete. */

const ENDPOINT = 'https://api.digitalocean.com/v2';
const NAME = 'DigitalOcean';
const PER_PAGE = 200;
/** Seconds. */
const TTL_MIN = 30;

const domainPage = z.object({ domains: z.array(z.object({ name: z.string() })) });
const row = z.object({
  id: z.number(),
  type: z.string(),
  name: z.string(),
  data: z.string(),
  priority: z.number().nullish(),
  port: z.number().nullish(),
  weight: z.number().nullish(),
  flags: z.number().nullish(),
  tag: z.string().nullish(),
  ttl: z.number(),
});
const recordPage = z.object({ domain_records: z.array(row) });
const links = z.object({
  links: z.object({ pages: z.object({ next: z.string().optional() }).optional() }).optional(),
});
const problems = z.object({ message: z.string() });

export function digitalocean({ clock, credentials, endpoint = ENDPOINT }: ProviderOptions): DnsProvider {
  const api = createApi({
    clock,
    provider: NAME,
    endpoint,
    headers: { Authorization: `Bearer ${credentials}` },
    problem: (answer) => problems.safeParse(answer).data?.message,
  });
  return providerOfRecords({
    kind: 'digitalocean',
    async zones() {
      const pages = await allPages(api, '/domains', domainPage);
      return pages.flatMap(({ domains }) => domains.map(({ name }) => ({ id: name, name: bareName(name) })));
    },
    async list({ id, name: zone }) {
      const pages = await allPages(api, `/domains/${encodeURIComponent(id)}/records`, recordPage);
      return pages.flatMap((page) => page.domain_records.flatMap((each) => recordOf(each, zone)));
    },
    async change({ id, name: zone }, remove, add) {
      const path = `/domains/${encodeURIComponent(id)}/records`;
      const bodies = add.map((record) => bodyOf(record, zone));
      for (const record of remove) await api({ method: 'DELETE', path: `${path}/${record.id}` });
      for (const body of bodies) await api({ method: 'POST', path, body });
    },
  });
}

async function allPages<T>(api: Api, path: string, schema: z.ZodType<T>): Promise<T[]> {
  const pages: T[] = [];
  for (let number = 1; number <= PAGES_MAX; number++) {
    const { json } = await api({ method: 'GET', path: `${path}?page=${number}&per_page=${PER_PAGE}` });
    pages.push(shaped(schema, json, NAME));
    if (shaped(links, json, NAME).links?.pages?.next === undefined) break;
  }
  return pages;
}

function recordOf(given: z.output<typeof row>, zone: string): ApiRecord[] {
  const { id, type, name, ttl } = given;
  if (!isRecordType(type)) return [];
  // "@" is the zone's own name, as a value too.
  const data = given.data === '@' ? zone : given.data;
  const base = { id: String(id), name: fullName(name, zone), type, ttl };
  const { priority, weight, port, flags, tag } = given;
  switch (type) {
    case 'TXT':
      return [{ ...base, value: unquoted(data) }];
    case 'MX':
      return [{ ...base, value: canonicalValue(type, `${priority ?? 0} ${data}`) }];
    case 'SRV':
      return [
        { ...base, value: canonicalValue(type, `${priority ?? 0} ${weight ?? 0} ${port ?? 0} ${data}`) },
      ];
    case 'CAA':
      return [
        { ...base, value: canonicalValue(type, `${flags ?? 0} ${tag ?? ''} "${data.replace(/\.$/, '')}"`) },
      ];
    default:
      return [{ ...base, value: canonicalValue(type, data) }];
  }
}

function bodyOf({ name, type, ttl, value }: NewRecord, zone: string): object {
  const base = { type, name: relativeName(name, zone) || '@', ttl: Math.max(ttl, TTL_MIN) };
  switch (type) {
    case 'MX': {
      const { preference, host } = mxParts(value);
      return { ...base, priority: preference, data: dotted(host) };
    }
    case 'SRV': {
      const { priority, weight, port, target } = srvParts(value);
      return { ...base, priority, weight, port, data: dotted(target) };
    }
    case 'CAA': {
      const { flags, tag, value: data } = caaParts(value);
      return { ...base, flags, tag, data: dotted(data) };
    }
    case 'CNAME':
      return { ...base, data: dotted(value) };
    case 'TLSA':
      throw new Refusal(
        'bad-input',
        `${NAME} has no TLSA records: take the zone out of "postern dns set signed".`,
      );
    default:
      return { ...base, data: value };
  }
}
