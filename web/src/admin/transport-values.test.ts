import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formOf, NO_TRANSPORT, settingsOf, summaryOf } from './transport-values.ts';

describe('ways to send as forms', () => {
  const relay = {
    kind: 'relay',
    host: 'smtp.example.net',
    port: 465,
    tls: 'implicit',
    login: { user: 'me', secret_file: '/data/secrets/old', mechanism: 'PLAIN' },
    caps: { recipients_per_day: 10 },
  };

  it('keeps what the form has no field for, and the secret that is not typed anew', () => {
    const form = formOf('out', relay);
    assert.equal(form.kind, 'relay');
    const made = settingsOf({ ...form, host: 'smtp2.example.net' }, relay, undefined);
    assert.deepEqual(made, { ...relay, host: 'smtp2.example.net' });
    assert.deepEqual(settingsOf(form, relay, '/data/secrets/new')['login'], {
      ...relay.login,
      secret_file: '/data/secrets/new',
    });
  });

  it('takes the login away with its name, and fields with their text', () => {
    assert.equal('login' in settingsOf({ ...formOf('out', relay), user: ' ' }, relay, undefined), false);
    const ses = { kind: 'ses-api', region: 'eu-west-1', configuration_set: 'x' };
    const made = settingsOf({ ...formOf('ses', ses), configurationSet: '' }, ses, undefined);
    assert.deepEqual(made, { kind: 'ses-api', region: 'eu-west-1' });
  });

  it('begins anew with another kind, and has JSON for the rest', () => {
    const form = { ...NO_TRANSPORT, kind: 'direct' as const, name: 'direct' };
    assert.deepEqual(settingsOf(form, relay, undefined), { kind: 'direct' });
    const lmtp = { kind: 'lmtp', host: 'unix:/run/x' };
    assert.equal(formOf('in', lmtp).kind, 'json');
    assert.deepEqual(settingsOf(formOf('in', lmtp), lmtp, undefined), lmtp);
    assert.throws(() => settingsOf({ ...NO_TRANSPORT, kind: 'json', json: '{' }, undefined, undefined));
    assert.equal(summaryOf(relay), 'smtp.example.net:465 · me');
  });
});
