import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { Dns, DnsAnswer, DnsType } from '../dns.ts';
import { checkHost } from './check.ts';

/** Records of our own, judged by pyspf too: what it passes we pass, what it fails we fail. */
const python = '/usr/bin/python3';
const skip = spawnSync(python, ['-c', 'import spf']).status === 0 ? false : 'pyspf is not here';

type Rows = Partial<Record<'TXT' | 'A' | 'AAAA' | 'MX' | 'PTR', string[]>>;

const HOSTS: Record<string, Rows | 'timeout'> = {
  'mail.example': { A: ['192.0.2.1', '198.51.100.9'], AAAA: ['2001:db8::1'] },
  'mx.example': { MX: ['10 mail.example', '20 other.example'] },
  'nullmx.example': { MX: ['0 .'] },
  'many.example': { MX: Array.from({ length: 12 }, (_, i) => `${i} m${i}.example`) },
  'ok.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
  'soft.example': { TXT: ['v=spf1 ~all'] },
  'deep.example': { TXT: ['v=spf1 include:deeper.example -all'] },
  'deeper.example': { TXT: ['v=spf1 include:ok.example -all'] },
  'slow.example': 'timeout',
  'broken.example': { TXT: ['v=spf1 ip4:1.2.3 -all'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mail.example'] },
  'ann.users.example': { A: ['127.0.0.2'] },
};

const CLIENTS = ['192.0.2.1', '203.0.113.5', '2001:db8::1'];

/** Each is published at x.example, which ann@x.example sends from. */
const RECORDS = [
  'v=spf1 -all',
  'v=spf1 ?all',
  'v=spf1 ~all',
  'v=spf1 +all',
  'v=spf1',
  'v=spf1 ip4:192.0.2.1 -all',
  'v=spf1 ip4:192.0.2.0/25 -all',
  'v=spf1 ip4:192.0.2.0/33 -all',
  'v=spf1 ip4:192.0.2.1/0 -all',
  'v=spf1 ip6:2001:db8::/32 -all',
  'v=spf1 ip6:2001:db8::1/129 -all',
  'v=spf1 -ip4:192.0.2.1 +all',
  'v=spf1 a:mail.example -all',
  'v=spf1 a:mail.example/24//64 -all',
  'v=spf1 a:none.example -all',
  'v=spf1 mx:mx.example -all',
  'v=spf1 mx:nullmx.example -all',
  'v=spf1 mx:many.example -all',
  'v=spf1 ptr:mail.example -all',
  'v=spf1 ptr -all',
  'v=spf1 exists:%{l}.users.example -all',
  'v=spf1 exists:%{ir}.none.example -all',
  'v=spf1 include:ok.example -all',
  'v=spf1 include:soft.example -all',
  'v=spf1 include:deep.example -all',
  'v=spf1 include:none.example -all',
  'v=spf1 include:broken.example -all',
  'v=spf1 include:slow.example -all',
  'v=spf1 redirect=ok.example',
  'v=spf1 redirect=none.example',
  'v=spf1 redirect=ok.example -all',
  'v=spf1 include:x.example -all',
  'v=spf1 a:a.none a:b.none a:c.none -all',
  'v=spf1 foo:bar -all',
  'v=spf1 all:x',
  'v=spf1 ip4 -all',
  'v=spf1 include -all',
  'v=spf1 unknown=x -all',
  'v=spf1 redirect=a.example redirect=b.example',
  'v=spf10 -all',
  'V=SPF1 A:MAIL.EXAMPLE -ALL',
  'v=spf1 a:%{d2} -all',
  'v=spf1 a:%{z} -all',
  'v=spf1  ip4:192.0.2.1   -all ',
  `v=spf1 ${'a:mail.example '.repeat(11)} -all`,
];

const SCRIPT = `
import sys, json, spf
hosts, records, clients = json.load(sys.stdin)
zone = {}
def lookup(name, qtype, tcpfallback=True, timeout=30):
    name = name.rstrip('.').lower()
    rows = zone.get(name)
    if rows == 'timeout': raise spf.TempError('timeout')
    out = []
    for v in (rows or {}).get(qtype, []):
        if qtype == 'TXT': v = (v.encode(),)
        elif qtype == 'MX': v = (int(v.split()[0]), v.split()[1].rstrip('.'))
        elif qtype in ('A', 'AAAA'): v = __import__('ipaddress').ip_address(v)
        out.append(((name, qtype), v))
    return out
spf.DNSLookup = lookup
for r in records:
    zone = dict(hosts); zone['x.example'] = {'TXT': [r]}
    print(*[spf.check2(i=c, s='ann@x.example', h='h.example')[0] for c in clients])
`;

function zone(hosts: Record<string, Rows | 'timeout'>): Dns {
  const answer = (name: string, type: DnsType): DnsAnswer => {
    const rows = hosts[name.toLowerCase()];
    if (rows === 'timeout') return { status: 'temporary', reason: 'timeout' };
    const found = rows?.[type as 'TXT'];
    if (found === undefined) return rows === undefined ? { status: 'nxdomain' } : { status: 'nodata' };
    const records = found.map((text) => {
      if (type === 'TXT') return { text, chunks: [] };
      const [preference, exchange = ''] = text.split(' ');
      return type === 'MX'
        ? { preference: Number(preference), exchange: exchange === '.' ? '' : exchange }
        : text;
    });
    return { status: 'ok', records, ttl: 60, authenticated: false } as DnsAnswer;
  };
  return { query: async (name, type) => answer(name, type) as never };
}

test('our SPF records end as with pyspf', { skip }, async (t) => {
  const input = JSON.stringify([HOSTS, RECORDS, CLIENTS]);
  const theirs = execFileSync(python, ['-W', 'ignore', '-c', SCRIPT], { input, encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const wrong: string[] = [];
  let count = 0;
  for (const [i, record] of RECORDS.entries()) {
    const dns = zone({ ...HOSTS, 'x.example': { TXT: [record] } });
    for (const [c, ip] of CLIENTS.entries()) {
      count++;
      const mailFrom = 'ann@x.example';
      const ours = await checkHost({ ip, helo: 'h.example', mailFrom, dns, nowMs: 0, receiver: 'mx.test' });
      const wanted = theirs[i]?.[c];
      if (ours.result !== wanted)
        wrong.push(`${record} for ${ip}: pyspf ${wanted}, we ${ours.result}: ${ours.reason}`);
    }
  }
  t.diagnostic(`report: SPF: ${count - wrong.length} of ${count} vectors of our own end as with pyspf`);
  assert.deepEqual(wrong, []);
});
