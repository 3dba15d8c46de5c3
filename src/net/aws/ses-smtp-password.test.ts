import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sesSmtpHost, sesSmtpPassword } from './ses-smtp-password.ts';

/** Pairs that other tools publish for Amazon's derivation, of passwords that SES takes. */
const KNOWN: readonly (readonly [region: string, secret: string, password: string])[] = [
  ['eu-central-1', 'some+secret+key', 'BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2'],
  ['eu-central-1', 'another+secret+key', 'BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh'],
  ['us-west-1', 'some+secret+key', 'BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj'],
  ['us-west-1', 'another+secret+key', 'BKVmjjMDFk/qqw8EROW99bjCS65PF8WKvK5bSr4Y6EqF'],
];

describe('the password for the SMTP endpoint', () => {
  it('is as Amazon derives it', () => {
    for (const [region, secret, password] of KNOWN) assert.equal(sesSmtpPassword(secret, region), password);
  });

  it('can be had for regions that no list has', () => {
    for (const region of [
      'eu-north-1',
      'eu-west-3',
      'us-west-1',
      'ap-northeast-3',
      'il-central-1',
      'xx-new-9',
    ]) {
      const octets = Buffer.from(
        sesSmtpPassword('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', region),
        'base64',
      );
      assert.equal(octets.length, 33);
      assert.equal(octets[0], 4);
    }
  });

  it('belongs to a host of that region', () => {
    assert.equal(sesSmtpHost('eu-north-1'), 'email-smtp.eu-north-1.amazonaws.com');
  });
});
