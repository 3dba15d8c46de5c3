import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Gpg, NO_GPG, startGpg } from '../../../../test/support/gpg.ts';
import { checkClearText, checkPgp, describeKey, mergeKeys, readPgpKeys } from './pgp.ts';
import { clearSigned, latin1, meansOneText } from './security-find.ts';

const PART =
  'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nPay Ann 10 €.  \r\nBye\r\n';

describe('PGP signatures made by GnuPG', { skip: NO_GPG }, () => {
  let gpg: Gpg;
  let rsa: string;
  let ed: string;
  before(() => {
    gpg = startGpg();
    rsa = gpg.key('Ann Author <Ann@A.example>', 'rsa2048');
    ed = gpg.key('Bea <bea@b.example>', 'ed25519');
  });
  after(() => gpg.close());

  const keysOf = (...all: string[]) =>
    readPgpKeys(Buffer.concat(all.map((each) => gpg.run(['--export', each]))));
  const check = async (signature: Buffer, content: string | Buffer, ...all: string[]) =>
    checkPgp(signature, Buffer.from(content as string), await keysOf(...all));
  const states = async (...args: Parameters<typeof check>) =>
    (await check(...args)).map((each) => (each.state === 'old' ? each.reason : each.state));

  /** Reasons as gpg asks for them: 1 others may have it, 2 there is a newer one, 3 it is not used any more. */
  const revoke = (key: string, reason: 1 | 2 | 3): void => {
    const answers = `y\n${reason}\n\ny\n`;
    gpg.run(['--import'], gpg.run(['--no-batch', '--command-fd', '0', '--gen-revoke', key], answers));
  };

  it('of RSA and of Ed25519 are good, and say whose they are', async () => {
    for (const [fingerprint, address] of [
      [rsa, 'ann@a.example'],
      [ed, 'bea@b.example'],
    ] as const) {
      const [found] = await check(gpg.detached(fingerprint, PART), PART, rsa, ed);
      assert.ok(found?.state === 'good');
      assert.equal(found.signer.fingerprint, fingerprint.toLowerCase());
      assert.deepEqual(found.signer.addresses, [address]);
      assert.ok(Math.abs((found.at ?? 0) - Date.now()) < 60_000);
    }
  });

  it('over text and over octets are good', async () => {
    assert.deepEqual(await states(gpg.detached(ed, PART, '--textmode'), PART, ed), ['good']);
  });

  it('are broken by any change: of the body, of a charset, of the transfer encoding, of blanks at an end of a line', async () => {
    const signature = gpg.detached(ed, PART);
    for (const [from, to] of [
      ['10', '99'],
      ['utf-8', 'utf-7'],
      ['8bit', 'quoted-printable'],
      ['.  \r\n', '.\r\n'],
      ['Bye\r\n', 'Bye'],
    ] as const) {
      assert.notEqual(PART.replace(from, to), PART);
      assert.deepEqual(await states(signature, PART.replace(from, to), ed), ['broken'], to);
    }
  });

  it('by a key that is not there are unknown, never good', async () => {
    assert.deepEqual(await check(gpg.detached(rsa, PART), PART, ed), [
      { state: 'unknown', keyId: rsa.slice(-16).toLowerCase() },
    ]);
  });

  it('with SHA-1 are old, and broken when they do not fit', async () => {
    const signature = gpg.detached(rsa, PART, '--digest-algo', 'SHA1');
    assert.deepEqual(await states(signature, PART, rsa), ['hash']);
    assert.deepEqual(await states(signature, `${PART}x`, rsa), ['broken']);
  });

  it('made while the key was valid stay good when it has expired since; those made later do not exist', async () => {
    const key = gpg.key('Old <old@a.example>', 'ed25519', '20240201T000000', '20240101T000000!');
    const signature = gpg.detached(key, PART, '--faked-system-time', '20240115T000000!');
    assert.deepEqual(await states(signature, PART, key), ['good']);
    // A key whose end was put forward, signs, and is shown with its old end.
    const before = await readPgpKeys(gpg.publicKey(key));
    gpg.run(['--quick-set-expire', key, '0']);
    const later = gpg.detached(key, PART);
    const found = await checkPgp(later, Buffer.from(PART), before);
    assert.deepEqual(found[0]?.state === 'old' && found[0].reason, 'expired');
  });

  it('by a key that was taken back are old', async () => {
    const key = gpg.key('Gone <gone@a.example>', 'ed25519');
    const signature = gpg.detached(key, PART);
    assert.deepEqual(await states(signature, PART, key), ['good']);
    const before = await keysOf(key);
    revoke(key, 1);
    assert.deepEqual(await states(signature, PART, key), ['revoked']);
    // A copy from before, which comes with a message, does not hide it.
    const both = await mergeKeys([...before, ...(await keysOf(key))]);
    assert.equal(both.length, 1);
    const [found] = await checkPgp(signature, Buffer.from(PART), both);
    assert.equal(found?.state === 'old' && found.reason, 'revoked');
  });

  it('from before a key was retired stay good', async () => {
    const key = gpg.key('Rest <rest@a.example>', 'ed25519', 'never', '20240101T000000!');
    const signature = gpg.detached(key, PART, '--faked-system-time', '20240115T000000!');
    revoke(key, 3);
    assert.deepEqual(await states(signature, PART, key), ['good']);
  });

  it('of two signers are told apart', async () => {
    const both = gpg.run(['--armor', '--local-user', rsa, '--local-user', ed, '--detach-sign'], PART);
    assert.deepEqual((await states(both, PART, ed)).toSorted(), ['good', 'unknown']);
  });

  it('that are none, and keys that are none, end nothing', async () => {
    const keys = await keysOf(ed);
    for (const odd of [
      '',
      'x',
      '-----BEGIN PGP SIGNATURE-----',
      '-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----',
    ])
      assert.deepEqual(await checkPgp(Buffer.from(odd), Buffer.from(PART), keys), []);
    const signature = gpg.run(['--local-user', ed, '--detach-sign'], PART);
    for (let i = 0; i < signature.length; i += 3) {
      const forged = Buffer.from(signature);
      forged[i] = (forged[i] ?? 0) ^ 0x41;
      for (const found of await checkPgp(forged, Buffer.from('something else'), keys))
        assert.notEqual(found.state, 'good');
    }
    assert.deepEqual(await readPgpKeys(Buffer.from('nothing')), []);
    assert.deepEqual(await readPgpKeys(Buffer.alloc(300_000)), []);
  });

  it('a whole signed message in the place of a signature is none (its text is not what is shown)', async () => {
    const message = gpg.run(['--local-user', ed, '--sign'], 'another text');
    assert.deepEqual(
      (await states(message, PART, ed)).filter((each) => each === 'good'),
      [],
    );
  });

  it('keys are kept without what others certify, and never with what is secret', async () => {
    const [key] = await readPgpKeys(gpg.run(['--armor', '--export-secret-keys', ed]));
    assert.ok(key);
    assert.equal(key.isPrivate(), false);
    const { octets } = await describeKey(key);
    const [again] = await readPgpKeys(octets);
    assert.equal(again?.getFingerprint(), ed.toLowerCase());
  });

  describe('in a text', () => {
    const TEXT = 'Pay Ann 10.\n- a list\n-----not a line of armor\nFrom here\n';
    const shown = async (octets: Buffer, ...all: string[]) => {
      const found = clearSigned(octets);
      assert.ok(found);
      const checked = await checkClearText(found.block, await keysOf(...all));
      return {
        alone: found.alone,
        states: checked?.checks.map(({ state }) => state),
        text: checked && latin1(checked.octets),
      };
    };

    it('are good, and give the text without what is around it', async () => {
      const signed = gpg.clear(ed, TEXT);
      const found = await shown(signed, ed);
      assert.deepEqual(found, { alone: true, states: ['good'], text: TEXT.trimEnd() });
      // Blanks at the ends of lines count for nothing here (RFC 9580 section 7.2).
      const blanks = Buffer.from(signed.toString().replace('10.\n', '10.  \t\r\n'));
      assert.deepEqual((await shown(blanks, ed)).states, ['good']);
      const changed = Buffer.from(signed.toString().replace('10.', '99.'));
      assert.deepEqual((await shown(changed, ed)).states, ['broken']);
    });

    it('are good whatever charset the text had', async () => {
      const text = Buffer.from('Gr\u00fc\u00dfe\n', 'latin1');
      const found = await shown(gpg.clear(ed, text), ed);
      assert.deepEqual(found.states, ['good']);
      assert.equal(found.text, 'Gr\u00fc\u00dfe');
    });

    it('lend nothing to what stands before, behind or in their armor', async () => {
      const signed = gpg.clear(ed, TEXT).toString();
      assert.equal((await shown(Buffer.from(`You are fired.\n${signed}`), ed)).alone, false);
      assert.equal((await shown(Buffer.from(`${signed}You are fired.\n`), ed)).alone, false);
      assert.equal((await shown(Buffer.from(`${signed}${signed}`), ed)).alone, false);
      // A line among the header fields of the armor is shown by others as if it were text.
      for (const line of ['Comment: you are fired', 'You are fired']) {
        const forged = signed.replace(/\nHash: .*\n/, `\n${line}\n`);
        assert.notEqual(forged, signed);
        const found = clearSigned(Buffer.from(forged));
        const checked = found && (await checkClearText(found.block, await keysOf(ed)));
        assert.equal(checked, undefined);
      }
      // One behind the text, in the armor of the signature, is not in the text that is given.
      const behind = signed.replace('SIGNATURE-----\n', 'SIGNATURE-----\nComment: you are fired\n');
      assert.doesNotMatch((await shown(Buffer.from(behind), ed)).text ?? '', /fired/);
    });
  });
});

describe('charsets of clear-signed texts', () => {
  it('count as one where the same octets can be no other text', () => {
    const ascii = Buffer.from('Pay 10');
    assert.equal(meansOneText(ascii, 'utf-8'), true);
    assert.equal(meansOneText(ascii, null), true);
    assert.equal(meansOneText(ascii, 'ISO-8859-15'), true);
    for (const other of ['utf-7', 'utf-16', 'hz-gb-2312', 'iso-2022-jp', 'ibm037'])
      assert.equal(meansOneText(ascii, other), false, other);
    assert.equal(meansOneText(Buffer.from('ü'), 'iso-8859-1'), false);
  });
});
