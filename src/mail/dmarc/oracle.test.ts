import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { checkDmarc } from './check.ts';
import { policies } from './fixtures/zone.ts';
import { VECTORS } from './fixtures/vectors-table.ts';

interface Mailauth {
  dmarc(options: {
    headerFrom: string[];
    spfDomains: { domain: string }[];
    dkimDomains: { domain: string }[];
    resolver: (name: string, type: string) => Promise<unknown>;
  }): Promise<false | { status: { result: string }; policy?: string }>;
}

/**
 * Where we differ on purpose: a top-level domain without psd= is a public suffix, a record without a policy is told, and domains that
 * share no more than the top level are strangers even while DNS is down.
 */
const OURS = new Set([
  'neighbours below a top-level record without psd=',
  'p missing',
  'the same, and another has signed',
]);

test('our DMARC vectors end as with mailauth', async (t) => {
  const { dmarc } = createRequire(import.meta.url)('mailauth/lib/dmarc') as Mailauth;
  let alike = 0;
  const wrong: string[] = [];
  for (const { name, records, from, dkim = [], spf } of VECTORS) {
    const identifiers = [...dkim, ...(spf === undefined ? [] : [spf])];
    // It is told of passes only.
    if (OURS.has(name) || identifiers.some(({ status }) => status === 'temperror')) continue;
    const dns = policies(records);
    const resolver = async (asked: string, type: string): Promise<unknown> => {
      const answer = await dns.query(asked, type as 'TXT');
      if (answer.status === 'ok') return answer.records.map(({ text }) => [text]);
      const codes = { temporary: 'ESERVFAIL', nodata: 'ENODATA', nxdomain: 'ENOTFOUND' };
      throw Object.assign(new Error(answer.status), { code: codes[answer.status] });
    };
    const theirs = await dmarc({
      headerFrom: [`ann@${from}`],
      spfDomains: spf === undefined ? [] : [{ domain: spf.domain }],
      dkimDomains: dkim.map(({ domain }) => ({ domain })),
      resolver,
    });
    const ours = await checkDmarc({ domain: from, dkim, spf, dns: policies(records) });
    const result = theirs === false ? 'none' : theirs.status.result;
    if (result === ours.result) alike++;
    else wrong.push(`${name}: mailauth ${result}, we ${ours.result}: ${ours.reason}`);
  }
  t.diagnostic(
    `report: DMARC: ${alike} of ${alike + wrong.length} vectors end as with mailauth, ${VECTORS.length} in all`,
  );
  assert.deepEqual(wrong, []);
});
