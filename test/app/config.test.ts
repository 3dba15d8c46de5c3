import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configKeys } from '../../src/app/config.ts';
import { readConfig } from '../../src/app/config-load.ts';

const NAMED = 'hostname = "mail.example.org"\n';

function problem(text: string, environment: Record<string, string> = {}): string {
  try {
    readConfig(text, 'postern.toml', environment, '/etc/postern');
  } catch (error) {
    assert.equal((error as Error).name, 'Refusal');
    return (error as Error).message;
  }
  return 'nothing wrong';
}

describe('the configuration', () => {
  it('has at most 47 keys, each with an explanation', () => {
    assert.ok(configKeys().length <= 47);
    for (const { name, description } of configKeys()) assert.match(description, /\.$/, name);
  });

  it('needs a host name only', () => {
    const config = readConfig(NAMED, 'postern.toml', {}, '/etc/postern');
    assert.deepEqual(config.listen.smtp, [{ address: '*', port: 25 }]);
    assert.deepEqual(config.listen.lmtp, [], 'LMTP is off');
    assert.deepEqual(config.listen.http, [{ address: '127.0.0.1', port: 8025 }], 'metrics are on loopback');
    assert.equal(config.limits.message_size, 50 * 1024 * 1024);
    assert.equal(config.queue.expire_after, 5 * 86_400_000);
  });

  it('takes the environment over the file, and paths relative to the file', () => {
    const text = `${NAMED}data = "mail"\n[listen]\nsmtp = ["*:25"]\nimap = "127.0.0.1:143"\n`;
    const environment = {
      POSTERN_LISTEN_SMTP: '192.0.2.1:25, [2001:db8::1]:25',
      POSTERN_LISTEN_IMAPS: '',
      POSTERN_LIMITS_RECIPIENTS: '7',
      POSTERN_CORPUS: '/elsewhere',
    };
    const config = readConfig(text, 'postern.toml', environment, '/etc/postern');
    assert.equal(config.data, '/etc/postern/mail');
    assert.deepEqual(config.listen.smtp, [
      { address: '192.0.2.1', port: 25 },
      { address: '2001:db8::1', port: 25 },
    ]);
    assert.deepEqual(config.listen.imap, [{ address: '127.0.0.1', port: 143 }]);
    assert.deepEqual(config.listen.imaps, []);
    assert.equal(config.limits.recipients, 7);
  });

  it('names the key, what is wrong and what is right', () => {
    const cases: readonly (readonly [text: string, says: RegExp, environment?: Record<string, string>])[] = [
      ['', /^postern\.toml: hostname: is missing: .*"mail\.example\.org"$/],
      ['hostname = "mail"', /^postern\.toml: hostname: "mail" is not a full host name/],
      ['hostname = mail', /^postern\.toml, line 1, column \d+: not TOML/],
      [`${NAMED}[listen]\nsmtp = ["*:99999"]`, /listen\.smtp\[0\]: "\*:99999" is not a place to listen on/],
      [
        `${NAMED}[listen]\nhttps = ["*:443"]\nacme = ["*:80", "192.0.2.1:443"]`,
        /^postern\.toml: listen\.acme: port 443 is that of listen\.https.*leave it out here$/,
      ],
      [
        `${NAMED}[listen]\nhttps = ["*:443"]\nsns = ["*:443"]`,
        /^postern\.toml: listen\.sns: port 443 .*\/hooks\/sns/,
      ],
      [`${NAMED}[listen]\nsmtp = ["::1:25"]`, /listen\.smtp\[0\]: .*"\[2001:db8::1\]:25"/],
      [
        `${NAMED}[limits]\nmesage_size = "1MiB"`,
        /limits\.mesage_size: there is no such key; did you mean limits\.message_size\?/,
      ],
      [`${NAMED}[limits]\nmessage_size = "1 MB"`, /limits\.message_size: "1 MB" is not a size such as/],
      [`${NAMED}[queue]\nwarn_after = "4 hours"`, /queue\.warn_after: "4 hours" is not a duration such as/],
      [`${NAMED}[queue]\nwarn_after = "6d"`, /queue\.warn_after: must be shorter than queue\.expire_after/],
      [`${NAMED}limits = 3`, /limits: must be a section, \[limits\]/],
      [`${NAMED}[tls]\ncert = "c.pem"`, /tls\.key: is missing: certificate and key go together/],
      [`${NAMED}[relay]\nhost = "r.test"\nusername = "me"`, /relay\.password_file: is missing/],
      [NAMED, /^POSTERN_LIMITS_RECIPIENTS: "x" is not a whole number/, { POSTERN_LIMITS_RECIPIENTS: 'x' }],
      [NAMED, /^POSTERN_QUEUE_WARN: .*did you mean POSTERN_QUEUE_WARN_AFTER\?/, { POSTERN_QUEUE_WARN: '1h' }],
    ];
    for (const [text, says, environment] of cases) assert.match(problem(text, environment), says, text);
  });

  it('tells several problems at once', () => {
    const lines = problem(`hostname = "x"\n[limits]\nrecipients = "many"\n`).split('\n');
    assert.equal(lines.length, 2);
  });
});
