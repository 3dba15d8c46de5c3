/** From an empty directory to mail that came and went, as `node bench/first-mail.ts` shows it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstMail, whyNotHere } from '../../bench/first-mail.ts';
import { skipUnlessLong } from '../support/programs.ts';

it('a first mail from and to Postfix, with records at Knot and a certificate by Pebble', {
  skip: skipUnlessLong() || whyNotHere(),
}, async (t) => {
  const done = await firstMail((line) => t.diagnostic(line));
  assert.match(done.issuer, /Pebble/);
  // It came over TLS, from a host that found the certificate.
  assert.match(
    done.received,
    /^Received: from mx\.peer\.test [^]*?by mail\.example\.test\b[^]*?with ESMTPS/m,
  );
  assert.match(done.received, /^Hello!\r$/m);
  assert.match(done.sent, /^From: <admin@example\.test>\r$/m);
  // The keys were published by us a moment ago.
  assert.deepEqual(done.signatures, ['pass rsa-sha256', 'pass ed25519-sha256']);
});
