import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Authorities, checkSmime, openSmime, readCertificates } from './smime.ts';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl';
const PART = 'Content-Type: text/plain\r\n\r\nPay Ann 10.\r\n';
const DAY = 86_400_000;
const LEAF =
  'keyUsage=digitalSignature\nextendedKeyUsage=emailProtection\nsubjectAltName=email:Ann@A.example\n';

/** Certificates as people and authorities have them: a root, one between, and those of people. */
const MADE: readonly (readonly [
  name: string,
  by: string,
  key: readonly string[],
  extensions: string,
  days?: number,
])[] = [
  ['root', '', ['rsa:2048'], 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'],
  [
    'between',
    'root',
    ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n',
  ],
  ['rsa', 'between', ['rsa:2048'], LEAF],
  ['ec', 'between', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], LEAF],
  [
    'web',
    'between',
    ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    LEAF.replace('emailProtection', 'serverAuth'),
  ],
  ['weak', 'between', ['rsa:1024'], LEAF],
  ['short', 'between', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], LEAF, 2],
  // Signed by somebody who is no authority.
  ['below', 'rsa', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], LEAF],
  ['fake', '', ['rsa:2048'], 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'],
  ['faked', 'fake', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], LEAF],
  ['self', '', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], LEAF],
];

describe('S/MIME signatures made by OpenSSL', { skip }, () => {
  let home: string;
  let root: Uint8Array<ArrayBuffer>;
  let authorities: Authorities;
  const none: Authorities = () => Promise.resolve([]);
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: home, stdio: ['ignore', 'ignore', 'pipe'] });
  const file = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(home, name)));

  before(() => {
    home = mkdtempSync(join(tmpdir(), 'smime-'));
    writeFileSync(join(home, 'part'), PART);
    for (const [name, by, key, extensions, days = 100] of MADE) {
      writeFileSync(join(home, 'ext'), extensions);
      // The false root has the name of the true one.
      const subject = `/CN=${name === 'fake' ? 'root' : name}/O=Test`;
      openssl(
        'req',
        '-new',
        '-nodes',
        '-newkey',
        ...key,
        '-keyout',
        `${name}.key`,
        '-out',
        'csr',
        '-subj',
        subject,
      );
      const signing =
        by === ''
          ? ['-signkey', `${name}.key`]
          : ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial'];
      openssl(
        'x509',
        '-req',
        '-in',
        'csr',
        ...signing,
        '-out',
        `${name}.crt`,
        '-days',
        String(days),
        '-sha256',
        '-extfile',
        'ext',
      );
    }
    openssl('x509', '-in', 'root.crt', '-outform', 'DER', '-out', 'root.der');
    root = file('root.der');
    authorities = () => Promise.resolve([root]);
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  const sign = (name: string, ...more: string[]): Uint8Array<ArrayBuffer> => {
    openssl(
      'cms',
      '-sign',
      '-binary',
      '-in',
      'part',
      '-signer',
      `${name}.crt`,
      '-inkey',
      `${name}.key`,
      '-certfile',
      'between.crt',
      '-outform',
      'DER',
      '-out',
      'sig',
      '-md',
      'sha256',
      ...more,
    );
    return file('sig');
  };
  const content = (text = PART) => new Uint8Array(Buffer.from(text));
  const check = async (
    signature: Uint8Array,
    who: Authorities = authorities,
    text = PART,
    at = Date.now(),
  ) => {
    const [found] = await checkSmime(signature, content(text), at, who);
    if (found === undefined) return 'none';
    if (found.state === 'good') return found.signer.authority === true ? 'good by authority' : 'good';
    return found.state === 'old' ? found.reason : found.state;
  };

  for (const [how, more] of [
    ['SHA-256', []],
    ['SHA-512', ['-md', 'sha512']],
    ['a key id', ['-keyid']],
    ['no attributes', ['-noattr']],
  ] as const)
    for (const name of ['rsa', 'ec'])
      it(`of ${name} with ${how} are good, by an authority, and broken by any change`, async () => {
        const signature = sign(name, ...more);
        assert.equal(await check(signature), 'good by authority');
        assert.equal(await check(signature, none), 'good');
        assert.equal(await check(signature, authorities, PART.replace('10', '99')), 'broken');
        assert.equal(await check(signature, authorities, PART.replace('plain', 'html')), 'broken');
      });

  it('with PSS are checked', async () => {
    const signature = sign('rsa', '-keyopt', 'rsa_padding_mode:pss');
    assert.equal(await check(signature), 'good by authority');
    assert.equal(await check(signature, authorities, `${PART}x`), 'broken');
  });

  it('say whose they are', async () => {
    const [found] = await checkSmime(sign('ec'), content(), Date.now(), authorities);
    assert.ok(found?.state === 'good');
    const { signer, at } = found;
    openssl('x509', '-in', 'ec.crt', '-outform', 'DER', '-out', 'ec.der');
    assert.deepEqual(Buffer.from(signer.octets), readFileSync(join(home, 'ec.der')));
    assert.deepEqual(
      [signer.name, signer.addresses, signer.issuer, signer.selfSigned],
      ['ec', ['ann@a.example'], 'between', false],
    );
    assert.ok(Math.abs((at ?? 0) - Date.now()) < 60_000);
    const [read] = await readCertificates(file('ec.crt'));
    assert.equal(read?.fingerprint, signer.fingerprint);
    assert.deepEqual(await readCertificates(content('nothing')), []);
  });

  it('by nobody whom an authority stands behind are good, and no more', async () => {
    assert.equal(await check(sign('self')), 'good');
    // The false root has the true one's name, comes along, and is not believed.
    assert.equal(await check(sign('faked', '-certfile', 'fake.crt')), 'good');
    // A person's certificate is no authority's.
    assert.equal(await check(sign('below', '-certfile', 'rsa.crt')), 'good');
  });

  it('by a certificate that was not valid then, is too weak, or is for something else are worth nothing', async () => {
    const signature = sign('short');
    assert.equal(await check(signature), 'good by authority');
    assert.equal(await check(signature, authorities, PART, Date.now() + 5 * DAY), 'expired');
    assert.equal(await check(signature, authorities, PART, Date.now() - 5 * DAY), 'expired');
    assert.equal(await check(sign('weak')), 'weak');
    assert.equal(await check(sign('web')), 'purpose');
    assert.equal(await check(sign('rsa', '-md', 'sha1')), 'hash');
  });

  it('are not called unknown when the server cannot be asked', async () => {
    const failing: Authorities = () => Promise.reject(new Error('offline'));
    await assert.rejects(check(sign('ec'), failing), /could not be asked/);
  });

  it('without a certificate are unknown; certificates alone are no signature', async () => {
    assert.equal(await check(sign('ec', '-nocerts')), 'unknown');
    openssl('crl2pkcs7', '-nocrl', '-certfile', 'ec.crt', '-outform', 'DER', '-out', 'certs');
    assert.equal(await check(file('certs')), 'none');
  });

  it('with a content of their own say nothing of what is shown beside them', async () => {
    assert.equal(await check(sign('ec', '-nodetach')), 'none');
  });

  it('over other kinds of content are none over mail', async () => {
    assert.equal(await check(sign('ec', '-econtent_type', '1.2.840.113549.1.9.16.1.4')), 'none');
  });

  it('that are forged or cut are never taken for good', async () => {
    const signature = sign('ec');
    for (let i = 0; i < signature.length; i += 11) {
      const forged = signature.slice();
      forged[i] = (forged[i] ?? 0) ^ 0x55;
      assert.doesNotMatch(await check(forged, authorities, 'x'), /good/);
    }
    for (let length = 0; length < signature.length; length += 67)
      assert.doesNotMatch(await check(signature.slice(0, length)), /good/);
  });

  it('with authorities that vouch for each other come to an end', async () => {
    // Two that have issued each other: the way to a root is a circle.
    for (const [a, b] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const) {
      writeFileSync(join(home, 'ext'), 'basicConstraints=critical,CA:TRUE\n');
      for (const each of [a, b])
        if (spawnSync('test', ['-f', join(home, `${each}.key`)]).status !== 0)
          openssl(
            'req',
            '-x509',
            '-new',
            '-nodes',
            '-newkey',
            'rsa:2048',
            '-keyout',
            `${each}.key`,
            '-out',
            `${each}.self`,
            '-subj',
            `/CN=${each}`,
          );
      openssl('x509', '-x509toreq', '-in', `${a}.self`, '-signkey', `${a}.key`, '-out', 'csr');
      openssl(
        'x509',
        '-req',
        '-in',
        'csr',
        '-CA',
        `${b}.self`,
        '-CAkey',
        `${b}.key`,
        '-CAcreateserial',
        '-out',
        `${a}.crt`,
        '-extfile',
        'ext',
      );
    }
    writeFileSync(join(home, 'ext'), LEAF);
    openssl(
      'req',
      '-new',
      '-nodes',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-keyout',
      'circle.key',
      '-out',
      'csr',
      '-subj',
      '/CN=circle',
    );
    openssl(
      'x509',
      '-req',
      '-in',
      'csr',
      '-CA',
      'one.crt',
      '-CAkey',
      'one.key',
      '-CAcreateserial',
      '-out',
      'circle.crt',
      '-extfile',
      'ext',
    );
    writeFileSync(join(home, 'both'), Buffer.concat([file('one.crt'), file('two.crt')]));
    assert.equal(await check(sign('circle', '-certfile', 'both')), 'good');
  });

  describe('with the message in them', () => {
    const open = async (octets: Uint8Array) => {
      const found = await openSmime(octets, Date.now(), authorities);
      if (found.kind !== 'signed') return found.kind;
      return [Buffer.from(found.content).toString(), ...found.checks.map(({ state }) => state)];
    };

    it('are opened and checked, also in pieces without lengths (BER), as mail programs write them', async () => {
      assert.deepEqual(await open(sign('ec', '-nodetach')), [PART, 'good']);
      assert.deepEqual(await open(sign('rsa', '-nodetach', '-stream')), [PART, 'good']);
      const changed = Buffer.from(sign('ec', '-nodetach'));
      changed[changed.indexOf('Pay Ann 10')] = 0x70;
      assert.deepEqual(await open(new Uint8Array(changed)), [PART.replace('Pay', 'pay'), 'broken']);
    });

    it('that are encrypted, or something else, are told from those', async () => {
      openssl('cms', '-encrypt', '-in', 'part', '-outform', 'DER', '-out', 'sealed', '-aes256', 'rsa.crt');
      assert.equal(await open(file('sealed')), 'enveloped');
      assert.equal(await open(content('no CMS')), 'other');
      assert.equal(await open(sign('ec')), 'other');
    });
  });
});
