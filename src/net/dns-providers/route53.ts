import { Refusal } from '../../base/errors.ts';
import { type ApiSet, type ApiZone, type NewSet, PAGES_MAX, providerOfSets } from './adaptors.ts';
import { createApi } from './api.ts';
import type { ProviderOptions } from './provider-options.ts';
import { signV4 } from './sigv4.ts';
import { type DnsProvider, isRecordType } from './types.ts';
import { bareName, dotted, fromZoneFile, zoneFileValue } from './values.ts';

/**
 * Amazon Route 53, public zones. The key may route53:ListHostedZones, ListResourceRecordSets and
 * ChangeResourceRecordSets. All changes of a zone are made together.
 */

const ENDPOINT = 'https://route53.amazonaws.com';
const NAME = 'Route 53';
const VERSION = '/2013-04-01';
const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';
/** It is the same everywhere, and signed for there. */
const REGION = 'us-east-1';
/** Zones, and record sets, in one answer. */
const PAGE = 100;
const SET_PAGE = 300;

export function route53({ clock, credentials, endpoint = ENDPOINT }: ProviderOptions): DnsProvider {
  const [accessKeyId = '', secret = ''] = credentials.split(/[\s:]+/);
  if (secret === '')
    throw new Refusal(
      'bad-input',
      'The file for Route 53 holds the access key id and the secret key, a line each.',
    );
  const problem = (_answer: unknown, text: string): string | undefined =>
    elements(text, 'Message').map(unescaped)[0];
  const api = createApi({ clock, provider: NAME, endpoint, headers: {}, problem });
  async function call(method: 'GET' | 'POST', path: string, body = ''): Promise<string> {
    const url = new URL(`${endpoint}${VERSION}${path}`);
    const request = { method, url, body, region: REGION, service: 'route53', now: clock.now() };
    const headers = { ...signV4({ accessKeyId, secret }, request), Accept: 'application/xml' };
    const xml = body === '' ? {} : { body, headers: { ...headers, 'Content-Type': 'application/xml' } };
    const { text } = await api({ method, path: `${VERSION}${path}`, headers, ...xml });
    if (!text.includes('<') || /^\s*<html/i.test(text))
      throw new Refusal('unavailable', `${NAME} answered something else than its documentation says.`);
    return text;
  }
  return providerOfSets({
    kind: 'route53',
    async zones() {
      const zones: ApiZone[] = [];
      let marker = '';
      for (let i = 0; i < PAGES_MAX; i++) {
        const text = await call('GET', `/hostedzone?${marker}maxitems=${PAGE}`);
        zones.push(...elements(text, 'HostedZone').flatMap(zoneOf));
        const [next] = elements(text, 'NextMarker');
        if (next === undefined) break;
        marker = `marker=${encodeURIComponent(unescaped(next))}&`;
      }
      return zones;
    },
    async list({ id }) {
      const sets: ApiSet[] = [];
      let from = '';
      for (let i = 0; i < PAGES_MAX; i++) {
        const text = await call('GET', `/hostedzone/${id}/rrset?${from}maxitems=${SET_PAGE}`);
        sets.push(...elements(text, 'ResourceRecordSet').flatMap(setOf));
        const [name] = elements(text, 'NextRecordName');
        const [type] = elements(text, 'NextRecordType');
        if (name === undefined || type === undefined) break;
        from = `name=${encodeURIComponent(unescaped(name))}&type=${type}&`;
      }
      return sets;
    },
    write: zoneFileValue,
    async change({ id }, sets) {
      await call('POST', `/hostedzone/${id}/rrset`, changeXml(sets));
    },
  });
}

function changeXml(sets: readonly NewSet[]): string {
  const changes = sets
    .toSorted((a, b) => a.raw.length - b.raw.length)
    .map(({ name, type, ttl, raw, old }) => {
      // What is deleted has to be told exactly as it is.
      const values = raw.length === 0 ? (old?.values ?? []).map((each) => each.raw) : raw;
      const records = values.map((value) => tag('ResourceRecord', tag('Value', escaped(value)))).join('');
      const head = tag('Name', escaped(dotted(name))) + tag('Type', type) + tag('TTL', String(ttl));
      const set = tag('ResourceRecordSet', head + tag('ResourceRecords', records));
      // CREATE fails where something stands that is left alone, such as an alias of Amazon's own.
      const action = raw.length === 0 ? 'DELETE' : old === undefined ? 'CREATE' : 'UPSERT';
      return tag('Change', tag('Action', action) + set);
    });
  const batch = tag('ChangeBatch', tag('Changes', changes.join('')));
  const root = 'ChangeResourceRecordSetsRequest';
  return `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="${NAMESPACE}">${batch}</${root}>`;
}

function zoneOf(text: string): ApiZone[] {
  const [id = ''] = elements(text, 'Id');
  const [name = ''] = elements(text, 'Name');
  if (elements(text, 'PrivateZone')[0] === 'true' || name === '') return [];
  return [{ id: encodeURIComponent(id.replace('/hostedzone/', '')), name: bareName(unescaped(name)) }];
}

/** Sets with an identifier (weighted, by place) and aliases of Amazon's own are left alone. */
function setOf(text: string): ApiSet[] {
  const [name = ''] = elements(text, 'Name');
  const [type = ''] = elements(text, 'Type');
  if (!isRecordType(type) || elements(text, 'SetIdentifier').length > 0) return [];
  const raw = elements(text, 'Value').map(unescaped);
  const values = raw.map((each) => ({ raw: each, value: fromZoneFile(type, each) }));
  if (values.length === 0) return [];
  return [{ name: bareName(unescaped(name)), type, ttl: Number(elements(text, 'TTL')[0] ?? 0), values }];
}

/** What stands in each element of a name; none of those that are asked for holds another of its own name. */
function elements(text: string, name: string): string[] {
  const [open, close] = [`<${name}>`, `</${name}>`];
  const found: string[] = [];
  for (let at = text.indexOf(open); at !== -1; at = text.indexOf(open, at)) {
    const end = text.indexOf(close, at);
    if (end === -1) break;
    found.push(text.slice(at + open.length, end));
    at = end + close.length;
  }
  return found;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function unescaped(text: string): string {
  // Amazon writes "*" in names as \052.
  return text
    .replace(
      /&(?:(lt|gt|quot|apos|amp)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g,
      (_, word?: string, code?: string, hex?: string) => {
        if (word !== undefined) return ENTITIES[word] ?? '';
        const point = code === undefined ? Number.parseInt(hex ?? '0', 16) : Number(code);
        return point <= 0x10ffff ? String.fromCodePoint(point) : '';
      },
    )
    .replace(/^\\052\./, '*.');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function tag(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}
