import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Dns } from '../dns.ts';
import { type DkimKeyPair, generateKeyPair, keyRecordText, readPrivateKey } from './keys.ts';
import { type DkimResult, verify } from './verify.ts';

/** What dkimpy and Mail::DKIM sign verifies here; what both reject of damaged messages, we reject. */
const python = '/usr/bin/python3';
const missing = (command: string, args: string[], what: string): string | false =>
  spawnSync(command, args).status === 0 ? false : `${what} is not here`;
const noPython = missing(python, ['-c', 'import dkim, nacl'], 'dkimpy');
const noPerl = missing('perl', ['-MMail::DKIM::Signer', '-MNet::DNS::RR', '-e', '1'], 'Mail::DKIM');

const COMBINATIONS = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'];

/** Signs each message in every canonicalisation with both algorithms, and once with l= over the whole body. */
const PYTHON_SIGN = `
import sys, os, dkim, base64
folder, out, rsa, ed = sys.argv[1:5]
rsa = open(rsa, 'rb').read()
ed = open(ed, 'rb').read()
for name in sorted(os.listdir(folder)):
    m = open(os.path.join(folder, name), 'rb').read()
    for c in '${COMBINATIONS.join(' ')}'.split():
        for alg, key in ((b'rsa-sha256', rsa), (b'ed25519-sha256', ed)):
            pair = tuple(p.encode() for p in c.split('/'))
            for length in (False, True):
                s = dkim.sign(m, b's-' + alg, b'example.org', key, canonicalize=pair, signature_algorithm=alg, length=length)
                f = '-'.join((name, c.replace('/', '_'), alg.decode(), 'l' if length else ''))
                open(os.path.join(out, f), 'wb').write(s + m)
`;

/** One signature for each line of the file: selector, identity. */
const PYTHON_IDENTITIES = `
import sys, os, dkim
lines, out, rsa = sys.argv[1:4]
rsa = open(rsa, 'rb').read()
m = open(sys.argv[4], 'rb').read()
for i, line in enumerate(open(lines).read().splitlines()):
    selector, identity = line.split()
    s = dkim.sign(m, selector.encode(), b'example.org', rsa, identity=identity.encode())
    open(os.path.join(out, '%04d' % i), 'wb').write(s + m)
`;

/** Key records, and whether a signature with i= at d= and one with i= below d= pass. */
const KEY_RECORDS: readonly (readonly [tags: string, own: boolean, below: boolean])[] = [
  ['v=DKIM1; k=rsa', true, true],
  ['', true, true],
  ['t=s', true, false],
  ['t=y', true, true],
  ['t=y:s', true, false],
  ['t=x:s', true, false],
  ['h=sha256', true, true],
  ['h=sha1:sha256', true, true],
  ['h=sha1', false, false],
  ['s=email', true, true],
  ['s=*', true, true],
  ['s=other:email', true, true],
  ['s=other', false, false],
  ['k=ed25519', false, false],
  ['v=DKIM2', false, false],
  ['n=note; x=unknown', true, true],
];

const PERL_SIGN = `
use strict; use warnings; use Mail::DKIM::Signer;
my ($folder, $out, $rsa) = @ARGV;
opendir(my $d, $folder) or die;
for my $name (sort grep { !/^\\./ } readdir $d) {
  my $m = do { local $/; open(my $f, '<:raw', "$folder/$name") or die; <$f> };
  next if $m !~ /\\r\\n$/; # it does not add the missing line end that RFC 6376 section 3.4.3 asks for
  for my $c (qw(${COMBINATIONS.join(' ')})) {
    my $s = Mail::DKIM::Signer->new(Algorithm => 'rsa-sha256', Method => $c, Domain => 'example.org', Selector => 's-rsa-sha256', KeyFile => $rsa);
    $s->PRINT($m); $s->CLOSE;
    (my $n = $c) =~ tr,/,_,;
    open(my $o, '>:raw', "$out/$name-$n") or die;
    my $h = $s->signature->as_string; print $o "$h\\r\\n$m"; close $o;
  }
}
`;

const PYTHON_VERIFY = `
import sys, os, dkim
keys = dict(line.split('\\t', 1) for line in open(sys.argv[1]).read().splitlines())
def txt(name, timeout=5): return keys.get((name.decode() if isinstance(name, bytes) else name).rstrip('.'), '').encode() or None
for name in sorted(os.listdir(sys.argv[2])):
    try: ok = dkim.verify(open(os.path.join(sys.argv[2], name), 'rb').read(), dnsfunc=txt)
    except Exception: ok = False
    print('pass' if ok else 'fail')
`;

const PERL_VERIFY = `
use strict; use warnings; use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::RR;
open(my $k, '<', $ARGV[0]) or die; my %keys = map { chomp; split(/\\t/, $_, 2) } <$k>;
{ no warnings 'redefine';
  *Mail::DKIM::DNS::query = sub { my ($name) = @_; return () unless $keys{$name};
    return (Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [$keys{$name} =~ /(.{1,255})/g])); }; }
opendir(my $d, $ARGV[1]) or die;
for my $name (sort grep { !/^\\./ } readdir $d) {
  my $v = Mail::DKIM::Verifier->new(); local $/; open(my $f, '<:raw', "$ARGV[1]/$name") or die; my $m = <$f>;
  my $r = eval { $v->PRINT($m); $v->CLOSE; $v->result } || 'invalid';
  print $r eq 'pass' ? "pass\\n" : "fail\\n";
}
`;

const HEADER =
  'From: Ann <ann@example.org>\r\nTo:  bob@example.net\r\nSubject: a\r\n\tfolded  line \r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n';
const BODIES = [
  '',
  '\r\n',
  'one line\r\n',
  ' lead\r\ntail \t\r\n\t \r\nx\r\n\r\n\r\n',
  'no end',
  '\r\n\r\n x \r\n',
];

describe('signers and verifiers of others', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-signers-'));
  const at = (name: string): string => join(folder, name);
  const records = new Map<string, string>();
  const dns: Dns = {
    async query(name) {
      const text = records.get(name);
      if (text === undefined) return { status: 'nxdomain' };
      return { status: 'ok', records: [{ text, chunks: [] }], ttl: 60, authenticated: false } as never;
    },
  };

  before(async () => {
    for (const name of ['plain', 'python', 'perl', 'damaged']) mkdirSync(at(name));
    BODIES.forEach((body, i) => {
      writeFileSync(at(`plain/${i}`), `${HEADER}\r\n${body}`);
    });
    const pairs: DkimKeyPair[] = [
      await generateKeyPair('rsa-sha256'),
      await generateKeyPair('ed25519-sha256'),
    ];
    for (const pair of pairs) records.set(`s-${pair.algorithm}._domainkey.example.org`, keyRecordText(pair));
    const [rsa, ed] = pairs;
    assert.ok(rsa && ed);
    // Both want PKCS #1, dkimpy the bare octets of Ed25519.
    writeFileSync(
      at('rsa.pem'),
      readPrivateKey(rsa.privatePem, rsa.algorithm).export({ type: 'pkcs1', format: 'pem' }),
    );
    const seed = readPrivateKey(ed.privatePem, ed.algorithm)
      .export({ type: 'pkcs8', format: 'der' })
      .subarray(-32);
    writeFileSync(at('ed.key'), seed.toString('base64'));
    writeFileSync(at('keys'), [...records].map((entry) => entry.join('\t')).join('\n'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function check(message: Buffer): Promise<DkimResult> {
    const end = message.indexOf('\r\n\r\n');
    const header = message.subarray(0, end + 2);
    const { results } = await verify({ header, body: message.subarray(end + 4), dns, nowMs: Date.now() });
    assert.ok(results[0]);
    return results[0];
  }

  async function allPass(from: string): Promise<number> {
    const names = readdirSync(at(from)).toSorted();
    for (const name of names) {
      const { status, reason } = await check(readFileSync(at(`${from}/${name}`)));
      assert.equal(status, 'pass', `${from}/${name}: ${reason}`);
    }
    return names.length;
  }

  test('what dkimpy signs verifies, in every canonicalisation and algorithm', {
    skip: noPython,
  }, async (t) => {
    execFileSync(python, ['-c', PYTHON_SIGN, at('plain'), at('python'), at('rsa.pem'), at('ed.key')]);
    const count = await allPass('python');
    t.diagnostic(`report: DKIM: ${count} of ${count} signatures of dkimpy verify here`);
    assert.equal(count, BODIES.length * COMBINATIONS.length * 2 * 2);
  });

  test('what Mail::DKIM signs verifies, in every canonicalisation', { skip: noPerl }, async (t) => {
    execFileSync('perl', ['-e', PERL_SIGN, at('plain'), at('perl'), at('rsa.pem')]);
    const count = await allPass('perl');
    t.diagnostic(`report: DKIM: ${count} of ${count} signatures of Mail::DKIM verify here`);
    assert.equal(count, BODIES.filter((body) => body !== 'no end').length * COMBINATIONS.length);
  });

  test('keys with t=, h=, s=, k= and v= are judged as both do', { skip: noPython || noPerl }, async (t) => {
    const key = records.get('s-rsa-sha256._domainkey.example.org')?.replace(/^.*p=/, 'p=') ?? '';
    const cases = KEY_RECORDS.flatMap(([tags, own, below], i) => {
      records.set(`k${i}._domainkey.example.org`, tags === '' ? key : `${tags}; ${key}`);
      return [
        { line: `k${i} @example.org`, wanted: own, tags },
        { line: `k${i} ann@sub.example.org`, wanted: below, tags },
      ];
    });
    mkdirSync(at('identities'));
    writeFileSync(at('lines'), cases.map(({ line }) => line).join('\n'));
    writeFileSync(at('more-keys'), [...records].map((entry) => entry.join('\t')).join('\n'));
    const args = [at('lines'), at('identities'), at('rsa.pem'), at('plain/2')];
    execFileSync(python, ['-c', PYTHON_IDENTITIES, ...args]);
    const others = [
      execFileSync(python, ['-c', PYTHON_VERIFY, at('more-keys'), at('identities')]),
      execFileSync('perl', ['-e', PERL_VERIFY, at('more-keys'), at('identities')]),
    ].map((out) => out.toString().trim().split('\n'));
    let alike = 0;
    for (const [i, { line, tags, wanted }] of cases.entries()) {
      const { status, reason } = await check(readFileSync(at(`identities/${String(i).padStart(4, '0')}`)));
      assert.equal(status === 'pass', wanted, `${tags}, ${line}: ${reason}`);
      const verdicts = others.map((list) => list[i] === 'pass');
      assert.ok(verdicts.includes(wanted), `${tags}, ${line}: both say otherwise`);
      if (verdicts.every((verdict) => verdict === wanted)) alike++;
    }
    t.diagnostic(
      `report: DKIM: ${cases.length} of ${cases.length} keys and identities judged as wanted, ${alike} so by both dkimpy and Mail::DKIM`,
    );
  });

  test('of damaged messages we accept none that both reject, and reject none that both accept', {
    skip: noPython || noPerl,
  }, async (t) => {
    const sources = readdirSync(at('python'))
      .filter((name) => name.includes('rsa') && !name.endsWith('l'))
      .toSorted();
    let seed = 11;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    const inserts = [' ', '\t', '\r\n', '\r\n ', 'x', ';', '=', '\r', '\n', '\0'];
    const messages: Buffer[] = [];
    for (let i = 0; i < 240; i++) {
      const source = readFileSync(at(`python/${sources[i % sources.length]}`));
      const where = random(source.length);
      const damaged =
        i % 3 === 0
          ? Buffer.concat([source.subarray(0, where), source.subarray(where + 1)])
          : Buffer.concat([
              source.subarray(0, where),
              Buffer.from(inserts[random(inserts.length)] ?? ''),
              source.subarray(where),
            ]);
      messages.push(damaged);
      writeFileSync(at(`damaged/${String(i).padStart(4, '0')}`), damaged);
    }
    const others = [
      execFileSync(python, ['-c', PYTHON_VERIFY, at('keys'), at('damaged')]),
      execFileSync('perl', ['-e', PERL_VERIFY, at('keys'), at('damaged')]),
    ].map((out) => out.toString().trim().split('\n'));
    const wrong: string[] = [];
    let both = 0;
    for (const [i, message] of messages.entries()) {
      const [a, b] = others.map((list) => list[i]);
      if (a !== b) continue;
      both++;
      const { status, reason } = await check(message);
      if ((status === 'pass') !== (a === 'pass')) wrong.push(`${i}: both say ${a}, we ${status}: ${reason}`);
    }
    t.diagnostic(
      `report: DKIM: ${both - wrong.length} of ${both} damaged messages, judged alike by dkimpy and Mail::DKIM, judged so here`,
    );
    assert.deepEqual(wrong, []);
  });
});
