import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { type ApiSet, PAGES_MAX, providerOfSets } from './adaptors.ts';
import { type Api, createApi, shaped } from './api.ts';
import type { ProviderOptions } from './provider-options.ts';
import { type DnsProvider, isRecordType } from './types.ts';
import { bareName, fromZoneFile, fullName, relativeName, zoneFileValue } from './values.ts';

/** DNS in the Hetzner Cloud API (the older one at dns.hetzner.com is not spoken). The token may read and write. */

const ENDPOINT = 'https://api.hetzner.cloud/v1';
const NAME = 'Hetzner';
const PER_PAGE = 50;
/** Seconds. */
const TTL_MIN = 60;
/** Seconds of sets that have none of their own. */
const TTL_OF_ZONE = 3600;
/** Changes are done a moment later: how often it is asked, and the milliseconds between. */
const ASKS_MAX = 40;
const ASK_MS = 500;

const zonePage = z.object({ zones: z.array(z.object({ id: z.number(), name: z.string() })) });
const setPage = z.object({
  rrsets: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      ttl: z.number().nullable(),
      records: z.array(z.object({ value: z.string() })),
    }),
  ),
});
const meta = z.object({
  meta: z.object({ pagination: z.object({ next_page: z.number().nullable() }) }),
});
const actionAnswer = z.object({
  action: z.object({
    id: z.number(),
    status: z.string(),
    error: z.object({ message: z.string() }).nullable().optional(),
  }),
});
const problems = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export function hetzner({ clock, credentials, endpoint = ENDPOINT }: ProviderOptions): DnsProvider {
  const api = createApi({
    clock,
    provider: NAME,
    endpoint,
    headers: { Authorization: `Bearer ${credentials}` },
    problem(answer) {
      const said = problems.safeParse(answer);
      return said.success ? `${said.data.error.message} [${said.data.error.code}]` : undefined;
    },
  });
  return providerOfSets({
    kind: 'hetzner',
    async zones() {
      const pages = await allPages(api, '/zones', zonePage);
      return pages.flatMap((page) =>
        page.zones.map(({ id, name }) => ({ id: String(id), name: bareName(name) })),
      );
    },
    async list({ id, name: zone }) {
      const pages = await allPages(api, `/zones/${id}/rrsets`, setPage);
      return pages.flatMap(({ rrsets }) =>
        rrsets.flatMap(({ name, type, ttl, records }): ApiSet[] => {
          if (!isRecordType(type)) return [];
          const values = records.map(({ value: raw }) => ({ raw, value: fromZoneFile(type, raw) }));
          return [{ name: fullName(name, zone), type, ttl: ttl ?? TTL_OF_ZONE, values }];
        }),
      );
    },
    write: zoneFileValue,
    async change({ id, name: zone }, sets) {
      const act = async (name: string, type: string, what: string, body: object): Promise<void> => {
        const owner = relativeName(name, zone) || '@';
        const path = `/zones/${id}/rrsets/${encodeURIComponent(owner)}/${type}/actions/${what}`;
        const { json } = await api({ method: 'POST', path, body });
        await finished(api, clock, shaped(actionAnswer, json, NAME));
      };
      const values = (raw: readonly string[]): object[] => raw.map((value) => ({ value }));
      // Values are taken out and added one set at a time, those of others untouched; an alias needs its place free.
      for (const { name, type, raw, old } of sets) {
        const gone = (old?.values ?? []).map((each) => each.raw).filter((each) => !raw.includes(each));
        if (gone.length > 0) await act(name, type, 'remove_records', { records: values(gone) });
      }
      for (const { name, type, ttl, raw, old } of sets) {
        const had = (old?.values ?? []).map((each) => each.raw);
        const fresh = raw.filter((each) => !had.includes(each));
        const seconds = old === undefined ? { ttl: Math.max(ttl, TTL_MIN) } : {};
        if (fresh.length > 0) await act(name, type, 'add_records', { records: values(fresh), ...seconds });
      }
    },
  });
}

async function allPages<T>(api: Api, path: string, schema: z.ZodType<T>): Promise<T[]> {
  const pages: T[] = [];
  let next: number | null = 1;
  while (next !== null && pages.length < PAGES_MAX) {
    const { json } = await api({ method: 'GET', path: `${path}?page=${next}&per_page=${PER_PAGE}` });
    pages.push(shaped(schema, json, NAME));
    next = shaped(meta, json, NAME).meta.pagination.next_page;
  }
  return pages;
}

async function finished(api: Api, clock: Clock, first: z.output<typeof actionAnswer>): Promise<void> {
  let { action } = first;
  for (let asked = 0; action.status === 'running' && asked < ASKS_MAX; asked++) {
    await clock.sleep(ASK_MS);
    const { json } = await api({ method: 'GET', path: `/actions/${action.id}` });
    ({ action } = shaped(actionAnswer, json, NAME));
  }
  if (action.status === 'success') return;
  const why = action.error?.message ?? 'it is not done yet';
  throw new Refusal('unavailable', `${NAME} did not finish the change: ${why}`);
}
