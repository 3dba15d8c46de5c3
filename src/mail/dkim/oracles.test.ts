import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Dns } from '../dns.ts';
import { createBodyHasher } from './body-hash.ts';
import { generateKeyPair, keyRecordText, readPrivateKey } from './keys.ts';
import { signAll } from './sign.ts';
import { verify } from './verify.ts';

/** What we sign must verify with the implementations of others, on real mail. */
const shared = process.env.POSTERN_CORPUS ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const corpus = join(shared, 'corpus', 'mail.tar.xz');
const MESSAGES = 200;
const NOW = 1_700_000_000_000;

interface Signed {
  readonly name: string;
  readonly header: Buffer;
  readonly body: Buffer;
}

/** Real messages, spread over the corpus, with CRLF line ends and without mbox "From " lines. */
function corpusMessages(folder: string): Signed[] {
  const names = execFileSync('tar', ['-tJf', corpus], { encoding: 'utf8' })
    .split('\n')
    .filter((n) => /[^/]$/.test(n));
  const step = Math.floor(names.length / MESSAGES);
  const chosen = names.filter((_, i) => i % step === 0).slice(0, MESSAGES);
  execFileSync('tar', ['-xJf', corpus, '-C', folder, ...chosen]);
  return chosen.flatMap((name) => {
    const text = readFileSync(join(folder, name), 'latin1').replace(/^From .*\n/, '');
    const wire = text.replace(/\r?\n/g, '\r\n');
    const end = wire.indexOf('\r\n\r\n');
    if (end < 0 || !/^From:/im.test(wire.slice(0, end))) return [];
    return [
      {
        name,
        header: Buffer.from(wire.slice(0, end + 2), 'latin1'),
        body: Buffer.from(wire.slice(end + 4), 'latin1'),
      },
    ];
  });
}

const invented: Signed[] = [
  ['empty body', 'From: a@example.org\r\n', ''],
  ['blank lines only', 'From: a@example.org\r\nSubject:\r\n', '\r\n \r\n\t\r\n'],
  ['no line end', 'From: a@example.org\r\nSubject: \t x\r\n', 'last line'],
  [
    'spaces',
    'FROM:\r\n a@example.org\r\nSubject:  a \t b\r\n\t c  \r\nTo:\r\n',
    ' lead\r\ntail \t\r\n  \r\nx\r\n\r\n',
  ],
  [
    'twice',
    'To: a@example.org\r\nTo: b@example.org\r\nFrom: a@example.org\r\nFrom: b@example.org\r\n',
    'x\r\n',
  ],
  ['8 bit', 'From: J\u00f6rg <a@example.org>\r\nSubject: \u00e4\u00f6\u00fc\r\n', '\u00e4\u00f6\u00fc\r\n'],
].map(([name = '', header = '', body = '']) => ({
  name,
  header: Buffer.from(header),
  body: Buffer.from(body),
}));

const PYTHON = `
import sys, os, dkim
keys = dict(line.split('\\t', 1) for line in open(sys.argv[1]).read().splitlines())
for name in sorted(os.listdir(sys.argv[2])):
    message = open(os.path.join(sys.argv[2], name), 'rb').read()
    def txt(name, timeout=5):
        return keys.get((name.decode() if isinstance(name, bytes) else name).rstrip('.'), '').encode() or None
    out = []
    for i in range(2):
        try: out.append('pass' if dkim.DKIM(message).verify(idx=i, dnsfunc=txt) else 'fail')
        except Exception as e: out.append(repr(e))
    print(name, *out)
`;

/** Its 2023 release knows no Ed25519, so it is shown the RSA signature only. */
const PERL = `
use strict; use warnings; use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::RR;
open(my $k, '<', $ARGV[0]) or die; my %keys = map { chomp; split(/\\t/, $_, 2) } <$k>;
{ no warnings 'redefine';
  *Mail::DKIM::DNS::query = sub { my ($name) = @_; return () unless $keys{$name};
    return (Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [$keys{$name} =~ /(.{1,255})/g])); }; }
opendir(my $d, $ARGV[1]) or die;
for my $name (sort grep { !/^\\./ } readdir $d) {
  my $v = Mail::DKIM::Verifier->new(); local $/; open(my $f, '<:raw', "$ARGV[1]/$name") or die; my $m = <$f>;
  $v->PRINT($m); $v->CLOSE;
  my ($rsa) = grep { $_->algorithm eq 'rsa-sha256' } $v->signatures;
  print "$name ", ($rsa ? $rsa->result_detail : 'unsigned'), "\\n";
}
`;

function available(command: string, args: string[]): string | false {
  return spawnSync(command, args).status === 0 ? false : `${command} ${args.join(' ')} does not work here`;
}

const python = '/usr/bin/python3';
const noPython = available(python, ['-c', 'import dkim, nacl']);
const noPerl = available('perl', ['-MMail::DKIM::Verifier', '-MNet::DNS::RR', '-e', '1']);

interface MailauthSigner {
  dkimSign(
    message: Buffer,
    options: {
      canonicalization: string;
      signatureData: { signingDomain: string; selector: string; privateKey: string }[];
    },
  ): Promise<{ signatures: string; errors: unknown[] }>;
}

interface Mailauth {
  dkimVerify(
    message: Buffer,
    options: { resolver: (name: string) => Promise<string[][]> },
  ): Promise<{ results: { status: { result: string; comment?: string } }[] }>;
}

describe('what we sign verifies elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-dkim-'));
  const keyFile = join(folder, 'keys');
  const signed = join(folder, 'signed');
  const records = new Map<string, string>();
  const messages: Signed[] = [];

  const resolver = async (name: string): Promise<string[][]> => [[records.get(name) ?? '']];
  const dns: Dns = {
    async query(name) {
      const text = records.get(name);
      if (text === undefined) return { status: 'nxdomain' };
      return { status: 'ok', records: [{ text, chunks: [] }], ttl: 60, authenticated: false } as never;
    },
  };
  let rsaPem = '';

  before(async () => {
    execFileSync('mkdir', [signed]);
    const pairs = await Promise.all([generateKeyPair('rsa-sha256'), generateKeyPair('ed25519-sha256')]);
    rsaPem = pairs[0].privatePem;
    const keys = pairs.map((pair, i) => {
      records.set(`s${i}._domainkey.example.org`, keyRecordText(pair));
      const key = readPrivateKey(pair.privatePem, pair.algorithm);
      return { domain: 'example.org', selector: `s${i}`, key, algorithm: pair.algorithm };
    });
    writeFileSync(keyFile, [...records].map((entry) => entry.join('\t')).join('\n'));
    for (const message of [...invented, ...(existsSync(corpus) ? corpusMessages(folder) : [])]) {
      const hasher = createBodyHasher('relaxed');
      hasher.update(message.body);
      const field = await signAll({ header: message.header, bodyHash: hasher.digest(), nowMs: NOW, keys });
      messages.push({ ...message, header: Buffer.concat([field, message.header]) });
    }
    messages.forEach(({ header, body }, i) => {
      writeFileSync(
        join(signed, String(i).padStart(4, '0')),
        Buffer.concat([header, Buffer.from('\r\n'), body]),
      );
    });
  });
  after(() => rmSync(folder, { recursive: true }));

  test('here', async () => {
    for (const { name, header, body } of messages) {
      const { results } = await verify({ header, body, dns, nowMs: NOW });
      assert.deepEqual(
        results.map((r) => r.status),
        ['pass', 'pass'],
        name,
      );
    }
  });

  test('with mailauth', async () => {
    const { dkimVerify } = createRequire(import.meta.url)('mailauth/lib/dkim/verify.js') as Mailauth;
    for (const { name, header, body } of messages) {
      const { results } = await dkimVerify(Buffer.concat([header, Buffer.from('\r\n'), body]), { resolver });
      assert.deepEqual(
        results.slice(0, 2).map((r) => r.status.result),
        ['pass', 'pass'],
        name,
      );
    }
  });

  test('and what mailauth signs verifies here, in every canonicalization', async () => {
    const { dkimSign } = createRequire(import.meta.url)('mailauth/lib/dkim/sign.js') as MailauthSigner;
    const signatureData = [{ signingDomain: 'example.org', selector: 's0', privateKey: rsaPem }];
    for (const [i, { name, header, body }] of messages.entries()) {
      const canonicalization =
        ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'][i % 4] ?? '';
      const message = Buffer.concat([header, Buffer.from('\r\n'), body]);
      const { signatures, errors } = await dkimSign(message, { canonicalization, signatureData });
      assert.deepEqual(errors, []);
      const report = await verify({
        header: Buffer.concat([Buffer.from(signatures), header]),
        body,
        dns,
        nowMs: NOW,
      });
      assert.deepEqual(
        report.results.map((r) => r.status),
        ['pass', 'pass', 'pass'],
        `${name} ${canonicalization}`,
      );
    }
  });

  const verdicts = (t: TestContext, by: string, command: string, args: string[]): void => {
    const lines = execFileSync(command, [...args, keyFile, signed], { encoding: 'utf8' })
      .trim()
      .split('\n');
    assert.equal(lines.length, messages.length);
    const wrong = lines.flatMap((line, i) => {
      const ok = line
        .split(' ')
        .slice(1)
        .every((verdict) => verdict === 'pass');
      return ok ? [] : `${line}: ${messages[i]?.name}`;
    });
    t.diagnostic(
      `report: DKIM: ${lines.length - wrong.length} of ${lines.length} messages signed here verify with ${by}`,
    );
    assert.deepEqual(wrong, []);
  };

  test('with dkimpy', { skip: noPython }, (t) => verdicts(t, 'dkimpy', python, ['-c', PYTHON]));

  test('with Mail::DKIM', { skip: noPerl }, (t) => verdicts(t, 'Mail::DKIM', 'perl', ['-e', PERL]));

  test('on real mail', { skip: existsSync(corpus) ? false : `${corpus} is not there` }, () => {
    assert.ok(
      messages.length - invented.length >= MESSAGES - 10,
      `only ${messages.length} messages were signed`,
    );
    assert.ok(readdirSync(signed).length === messages.length);
  });
});
