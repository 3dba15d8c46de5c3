import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  acmeSettingsSchema,
  directoryOf,
  LETS_ENCRYPT,
  LETS_ENCRYPT_STAGING,
  wantedCertificates,
} from './settings.ts';

function problems(input: object): string[] {
  const result = acmeSettingsSchema.safeParse(input);
  return result.success ? [] : result.error.issues.map(({ path }) => path.join('.'));
}

it('as it comes nothing is requested', () => {
  const settings = acmeSettingsSchema.parse({});
  assert.deepEqual(
    [settings.enabled, settings.challenge, directoryOf(settings)],
    [false, 'http-01', LETS_ENCRYPT],
  );
  assert.equal(directoryOf(acmeSettingsSchema.parse({ staging: true })), LETS_ENCRYPT_STAGING);
});

it('what cannot work is refused when it is set', () => {
  assert.deepEqual(problems({ enabled: true }), ['enabled']);
  assert.deepEqual(problems({ enabled: true, terms_agreed: true }), []);
  assert.deepEqual(problems({ staging: true, directory: 'https://ca.example/dir' }), ['staging']);
  assert.deepEqual(problems({ directory: 'http://ca.example/dir' }), ['directory']);
  assert.deepEqual(problems({ names: ['*.example.org'] }), ['names']);
  assert.deepEqual(problems({ names: ['*.example.org'], challenge: 'dns-01' }), []);
  for (const name of ['mail', '192.0.2.1', 'a b.example', '-x.example', '*.*.example.org'])
    assert.deepEqual(problems({ names: [name] }), ['names.0'], name);
  assert.deepEqual(problems({ contact: ['nobody'] }), ['contact.0']);
  assert.deepEqual(problems({ domain_hosts: { 'example.org': ['www'] } }), ['domain_hosts.example.org.0']);
});

it('names are A-labels in lower case', () => {
  assert.deepEqual(acmeSettingsSchema.parse({ names: ['Bücher.Example.ORG'] }).names, [
    'xn--bcher-kva.example.org',
  ]);
});

it('one certificate for the machine, one for each domain, and none for what own files have', () => {
  const settings = acmeSettingsSchema.parse({
    names: ['imap.example.org', 'mail.example.org'],
    domain_hosts: { '*': ['mta-sts'], 'b.example': ['mta-sts', 'autoconfig'], 'quiet.example': [] },
  });
  const place = { hostname: 'mail.example.org', domains: ['a.example', 'b.example', 'quiet.example'] };
  const wanted = (covered: (name: string) => boolean) =>
    wantedCertificates(settings, { ...place, covered }).map(({ name, names }) => [name, names]);
  assert.deepEqual(
    wanted(() => false),
    [
      ['mail.example.org', ['mail.example.org', 'imap.example.org']],
      ['mta-sts.a.example', ['mta-sts.a.example']],
      ['mta-sts.b.example', ['mta-sts.b.example', 'autoconfig.b.example']],
    ],
  );
  assert.deepEqual(
    wanted((name) => name.startsWith('mail') || name.endsWith('.example')),
    [['imap.example.org', ['imap.example.org']]],
  );
  const without = wantedCertificates(
    { ...settings, hostname: false },
    { ...place, domains: [], covered: () => false },
  );
  assert.deepEqual(without, [{ name: 'imap.example.org', names: ['imap.example.org', 'mail.example.org'] }]);
});
