import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainFacts, domainRecords, formatRecordsText, formatZone, txtStrings } from './dns-records.ts';

const facts: DomainFacts = {
  domain: 'example.org',
  hostname: 'mail.example.org',
  addresses: ['192.0.2.7', '2001:db8::7'],
  dkim: [
    { selector: 'r1', algorithm: 'rsa', publicKeyBase64: 'A'.repeat(392) },
    { selector: 'e1', algorithm: 'ed25519', publicKeyBase64: 'B'.repeat(44) },
  ],
  adminAddress: 'postmaster@example.org',
};

test('a domain gets every record that its mail needs', () => {
  const lines = domainRecords(facts).map(({ name, type, value }) => `${name} ${type} ${value.slice(0, 60)}`);
  const nibbles = '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2';
  assert.deepEqual(lines, [
    'example.org MX 10 mail.example.org',
    'mail.example.org A 192.0.2.7',
    'mail.example.org AAAA 2001:db8::7',
    '7.2.0.192.in-addr.arpa PTR mail.example.org',
    `${nibbles}.ip6.arpa PTR mail.example.org`,
    'example.org TXT v=spf1 mx -all',
    'mail.example.org TXT v=spf1 a -all',
    `r1._domainkey.example.org TXT v=DKIM1; k=rsa; p=${'A'.repeat(42)}`,
    `e1._domainkey.example.org TXT v=DKIM1; k=ed25519; p=${'B'.repeat(38)}`,
    '_dmarc.example.org TXT v=DMARC1; p=none; rua=mailto:postmaster@example.org',
    '_smtp._tls.example.org TXT v=TLSRPTv1; rua=mailto:postmaster@example.org',
    '_submissions._tcp.example.org SRV 0 1 465 mail.example.org',
    '_imaps._tcp.example.org SRV 0 1 993 mail.example.org',
    '_submission._tcp.example.org SRV 10 1 587 mail.example.org',
    '_imap._tcp.example.org SRV 10 1 143 mail.example.org',
    '_sieve._tcp.example.org SRV 0 1 4190 mail.example.org',
  ]);
});

test('reports to another domain need its consent, and odd addresses are escaped', () => {
  const records = domainRecords({ ...facts, adminAddress: 'a!b,c;d@other.example' });
  assert.ok(records.some(({ name }) => name === 'example.org._report._dmarc.other.example'));
  assert.ok(records.some(({ value }) => value.endsWith('rua=mailto:a%21b%2Cc%3Bd@other.example')));
});

test('a zone file has absolute names, split texts, and no PTR of its own', () => {
  const zone = formatZone(domainRecords(facts));
  assert.match(zone, /^example\.org\. 3600 IN MX 10 mail\.example\.org\.$/m);
  assert.match(zone, /^_imaps\._tcp\.example\.org\. 3600 IN SRV 0 1 993 mail\.example\.org\.$/m);
  assert.match(zone, /^example\.org\. 3600 IN TXT "v=spf1 mx -all"$/m);
  assert.match(zone, /^; 7\.2\.0\.192\.in-addr\.arpa\. /m);
  const key = /^r1\._domainkey\S+ 3600 IN TXT "([^"]*)" "([^"]*)"$/m.exec(zone);
  assert.ok(key?.[1]?.length === 255);
  assert.equal(`${key[1]}${key[2]}`, `v=DKIM1; k=rsa; p=${'A'.repeat(392)}`);
  assert.ok(
    formatZone([{ name: 'x', type: 'TXT', value: 'a"b\\é', why: '' }]).includes('"a\\"b\\\\\\195\\169"'),
  );
  assert.deepEqual(txtStrings(''), ['']);
});

test('the text for a person gives name, value and reason of each', () => {
  const records = domainRecords(facts);
  const text = formatRecordsText(records);
  for (const { name, value, why } of records)
    for (const part of [name, value, why]) assert.ok(text.includes(part));
});
