import { z } from 'zod';
import { Refusal } from '../../base/errors.ts';
import { type ApiRecord, type ApiZone, type NewRecord, PAGES_MAX, providerOfRecords } from './adaptors.ts';
import { createApi, shaped } from './api.ts';
import type { ProviderOptions } from './provider-options.ts';
import { type DnsProvider, isRecordType } from './types.ts';
import { bareName, canonicalValue, fullName, mxParts, relativeName, srvParts, unquoted } from './values.ts';

/** Porkbun, API version 3: everything is a POST with both keys in its body. API access must be on for the domain. */

const ENDPOINT = 'https://api.porkbun.com/api/json/v3';
const NAME = 'Porkbun';
/** Domains in one answer. */
const CHUNK = 1000;
/** Seconds. */
const TTL_MIN = 600;

const status = z.object({ status: z.string(), message: z.string().optional() });
const domainList = z.object({ domains: z.array(z.object({ domain: z.string() })) });
const recordList = z.object({
  records: z.array(
    z.object({
      id: z.coerce.string(),
      name: z.string(),
      type: z.string(),
      content: z.string(),
      ttl: z.coerce.number(),
      prio: z.coerce.number().nullish(),
    }),
  ),
});

export function porkbun({ clock, credentials, endpoint = ENDPOINT }: ProviderOptions): DnsProvider {
  const [apikey = '', secretapikey = ''] = credentials.split(/[\s:]+/);
  if (secretapikey === '')
    throw new Refusal(
      'bad-input',
      'The file for Porkbun holds the API key and the secret API key, a line each.',
    );
  const api = createApi({
    clock,
    provider: NAME,
    endpoint,
    headers: {},
    problem: (answer) => status.safeParse(answer).data?.message,
  });
  async function call(path: string, body: object = {}): Promise<unknown> {
    const { json } = await api({ method: 'POST', path, body: { apikey, secretapikey, ...body } });
    const { status: word, message } = shaped(status, json, NAME);
    if (word !== 'SUCCESS') throw new Refusal('bad-input', `${NAME} refused this: ${message ?? word}`);
    return json;
  }
  return providerOfRecords({
    kind: 'porkbun',
    async zones() {
      const zones: ApiZone[] = [];
      for (let chunk = 0; chunk < PAGES_MAX; chunk++) {
        const json = await call('/domain/listAll', { start: String(chunk * CHUNK) });
        const { domains } = shaped(domainList, json, NAME);
        zones.push(...domains.map(({ domain }) => ({ id: domain, name: bareName(domain) })));
        if (domains.length < CHUNK) break;
      }
      return zones;
    },
    async list({ id, name: zone }) {
      const { records } = shaped(recordList, await call(`/dns/retrieve/${encodeURIComponent(id)}`), NAME);
      return records.flatMap(({ id: record, name, type, content, ttl, prio }): ApiRecord[] => {
        if (!isRecordType(type)) return [];
        const base = { id: record, name: fullName(name, zone), type, ttl };
        if (type === 'TXT') return [{ ...base, value: unquoted(content) }];
        const whole = type === 'MX' || type === 'SRV' ? `${prio ?? 0} ${content}` : content;
        return [{ ...base, value: canonicalValue(type, whole) }];
      });
    },
    async change({ id, name: zone }, remove, add) {
      const place = encodeURIComponent(id);
      for (const record of remove) await call(`/dns/delete/${place}/${encodeURIComponent(record.id)}`);
      for (const record of add) await call(`/dns/create/${place}`, bodyOf(record, zone));
    },
  });
}

/** Numbers are texts; what is called priority stands beside the rest. */
function bodyOf({ name, type, ttl, value }: NewRecord, zone: string): object {
  const base = { name: relativeName(name, zone), type, ttl: String(Math.max(ttl, TTL_MIN)) };
  if (type === 'MX') {
    const { preference, host } = mxParts(value);
    return { ...base, prio: String(preference), content: host };
  }
  if (type === 'SRV') {
    const { priority, weight, port, target } = srvParts(value);
    return { ...base, prio: String(priority), content: `${weight} ${port} ${target}` };
  }
  return { ...base, content: value };
}
