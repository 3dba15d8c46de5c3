import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkSignature, signedPart } from './cms.ts';

let skip: string | false = false;
try {
  execFileSync('openssl', ['version']);
} catch {
  skip = 'there is no openssl';
}

const KEYS = {
  rsa: ['-newkey', 'rsa:2048'],
  ec256: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ec384: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
} as const;
const PART = 'Content-Type: text/plain\r\n\r\nPay Ann 10.\r\n';
const bytes = (text: string | Buffer) => new Uint8Array(Buffer.from(text as string));

describe('S/MIME signatures', { skip }, () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cms-'));
    writeFileSync(join(directory, 'part'), PART);
    for (const [name, how] of Object.entries(KEYS))
      openssl(
        'req',
        '-x509',
        '-nodes',
        ...how,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.crt`,
        '-days',
        '30',
        '-subj',
        '/CN=Ann Smith/O=Else',
        '-addext',
        'subjectAltName=email:Ann@else.test',
      );
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  }
  function sign(key: string, ...more: string[]): Uint8Array<ArrayBuffer> {
    openssl(
      'cms',
      '-sign',
      '-binary',
      '-in',
      'part',
      '-signer',
      `${key}.crt`,
      '-inkey',
      `${key}.key`,
      '-outform',
      'DER',
      '-out',
      'sig',
      ...more,
    );
    return bytes(readFileSync(join(directory, 'sig')));
  }

  for (const key of Object.keys(KEYS))
    for (const [how, more] of [
      ['SHA-256', ['-md', 'sha256']],
      ['SHA-512', ['-md', 'sha512']],
      ['a key id', ['-md', 'sha256', '-keyid']],
    ] as const)
      it(`of ${key} with ${how} are checked`, async () => {
        const signature = sign(key, ...more);
        const good = await checkSignature(signature, bytes(PART));
        assert.equal(good.state, 'fits');
        assert.ok(good.state === 'fits');
        assert.deepEqual(good.signer.addresses, ['ann@else.test']);
        assert.equal(good.signer.name, 'Ann Smith');
        assert.equal(good.signer.selfSigned, true);
        assert.equal((await checkSignature(signature, bytes(PART.replace('10', '99')))).state, 'broken');
      });

  it('with PSS are checked', async () => {
    const signature = sign('rsa', '-md', 'sha256', '-keyopt', 'rsa_padding_mode:pss');
    assert.equal((await checkSignature(signature, bytes(PART))).state, 'fits');
    assert.equal((await checkSignature(signature, bytes(`${PART}x`))).state, 'broken');
  });

  it('that are forged, weak or broken are never taken for good', async () => {
    assert.equal((await checkSignature(sign('rsa', '-md', 'sha1'), bytes(PART))).state, 'unchecked');
    const signature = sign('ec256', '-md', 'sha256');
    for (let i = 0; i < signature.length; i += 7) {
      const forged = signature.slice();
      forged[i] = (forged[i] ?? 0) ^ 0x55;
      const found = await checkSignature(forged, bytes(PART));
      // Only what the signature does not cover may differ: the certificate's own signature, say.
      if (found.state === 'fits')
        assert.deepEqual((await checkSignature(forged, bytes('x'))).state, 'broken');
    }
    for (let length = 0; length < signature.length; length += 13)
      assert.notEqual((await checkSignature(signature.slice(0, length), bytes(PART))).state, 'fits');
  });

  it('cover the first part as it stands', () => {
    const message = `From: a\r\nContent-Type: multipart/signed; micalg=x;\r\n boundary="b b"\r\n\r\npreamble\r\n--b b\r\n${PART}\r\n--b b\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--b b--\r\n`;
    assert.equal(Buffer.from(signedPart(bytes(message)) ?? []).toString(), PART);
    assert.equal(signedPart(bytes('From: a\r\n\r\nx')), undefined);
  });
});
