import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Email, EmailBodyPart } from '../../jmap/types.ts';
import { autocryptKey } from './autocrypt.ts';
import { findSecurity } from './security-find.ts';

/** A type, or a type and its parts. */
type Made = string | readonly Made[];

/** A structure as the server tells it. */
function structure(made: Made, path: readonly number[] = []): EmailBodyPart {
  const [type = '', ...parts] = typeof made === 'string' ? [made] : made;
  const [media = '', ...rest] = typeof type === 'string' ? type.split(';') : [];
  const isMultipart = media.startsWith('multipart/');
  const id = path.join('.') || '1';
  return {
    type: media,
    partId: isMultipart ? null : id,
    blobId: isMultipart ? null : `B1-${id.replaceAll('.', '_')}`,
    'header:Content-Type': [media, ...rest].join(';'),
    ...(isMultipart && { subParts: parts.map((each, i) => structure(each, [...path, i + 1])) }),
  } as unknown as EmailBodyPart;
}

function find(made: Made, text = '') {
  const root = structure(made);
  const part = root.partId === null ? [] : [root];
  const email = {
    blobId: 'B1',
    bodyStructure: root,
    textBody: part,
    htmlBody: part,
    bodyValues: { '1': { value: text } },
  } as unknown as Email;
  const found = findSecurity(email);
  if (found === undefined) return 'nothing';
  if (found.kind === 'encrypted') return `${found.how} encrypted`;
  const where = 'signedBlob' in found ? ` ${found.signedBlob}` : '';
  return `${found.kind}${where} ${found.whole ? 'whole' : 'part'}`;
}

const SIGNED: Made = ['multipart/signed', 'text/plain', 'application/pgp-signature'];

describe('what is signed', () => {
  it('is the whole message where nothing else is in it', () => {
    assert.equal(find(SIGNED), 'pgp B1-e1 whole');
    assert.equal(
      find([
        'multipart/signed',
        ['multipart/mixed', 'text/plain', 'image/png'],
        'application/pkcs7-signature',
      ]),
      'smime B1-e1 whole',
    );
    assert.equal(find(['multipart/mixed', SIGNED]), 'pgp B1-e1_1 whole');
    assert.equal(find('application/pkcs7-mime; smime-type=signed-data'), 'opaque whole');
  });

  it('is a part only where a list has added a footer', () => {
    assert.equal(find(['multipart/mixed', SIGNED, 'text/plain']), 'pgp B1-e1_1 part');
  });

  it('Johnny, you are fired: a sibling before, behind, beside or around it gets no mark', () => {
    for (const made of [
      ['multipart/mixed', 'text/html', SIGNED],
      ['multipart/related', 'text/html', SIGNED],
      ['multipart/alternative', 'text/html', SIGNED],
      ['multipart/mixed', ['multipart/related', 'text/html', SIGNED]],
      ['multipart/signed', 'text/plain', 'application/pgp-signature', 'text/html'],
      ['multipart/mixed', 'text/html', 'application/pkcs7-mime; smime-type=signed-data'],
    ] as const)
      assert.match(find(made), / part$/, JSON.stringify(made));
  });

  it('Johnny, you are fired: what only looks like it is none', () => {
    // The signature stands in the place of the text, or is shown as one.
    assert.equal(find(['multipart/signed', 'application/pgp-signature', 'text/html']), 'nothing');
    assert.equal(find(['multipart/signed', 'text/plain', 'text/plain']), 'nothing');
    assert.equal(find(['multipart/mixed', 'text/plain', 'application/pgp-signature']), 'nothing');
    assert.equal(find(['multipart/signed', 'text/plain']), 'nothing');
  });

  it('may stand in a text', () => {
    const text = '-----BEGIN PGP SIGNED MESSAGE-----\nx';
    assert.equal(find('text/plain', text), 'inline whole');
    assert.equal(find('text/html', text), 'inline part');
    assert.equal(find('text/plain', 'somebody wrote of -----BEGIN PGP'), 'nothing');
  });
});

describe('what is encrypted', () => {
  it('is told from what is signed', () => {
    assert.equal(
      find(['multipart/encrypted', 'application/pgp-encrypted', 'application/octet-stream']),
      'pgp encrypted',
    );
    assert.equal(find('application/pkcs7-mime; smime-type="enveloped-data"'), 'smime encrypted');
    assert.equal(find('application/x-pkcs7-mime; smime-type=authEnveloped-data'), 'smime encrypted');
    assert.equal(find('application/pkcs7-mime; smime-type=certs-only'), 'nothing');
    assert.equal(find('text/plain', 'hello\n-----BEGIN PGP MESSAGE-----\nx'), 'pgp encrypted');
  });
});

describe('Autocrypt', () => {
  const ann = 'addr=Ann@a.example; prefer-encrypt=mutual; keydata=YWJj\r\n ZGVm';
  it('gives the key of the sender, once', () => {
    assert.equal(Buffer.from(autocryptKey([ann], 'ann@a.example') ?? []).toString(), 'abcdef');
    assert.equal(autocryptKey([ann], 'eve@e.example'), undefined);
    assert.equal(autocryptKey([ann, ann], 'ann@a.example'), undefined);
    assert.equal(autocryptKey([`${ann}; critical=1`], 'ann@a.example'), undefined);
    assert.ok(autocryptKey([`_ours=1; ${ann}`], 'ann@a.example'));
    assert.equal(autocryptKey(['addr=ann@a.example; keydata=*'], 'ann@a.example'), undefined);
    assert.equal(autocryptKey([], 'ann@a.example'), undefined);
    assert.equal(autocryptKey(['addr=; keydata=YWJj'], ''), undefined);
  });
});
