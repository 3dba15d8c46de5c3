import type { IncomingMessage } from 'node:http';
import type { RecordType } from '../../../src/net/dns-providers/types.ts';
import { hash } from 'node:crypto';
import { checkSignature, readAuthorization } from '../../support/aws/signature.ts';
import { type Fake, type FakeAnswer, startFake } from './fake.ts';
import { zoneOfName } from './zones.ts';

/** Route 53 as its documentation has it: XML, pages by marker and by name, signatures that are checked. */

export const ROUTE53_KEYS = 'AKIDEXAMPLE\nc2VjcmV0/of+tests';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly values: string[];
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const unescape = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
const inside = (text: string, name: string): string[] =>
  text
    .split(`<${name}>`)
    .slice(1)
    .map((part) => part.split(`</${name}>`)[0] ?? '');

function fail(status: number, code: string, message: string): FakeAnswer {
  return {
    status,
    body: `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  };
}

function setXml({ name, type, ttl, values }: Row): string {
  const records = values
    .map((value) => `<ResourceRecord><Value>${escape(value)}</Value></ResourceRecord>`)
    .join('');
  return `<ResourceRecordSet><Name>${name}</Name><Type>${type}</Type><TTL>${ttl}</TTL><ResourceRecords>${records}</ResourceRecords></ResourceRecordSet>`;
}

export async function fakeRoute53(
  zones: readonly string[],
): Promise<Fake & { put(name: string, type: RecordType, text: string): void }> {
  const rows = new Map<string, Row[]>(zones.map((zone) => [zone, []]));
  const [accessKeyId = '', secret = ''] = ROUTE53_KEYS.split('\n');
  const keys = { find: (id: string) => (id === accessKeyId ? { secret } : undefined) };
  function change(mine: Row[], text: string): FakeAnswer | undefined {
    for (const each of inside(text, 'Change')) {
      const [action = '', name = '', type = '', ttl = ''] = ['Action', 'Name', 'Type', 'TTL'].map(
        (field) => inside(each, field)[0] ?? '',
      );
      const values = inside(each, 'Value').map(unescape);
      if (!name.endsWith('.') || (type === 'TXT' && values.some((value) => !value.startsWith('"'))))
        return fail(400, 'InvalidChangeBatch', 'a value is not as it should be');
      const at = mine.findIndex((row) => row.name === name && row.type === type);
      const row = mine[at];
      if (
        action === 'DELETE' &&
        (row === undefined || String(row.ttl) !== ttl || row.values.join() !== values.join())
      )
        return fail(400, 'InvalidChangeBatch', 'the values provided do not match the current values');
      if (action === 'CREATE' && at !== -1) return fail(400, 'InvalidChangeBatch', 'it already exists');
      if (at !== -1) mine.splice(at, 1);
      if (
        action !== 'DELETE' &&
        mine.some((other) => other.name === name && [other.type, type].includes('CNAME'))
      )
        return fail(400, 'InvalidChangeBatch', 'RRSet of type CNAME conflicts');
      if (action !== 'DELETE') mine.push({ name, type, ttl: Number(ttl), values });
    }
    return undefined;
  }
  const fake = await startFake(({ method, path, query, headers, text }, origin) => {
    const scope = readAuthorization(headers.authorization);
    if (scope === undefined) return fail(403, 'MissingAuthenticationToken', 'Missing Authentication Token');
    const url = `/api${path}${query.size === 0 ? '' : `?${query}`}`;
    // As the check wants it: the request as it was on the wire.
    const distinct = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, [String(value)]]),
    );
    const wire = { method, url, headers, headersDistinct: distinct } as unknown as IncomingMessage;
    try {
      checkSignature(scope, wire, {
        keys,
        regions: ['us-east-1'],
        skewMs: 300_000,
        bodyHash: hash('sha256', text),
      });
    } catch (error) {
      return fail(403, 'SignatureDoesNotMatch', String(error));
    }
    if (path === '/2013-04-01/hostedzone') {
      // One a page, so that there are several.
      const at = Number(query.get('marker') ?? 0);
      const zone = `<HostedZone><Id>/hostedzone/Z${at}</Id><Name>${zones[at]}.</Name><Config><PrivateZone>false</PrivateZone></Config></HostedZone>`;
      const next = at + 1 < zones.length ? `<NextMarker>${at + 1}</NextMarker>` : '';
      return {
        status: 200,
        body: `<ListHostedZonesResponse><HostedZones>${zone}</HostedZones>${next}</ListHostedZonesResponse>`,
      };
    }
    const [, index = ''] = /^\/2013-04-01\/hostedzone\/Z(\d+)\/rrset$/.exec(path) ?? [];
    const mine = rows.get(zones[Number(index)] ?? '');
    if (index === '' || mine === undefined)
      return fail(404, 'NoSuchHostedZone', `No hosted zone found at ${origin}`);
    if (method === 'POST')
      return change(mine, text) ?? { status: 200, body: '<ChangeResourceRecordSetsResponse/>' };
    const from = Math.max(
      0,
      mine.findIndex((row) => row.name === query.get('name') && row.type === query.get('type')),
    );
    const size = Math.min(Number(query.get('maxitems')), 100);
    const next = mine[from + size];
    const more =
      next === undefined
        ? ''
        : `<NextRecordName>${next.name}</NextRecordName><NextRecordType>${next.type}</NextRecordType>`;
    const sets = mine
      .slice(from, from + size)
      .map(setXml)
      .join('');
    return {
      status: 200,
      body: `<ListResourceRecordSetsResponse><ResourceRecordSets>${sets}</ResourceRecordSets>${more}</ListResourceRecordSetsResponse>`,
    };
  });
  return Object.assign(fake, {
    put(name: string, type: RecordType, text: string) {
      const mine = rows.get(zoneOfName(name, zones));
      const set = mine?.find((row) => row.name === `${name}.` && row.type === type);
      if (set === undefined) mine?.push({ name: `${name}.`, type, ttl: 300, values: [text] });
      else set.values.push(text);
    },
  });
}
