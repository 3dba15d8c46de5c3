import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { crc32, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { scanMessage } from '../message/scanner.ts';
import { parseComplaint } from './arf.ts';
import { dmarcXml, escapeXml } from './dmarc-build.ts';
import { createDmarcReader } from './dmarc-parse.ts';
import type { DmarcRecord, DmarcReport, DmarcReportHead } from './dmarc-types.ts';
import { findReport, hintedDomain } from './find-report.ts';
import { ReportProblem, reportLimits } from './problem.ts';
import { packText, reportFileName, reportMail, type ReportMailInput } from './report-mail.ts';
import { consentName, reportConsent, reportRequest, reportUris } from './rua.ts';
import { parseTlsReport, tlsReportJson } from './tls-report.ts';
import type { TlsReport } from './tls-types.ts';
import { unpack } from './unpack.ts';

const DAY = 86_400_000;
const BEGIN = 19_000 * DAY;

const HEAD: DmarcReportHead = {
  organisation: 'Example <Mail> & Sons',
  email: 'postmaster@receiver.test',
  contact: 'https://receiver.test/"help"',
  reportId: 'abc123',
  beginMs: BEGIN,
  endMs: BEGIN + DAY - 1000,
  errors: ["rua is 'odd'"],
  generator: 'Postern test',
  policy: {
    domain: 'example.net',
    p: 'quarantine',
    sp: 'reject',
    np: 'reject',
    adkim: 's',
    aspf: 'r',
    fo: '1:d',
    testing: 'n',
    discovery: 'treewalk',
  },
};

const RECORD: DmarcRecord = {
  sourceIp: '2001:db8::1',
  count: 12,
  disposition: 'none',
  dkim: 'fail',
  spf: 'fail',
  reasons: [{ type: 'local_policy', comment: 'came through a <list>' }],
  headerFrom: 'mail.example.net',
  envelopeFrom: 'bounce.example.org',
  envelopeTo: 'receiver.test',
  dkimResults: [
    { domain: 'example.org', selector: 's1', result: 'pass' },
    { domain: 'example.net', selector: 's2', result: 'fail', human: 'body has changed' },
  ],
  spfResults: [{ domain: 'bounce.example.org', scope: 'mfrom', result: 'pass' }],
};

const PASSED: DmarcRecord = {
  ...RECORD,
  sourceIp: '192.0.2.7',
  count: 3,
  disposition: 'pass',
  dkim: 'pass',
  spf: 'pass',
  reasons: [],
  envelopeFrom: '',
  envelopeTo: undefined,
};

function xmlOf(records: readonly DmarcRecord[], head = HEAD): string {
  return [...dmarcXml(head, records)].join('');
}

function read(xml: string | Buffer, piece = 1000): DmarcReport {
  const reader = createDmarcReader();
  const octets = Buffer.from(xml);
  for (let at = 0; at < octets.length; at += piece) reader.push(octets.subarray(at, at + piece));
  return reader.end();
}

function problem(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ReportProblem) return error.kind;
    throw error;
  }
  return 'none';
}

async function unpackProblem(octets: Buffer): Promise<string> {
  try {
    for await (const piece of unpack(octets)) assert.ok(piece.length <= 1024 * 1024);
  } catch (error) {
    if (error instanceof ReportProblem) return error.kind;
    throw error;
  }
  return 'none';
}

async function unpacked(octets: Buffer): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of unpack(octets)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** `undefined` values gone, as they are after a round trip. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

describe('DMARC aggregate reports', () => {
  it('what we build we read back, however it is cut', () => {
    const xml = xmlOf([RECORD, PASSED]);
    for (const piece of [1, 7, 64, 100_000]) {
      const { records, damaged, ...head } = read(xml, piece);
      assert.deepEqual(plain(head), plain(HEAD));
      assert.deepEqual(plain(records), plain([RECORD, PASSED]));
      assert.equal(damaged, 0);
    }
  });

  it('elements in the order of RFC 9990, in its namespace', () => {
    const xml = xmlOf([RECORD]);
    assert.match(
      xml,
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2\.0">/,
    );
    const names = [...xml.matchAll(/<([a-z_]+)>/g)].map(([, name]) => name);
    assert.deepEqual(names.slice(0, 24), [
      'version',
      'report_metadata',
      'org_name',
      'email',
      'extra_contact_info',
      'report_id',
      'date_range',
      'begin',
      'end',
      'error',
      'generator',
      'policy_published',
      'domain',
      'discovery_method',
      'p',
      'sp',
      'np',
      'fo',
      'adkim',
      'aspf',
      'testing',
      'record',
      'row',
      'source_ip',
    ]);
    assert.deepEqual(names.slice(24, 50), [
      'count',
      'policy_evaluated',
      'disposition',
      'dkim',
      'spf',
      'reason',
      'type',
      'comment',
      'identifiers',
      'header_from',
      'envelope_from',
      'envelope_to',
      'auth_results',
      'dkim',
      'domain',
      'selector',
      'result',
      'dkim',
      'domain',
      'selector',
      'result',
      'human_result',
      'spf',
      'domain',
      'scope',
      'result',
    ]);
    assert.match(xml, /<version>1\.0<\/version>/);
    assert.match(xml, new RegExp(`<begin>${BEGIN / 1000}</begin>`));
  });

  it('is well-formed for others too, whatever strangers wrote', (t) => {
    const hostile = {
      ...RECORD,
      headerFrom: 'a\0b\u0007]]><x>&amp;\ud800"\'',
      envelopeFrom: '<!ENTITY x "y">',
    };
    const xml = xmlOf([hostile]);
    assert.equal(read(xml).records[0]?.headerFrom, 'a\ufffdb\ufffd]]><x>&amp;\ufffd"\'');
    assert.equal(escapeXml('\u001b[31m'), '\ufffd[31m');
    const [command, args] = [
      'python3',
      ['-c', 'import sys,xml.dom.minidom as m; m.parse(sys.stdin.buffer)'],
    ] as const;
    for (const [name, more] of [
      ['xmllint', ['--noout', '--nonet', '-']],
      [command, args],
    ] as const) {
      const checked = spawnSync(name, [...more], { input: xml });
      if (checked.error !== undefined) t.diagnostic(`${name} is not installed`);
      else assert.equal(checked.status, 0, checked.stderr.toString());
    }
  });

  it('reads RFC 7489, foreign namespaces, odd spelling and other character sets', () => {
    const old = `<?xml version="1.0" encoding="windows-1252"?><!-- a note -->
      <ns1:feedback xmlns:ns1="http://dmarc.org/dmarc-xml/0.1"><ns1:version>1.0</ns1:version>
      <ns1:report_metadata><ns1:org_name>Caf\u00e9 <![CDATA[<b>&]]></ns1:org_name><ns1:email>a@b.test</ns1:email>
      <ns1:report_id> 42 </ns1:report_id><ns1:date_range><ns1:begin>1504742400</ns1:begin><ns1:end> 1504828800
      </ns1:end></ns1:date_range></ns1:report_metadata>
      <ns1:policy_published><ns1:domain>EXAMPLE.net.</ns1:domain><ns1:p>Reject</ns1:p><ns1:pct>50</ns1:pct></ns1:policy_published>
      <ns1:record><ns1:row><ns1:source_ip>::FFFF:192.0.2.1</ns1:source_ip><ns1:count> 5 </ns1:count><ns1:policy_evaluated>
      <ns1:disposition>Reject</ns1:disposition><ns1:dkim>Fail</ns1:dkim><ns1:spf>PASS</ns1:spf></ns1:policy_evaluated></ns1:row>
      <ns1:identifiers><ns1:envelope_from>bounce+x=y@Example.net</ns1:envelope_from></ns1:identifiers>
      <ns1:auth_results><ns1:spf><ns1:domain>example.net</ns1:domain><ns1:scope>helo</ns1:scope><ns1:result>Pass</ns1:result></ns1:spf>
      </ns1:auth_results></ns1:record>
      <ns1:record><ns1:row><ns1:source_ip>192.0.2.2</ns1:source_ip><ns1:count>many</ns1:count></ns1:row></ns1:record>
      <ns1:record><ns1:row><ns1:source_ip>=cmd|x</ns1:source_ip><ns1:count>1</ns1:count></ns1:row></ns1:record></ns1:feedback>`;
    const report = read(Buffer.from(old, 'latin1'));
    assert.equal(report.organisation, 'Café <b>&');
    assert.equal(report.reportId, '42');
    assert.equal(report.beginMs, 1_504_742_400_000);
    assert.equal(report.endMs, 1_504_828_800_000);
    assert.deepEqual(report.policy, { domain: 'example.net', p: 'reject', pct: 50 });
    assert.equal(report.damaged, 2);
    const [record] = report.records;
    assert.deepEqual(
      [record?.sourceIp, record?.count, record?.disposition, record?.dkim, record?.spf],
      ['192.0.2.1', 5, 'reject', 'fail', 'pass'],
    );
    assert.equal(record?.headerFrom, 'example.net');
    assert.equal(record?.envelopeFrom, 'example.net');
    assert.deepEqual(record?.spfResults, [{ domain: 'example.net', scope: 'helo', result: 'pass' }]);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(xmlOf([RECORD]), 'utf16le')]);
    assert.equal(read(utf16).records.length, 1);
  });

  it('without id, organisation or namespace it is still one report', () => {
    const bare =
      '<feedback><report_metadata><email>x@reporter.test</email><date_range><begin>2030-01-01</begin></date_range></report_metadata><policy_published><domain>example.net</domain></policy_published></feedback>';
    const report = read(bare);
    assert.equal(report.organisation, 'reporter.test');
    assert.equal(report.beginMs, Date.UTC(2030, 0, 1));
    assert.equal(report.reportId, `${report.beginMs}-${report.endMs}`);
    assert.equal(report.policy.p, 'none');
  });

  it('10,000 rows', () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({ ...RECORD, count: i }));
    const { records } = read(xmlOf(rows), 65_536);
    assert.equal(records.length, 10_000);
    assert.equal(records[9_999]?.count, 9_999);
  });

  it('refuses entities, depth, element floods, attributes, other documents, halves', () => {
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><feedback>&b;</feedback>';
    assert.equal(
      problem(() => read(bomb)),
      'doctype',
    );
    assert.equal(
      problem(() =>
        read(`<?xml version="1.0"?>\n<!doctype feedback SYSTEM "http://evil.test/x"><feedback/>`),
      ),
      'doctype',
    );
    assert.equal(
      problem(() => read(`<feedback>${'<a>'.repeat(100_000)}`, 65_536)),
      'too-many',
    );
    assert.equal(
      problem(() => read(`<feedback>${'<a/>'.repeat(1_000_001)}`, 65_536)),
      'too-many',
    );
    assert.equal(
      problem(() => read(`<feedback ${'a="b" '.repeat(60)}/>`)),
      'too-many',
    );
    assert.equal(
      problem(() => read('<html><body>no</body></html>')),
      'not-a-report',
    );
    assert.equal(
      problem(() => read('{"policies":[]}')),
      'not-a-report',
    );
    assert.equal(
      problem(() => read('')),
      'not-a-report',
    );
    assert.equal(
      problem(() => read(xmlOf([RECORD]).slice(0, -40))),
      'broken',
    );
    // An entity that nobody defined is nothing but its own text.
    assert.match(read(xmlOf([RECORD]).replace('abc123', '&lol;&#65;')).reportId, /^&lol;A$/);
  });

  it('megabytes of text in one element cost no more than what is kept of it', () => {
    const xml = xmlOf([RECORD]).replace('abc123', 'x'.repeat(5_000_000));
    assert.equal(read(xml, 65_536).reportId.length, 255);
  });

  it('controls and markup in texts do nothing', () => {
    const xml = xmlOf([RECORD]).replace('abc123', '=cmd|&#10;&#13;&#27;[2J&#0;&lt;script&gt;');
    const { reportId } = read(xml);
    // oxlint-disable-next-line no-control-regex -- controls are what it looks for
    assert.doesNotMatch(reportId, /[\x00-\x1f\x7f]/);
    assert.match(reportId, /<script>$/);
  });
});

/** A zip archive by hand. */
function zip(files: readonly { name: string; data: Buffer; method?: number; flags?: number }[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 8, flags = 8 } of files) {
    const packed = method === 8 ? deflateRawSync(data) : data;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x0403_4b50, 0);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(name.length, 26); // sizes only in the central directory, as streaming writers do
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x0201_4b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc32(data), 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(data.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    locals.push(local, Buffer.from(name), packed);
    centrals.push(central, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** The same sequence each time. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Some octets changed, doubled, or gone. */
function damaged(octets: Buffer, random: () => number): Buffer {
  let bad = Buffer.from(octets);
  for (let i = 0; i < 1 + random() * 8; i++) {
    const [at, length] = [Math.floor(random() * bad.length), Math.floor(random() * 40)];
    const cut = bad.subarray(at, at + length);
    const how = Math.floor(random() * 3);
    if (how === 0 && bad.length > 0) bad[at] = Math.floor(random() * 256);
    else if (how === 1) bad = Buffer.concat([bad.subarray(0, at), cut, cut, bad.subarray(at + length)]);
    else bad = Buffer.concat([bad.subarray(0, at), bad.subarray(at + length)]);
  }
  return bad;
}

describe('damaged reports', () => {
  it('are read or refused, never anything else', () => {
    const random = randoms(42);
    const xml = Buffer.from(xmlOf([RECORD, PASSED]));
    const json = Buffer.from([...tlsReportJson(TLS)].join(''));
    for (let i = 0; i < 2000; i++) {
      assert.equal(
        typeof problem(() => read(damaged(xml, random), 1 + Math.floor(random() * 500))),
        'string',
      );
      assert.equal(typeof problem(() => parseTlsReport(damaged(json, random))), 'string');
      assert.doesNotThrow(() => parseComplaint(damaged(xml, random), damaged(json, random)));
      reportUris(
        damaged(Buffer.from('mailto:a@b.test!10m,https://x.test/%zz'), random).toString('latin1'),
        true,
      );
    }
  });
});

describe('containers', () => {
  const xml = Buffer.from(xmlOf([RECORD]));

  it('gzip, zip (stored, deflated, with a directory), plain', async () => {
    for (const packed of [
      xml,
      gzipSync(xml),
      zip([{ name: 'a!b!1!2.xml', data: xml }]),
      zip([{ name: 'a.xml', data: xml, method: 0 }]),
      zip([
        { name: 'dir/', data: Buffer.alloc(0), method: 0 },
        { name: 'dir/a.xml', data: xml },
      ]),
    ])
      assert.equal(await unpacked(packed), xml.toString());
  });

  it('bombs, halves, passwords and strange archives are refused by name', async () => {
    const zeros = Buffer.alloc(9 * 1024 * 1024);
    assert.equal(await unpackProblem(gzipSync(zeros)), 'bomb');
    assert.equal(await unpackProblem(zip([{ name: 'a', data: zeros }])), 'bomb');
    const noise = Buffer.from(
      Array.from({ length: 11 * 1024 * 1024 }, (_, i) => (i * 7919 * (i >> 3)) & 0xff),
    );
    assert.equal(await unpackProblem(gzipSync(noise, { level: 1 })), 'too-large');
    assert.equal(await unpackProblem(Buffer.alloc(reportLimits.packedBytes + 1)), 'too-large');
    assert.equal(await unpackProblem(gzipSync(xml).subarray(0, -30)), 'broken');
    assert.equal(
      await unpackProblem(Buffer.concat([gzipSync(xml).subarray(0, 40), Buffer.alloc(100, 0xff)])),
      'broken',
    );
    assert.equal(await unpackProblem(zip([{ name: 'a', data: xml, flags: 1 }])), 'encrypted');
    assert.equal(
      await unpackProblem(
        zip([
          { name: 'a', data: xml },
          { name: 'b', data: xml },
        ]),
      ),
      'several-files',
    );
    assert.equal(await unpackProblem(zip([])), 'not-a-report');
    assert.equal(await unpackProblem(zip([{ name: 'a', data: xml, method: 99 }])), 'unsupported');
    assert.equal(await unpackProblem(zip([{ name: 'a', data: xml }]).subarray(0, -5)), 'broken');
    assert.equal(await unpackProblem(Buffer.from('PK')), 'broken');
  });

  it('a zip with any octet changed never does worse than a ReportProblem', async () => {
    const good = zip([{ name: 'a.xml', data: xml }]);
    for (let at = 0; at < good.length; at += 3) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0xff;
      assert.equal(typeof (await unpackProblem(bad)), 'string');
    }
  });
});

const TLS: TlsReport = {
  organisation: 'Receiver',
  contact: 'postmaster@receiver.test',
  reportId: 'xyz',
  beginMs: BEGIN,
  endMs: BEGIN + DAY - 1000,
  policies: [
    {
      policy: {
        type: 'sts',
        domain: 'example.net',
        strings: ['version: STSv1', 'mode: testing'],
        mxHosts: ['*.mail.example.net'],
      },
      successes: 5326,
      failures: 303,
      details: [
        {
          resultType: 'certificate-expired',
          sessions: 100,
          sendingIp: '2001:db8:abcd:12::1',
          mxHost: 'mx1.mail.example.net',
          receivingIp: '192.0.2.9',
          reason: 'CERT_HAS_EXPIRED',
        },
        { resultType: 'starttls-not-supported', sessions: 203, mxHost: 'mx2.mail.example.net' },
      ],
    },
  ],
};

describe('TLS reports', () => {
  it('what we build we read back; names are those of RFC 8460', () => {
    const json = [...tlsReportJson(TLS)].join('');
    assert.deepEqual(plain(parseTlsReport(Buffer.from(json))), plain(TLS));
    assert.deepEqual(Object.keys(JSON.parse(json) as object), [
      'organization-name',
      'date-range',
      'contact-info',
      'report-id',
      'policies',
    ]);
    assert.match(
      json,
      /"start-datetime":"\d{4}-\d\d-\d\dT00:00:00Z","end-datetime":"\d{4}-\d\d-\d\dT23:59:59Z"/,
    );
  });

  it('takes single strings for lists, strings for numbers, and what is missing', () => {
    const odd = parseTlsReport(
      Buffer.from(
        '\ufeff{"date-range":{"start-datetime":"2030-01-01T00:00:00Z"},"contact-info":"x@reporter.test","policies":[{"policy":{"policy-type":"odd","policy-string":"a","mx-host":[["b"]],"policy-domain":"Example.NET"},"summary":{"total-successful-session-count":"7"},"failure-details":[{"failed-session-count":2,"result-type":"Validation-Failure"},null]},7]}',
      ),
    );
    assert.equal(odd.organisation, 'reporter.test');
    assert.deepEqual(plain(odd.policies[0]?.policy), {
      type: 'no-policy-found',
      domain: 'example.net',
      strings: ['a'],
      mxHosts: ['b'],
    });
    assert.deepEqual([odd.policies[0]?.successes, odd.policies[0]?.failures], [7, 2]);
    assert.equal(odd.policies[0]?.details[0]?.resultType, 'validation-failure');
  });

  it('refuses what is none', () => {
    for (const [text, kind] of [
      ['', 'broken'],
      ['{', 'broken'],
      ['[]', 'not-a-report'],
      ['{"policies":{}}', 'not-a-report'],
      ['{"policies":[{}]}', 'broken'],
      [`{"policies":[${'{},'.repeat(2000)}{}]}`, 'too-many'],
      ['['.repeat(100_000), 'broken'],
    ] as const)
      assert.equal(
        problem(() => parseTlsReport(Buffer.from(text))),
        kind,
        text.slice(0, 30),
      );
  });
});

describe('the message around a report', () => {
  const input = async (kind: 'dmarc' | 'tls'): Promise<ReportMailInput> => ({
    kind,
    from: { name: 'Reports of receiver.test', address: 'noreply-dmarc@receiver.test' },
    to: ['d@example.net'],
    domain: 'example.net',
    submitter: 'receiver.test',
    reportId: 'abc123',
    beginMs: BEGIN,
    endMs: BEGIN + DAY - 1000,
    nowMs: BEGIN + DAY,
    packed: await packText(kind === 'dmarc' ? dmarcXml(HEAD, [RECORD]) : tlsReportJson(TLS)),
    text: 'A report.\n',
    random: (count) => Buffer.alloc(count, 7),
  });

  it('is found again in it, with its octets', async () => {
    for (const kind of ['dmarc', 'tls'] as const) {
      const mail = await input(kind);
      const { bytes } = reportMail(mail);
      const found = findReport(scanMessage(bytes), 'Report Domain: example.net');
      assert.ok(found?.kind === kind);
      assert.equal(found.fileName, reportFileName(mail));
      assert.equal(hintedDomain(found, ''), 'example.net');
      const packed = Buffer.from(bytes.toString('latin1', found.part.start, found.part.end), 'base64');
      assert.deepEqual(packed, mail.packed);
      assert.ok(gunzipSync(packed).length > 100);
    }
  });

  it('Subject and file name of RFC 9990, fields of RFC 8460', async () => {
    const dmarc = reportMail(await input('dmarc')).bytes.toString();
    assert.match(
      dmarc.replaceAll('\r\n ', ' '),
      /^Subject: Report Domain: example\.net Submitter: receiver\.test Report-ID: <abc123@receiver\.test>\r$/m,
    );
    assert.match(
      dmarc,
      new RegExp(
        `filename="receiver\\.test!example\\.net!${BEGIN / 1000}!${BEGIN / 1000 + 86_399}!abc123\\.xml\\.gz"`,
      ),
    );
    assert.match(dmarc, /^Content-Type: application\/gzip;/m);
    assert.match(dmarc, /^Auto-Submitted: auto-generated\r$/m);
    const tls = reportMail(await input('tls')).bytes.toString();
    assert.match(
      tls.replaceAll('\r\n ', ' '),
      /^Content-Type: multipart\/report; report-type="tlsrpt"; boundary=/m,
    );
    assert.match(
      tls,
      /^TLS-Report-Domain: example\.net\r\nTLS-Report-Submitter: receiver\.test\r\nTLS-Required: No\r$/m,
    );
    assert.match(tls, /^Content-Type: application\/tlsrpt\+gzip;/m);
    for (const line of (dmarc + tls).split('\r\n')) assert.ok(line.length <= 998 && !/[\r\n]/.test(line));
  });

  it('is not seen in ordinary mail', () => {
    const mail = (...lines: string[]): string => lines.join('\r\n');
    for (const text of [
      mail('Content-Type: text/plain', '', 'Report Domain: x'),
      mail('Content-Type: application/zip; name="holiday.zip"', '', 'x'),
    ])
      assert.equal(findReport(scanMessage(Buffer.from(text)), 'Re: hello'), undefined);
    const bounce = mail(
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
      '',
      '--b',
      'Content-Type: message/delivery-status',
      '',
      'x',
      '--b--',
    );
    assert.equal(findReport(scanMessage(Buffer.from(bounce)), '')?.kind, 'dsn');
    const google = mail(
      'Content-Type: application/zip; name="google.com!example.net!1!2.zip"',
      'Content-Transfer-Encoding: base64',
      '',
      'UEs=',
    );
    assert.equal(findReport(scanMessage(Buffer.from(google)), '')?.kind, 'dmarc');
  });
});

describe('who wants reports', () => {
  const txt = (text: string) => ({ text, chunks: [Buffer.from(text)] });

  it('mailto with size, encoded commas, and what is not used', () => {
    assert.deepEqual(
      reportUris('mailto:a@example.net!10m, mailto:b%2Cc@EXAMPLE.org,https://x.test/r!5', true),
      [
        { scheme: 'mailto', address: 'a@example.net', domain: 'example.net', maxBytes: 10 * 1024 * 1024 },
        { scheme: 'other', uri: 'mailto:b%2Cc@EXAMPLE.org', problem: 'it is no mail address' },
        { scheme: 'other', uri: 'https://x.test/r', problem: 'reports by HTTPS are not sent, only by mail' },
      ],
    );
    assert.equal(reportUris('mailto:a@b.test,'.repeat(50), true).length, 5);
    const [evil] = reportUris('mailto:a%0d%0aBcc:x@b.test', true);
    assert.equal(evil?.scheme, 'other');
    const [quoted] = reportUris('mailto:a@b.test?subject=x', false);
    assert.equal(quoted?.scheme === 'mailto' && quoted.address, 'a@b.test');
  });

  it('the record counts alone, with its version first', () => {
    const rua = 'rua=mailto:d@example.net';
    assert.equal(
      reportRequest([txt(`v=DMARC1; p=none; ${rua}`), txt('v=spf1 -all')], 'DMARC1')?.uris.length,
      1,
    );
    assert.equal(reportRequest([txt(`p=none; v=DMARC1; ${rua}`)], 'DMARC1'), undefined);
    assert.equal(reportRequest([txt(`v=DMARC1; ${rua}`), txt(`v=DMARC1; ${rua}`)], 'DMARC1'), undefined);
    assert.equal(reportRequest([txt('v=DMARC1; p=none')], 'DMARC1'), undefined);
    assert.equal(reportRequest([txt(`v=TLSRPTv1;${rua}`)], 'TLSRPTv1')?.uris.length, 1);
  });

  it('consent of a third party', () => {
    assert.equal(
      consentName('blue.example.com', 'red.example.net'),
      'blue.example.com._report._dmarc.red.example.net',
    );
    assert.equal(
      consentName(`${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.test`, `${'d'.repeat(60)}.test`),
      undefined,
    );
    assert.equal(reportConsent([txt('v=DMARC1')], 'red.test'), 'given');
    assert.equal(reportConsent([txt('v=DMARC1;')], 'red.test'), 'given');
    assert.equal(reportConsent([txt('v=spf1')], 'red.test'), 'none');
    const instead = reportConsent([txt('v=DMARC1; rua=mailto:other@red.test')], 'red.test');
    assert.equal(typeof instead === 'object' && instead.address, 'other@red.test');
    assert.equal(reportConsent([txt('v=DMARC1; rua=mailto:victim@blue.test')], 'red.test'), 'none');
  });
});

describe('complaints', () => {
  it('fields and the message complained about', () => {
    const report =
      'Feedback-Type: Abuse\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <bounce@example.net>\r\nOriginal-Rcpt-To: <user@reporter.test>\r\nOriginal-Rcpt-To: rfc822; two@reporter.test\r\nArrival-Date: Thu, 8 Mar 2029 14:00:00 -0500\r\nReported-Domain: Example.NET\r\nSource-IP: [192.0.2.1]\r\nIncidents: 3\r\n';
    const original =
      'From: "A" <Alice@example.net>\r\nSubject: Offers\r\n for you\r\nMessage-ID: <1@example.net>\r\nList-Unsubscribe: <https://x.test>\r\nFeedback-ID: 7:list\r\n\r\nbody';
    assert.deepEqual(parseComplaint(Buffer.from(report), Buffer.from(original)), {
      type: 'abuse',
      userAgent: 'SomeGenerator/1.0',
      incidents: 3,
      originalMailFrom: 'bounce@example.net',
      originalRcptTo: ['user@reporter.test', 'two@reporter.test'],
      reportedDomains: ['example.net'],
      sourceIp: '192.0.2.1',
      arrivedAt: Date.UTC(2029, 2, 8, 19),
      original: {
        messageId: '1@example.net',
        from: ['alice@example.net'],
        subject: 'Offers for you',
        listUnsubscribe: true,
        listId: '',
        feedbackId: '7:list',
      },
    });
  });

  it('unknown types are "other", without one it is none; a part cut off still says something', () => {
    assert.equal(parseComplaint(Buffer.from('Feedback-Type: opt-out-list'), Buffer.alloc(0))?.type, 'other');
    assert.equal(
      parseComplaint(Buffer.from('Feedback-Type: auth-failure\r\nAuth-Failure: dmarc'), Buffer.alloc(0))
        ?.type,
      'auth-failure',
    );
    assert.equal(parseComplaint(Buffer.from('User-Agent: x'), Buffer.alloc(0)), undefined);
    assert.equal(parseComplaint(Buffer.alloc(0), Buffer.alloc(0)), undefined);
  });

  it('is found with the returned message', () => {
    const mail =
      'Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@x>\r\n\r\nhi\r\n--b--\r\n';
    const found = findReport(scanMessage(Buffer.from(mail)), 'FW: Earn money');
    assert.ok(found?.kind === 'arf' && found.original !== undefined);
    assert.match(mail.slice(found.part.start, found.part.end), /^Feedback-Type: abuse/);
    assert.match(mail.slice(found.original.start, found.original.end), /^Message-ID: <1@x>/);
  });
});
