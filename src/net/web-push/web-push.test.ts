import assert from 'node:assert/strict';
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { areDeviceKeys, encryptPush, PUSH_TEXT_BYTES } from './encrypt.ts';
import { createVapid, newVapidKeys } from './vapid.ts';

/** Another's implementation of RFC 8188, to open what we have sealed. */
const ece = createRequire(import.meta.url)('http_ece') as {
  decrypt(sealed: Buffer, options: object): Buffer;
};

function device() {
  const key = createECDH('prime256v1');
  key.generateKeys();
  const auth = randomBytes(16).toString('base64url');
  return { key, keys: { p256dh: key.getPublicKey().toString('base64url'), auth } };
}

describe('encryption of pushes', () => {
  it('the example of RFC 8291 section 5', () => {
    const sealed = encryptPush(
      Buffer.from('When I grow up, I want to be a watermelon'),
      {
        p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
        auth: 'BTBZMqHH6r4Tts7J_aSIgg',
      },
      {
        privateKey: Buffer.from('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw', 'base64url'),
        salt: Buffer.from('DGv6ra1nlYgDCS1FRnbzlw', 'base64url'),
      },
    );
    assert.equal(
      sealed.toString('base64url'),
      'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
    );
  });

  it('is opened by the device, and never the same twice', () => {
    const { key, keys } = device();
    for (const text of ['', 'x', 'y'.repeat(PUSH_TEXT_BYTES)]) {
      const [first, second] = [encryptPush(Buffer.from(text), keys), encryptPush(Buffer.from(text), keys)];
      assert.ok(first.length <= 4096);
      assert.notDeepEqual(first, second);
      const opened = ece.decrypt(first, { version: 'aes128gcm', privateKey: key, authSecret: keys.auth });
      assert.equal(opened.toString(), text);
    }
    assert.throws(() => encryptPush(Buffer.alloc(PUSH_TEXT_BYTES + 1), keys));
  });

  it('keys that are none', () => {
    const { keys } = device();
    assert.ok(areDeviceKeys(keys));
    assert.ok(areDeviceKeys({ ...keys, auth: `${keys.auth}==` }));
    const offCurve = Buffer.from(keys.p256dh, 'base64url');
    offCurve.writeUInt8(offCurve.readUInt8(64) ^ 1, 64);
    for (const wrong of [
      { ...keys, p256dh: '' },
      { ...keys, p256dh: keys.p256dh.slice(2) },
      { ...keys, p256dh: offCurve.toString('base64url') },
      { ...keys, p256dh: Buffer.alloc(65).toString('base64url') },
      { ...keys, auth: 'AAAA' },
      { ...keys, auth: '!' },
      { ...keys, auth: 'A'.repeat(100_000) },
    ])
      assert.equal(areDeviceKeys(wrong), false, JSON.stringify(wrong).slice(0, 200));
  });
});

describe('VAPID', () => {
  it('proves who we are to one origin, for some hours', () => {
    const keys = newVapidKeys();
    const now = Date.UTC(2030, 0, 1);
    const vapid = createVapid(keys, 'https://mail.example.test/about');
    const field = vapid('https://push.example', now);
    const [, signed = '', signature = '', k] =
      /^vapid t=([\w-]+\.[\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(field) ?? [];
    assert.equal(k, keys.publicKey);
    const point = Buffer.from(keys.publicKey, 'base64url');
    assert.equal(point.length, 65);
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const raw = Buffer.from(signature, 'base64url');
    assert.equal(raw.length, 64);
    assert.ok(verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, raw));
    const [head = '', claims = ''] = signed
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString());
    assert.deepEqual(JSON.parse(head), { typ: 'JWT', alg: 'ES256' });
    const { aud, exp, sub } = JSON.parse(claims) as Record<string, unknown>;
    assert.equal(aud, 'https://push.example');
    assert.equal(sub, 'https://mail.example.test/about');
    assert.ok(Number(exp) * 1000 > now && Number(exp) * 1000 <= now + 86_400_000);
    assert.equal(vapid('https://push.example', now + 1000), field, 'kept while it holds');
    assert.notEqual(vapid('https://push.example', now + 12 * 3600_000), field);
    assert.notEqual(vapid('https://other.example', now), field);
  });
});
