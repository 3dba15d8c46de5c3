import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** GNU SASL: each mechanism against IMAP and submission, bound to the TLS channel too, which it does by itself. */

const env = cleanEnvironment(tmpdir());
const WAYS = ['imap', 'smtp'] as const;

describe('gsasl', { skip: skipWithout('gsasl') }, () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer();
    // The first login by PLAIN is what gives an account its keys for SCRAM; those of tests have them from the start.
  });
  after(() => server.close());

  function gsasl(way: (typeof WAYS)[number], mechanism: string, ...more: string[]): Promise<Output> {
    const port = way === 'imap' ? server.ports.imap : server.ports.submission;
    const args = [
      `--${way}`,
      `--connect=127.0.0.1:${port}`,
      '--no-application-data',
      '--x509-ca-file=',
      `--mechanism=${mechanism}`,
      '--authentication-id=alice@example.test',
      `--password=${TEST_PASSWORD}`,
      ...more,
    ];
    return run('gsasl', args, { env, allowFailure: true });
  }

  for (const way of WAYS) {
    for (const mechanism of ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']) {
      if (way === 'imap' && mechanism === 'LOGIN') continue;
      it(`logs in by ${way} with ${mechanism}`, async () => {
        const output = await gsasl(way, mechanism);
        assert.equal(output.code, 0, output.stdout + output.stderr);
      });
    }

    it(`is refused by ${way} with a wrong password`, async () => {
      for (const mechanism of ['PLAIN', 'SCRAM-SHA-256-PLUS']) {
        const output = await gsasl(way, mechanism, '--password=wrong');
        assert.notEqual(output.code, 0, output.stdout);
      }
    });

    it(`is refused by ${way} in clear`, async () => {
      const output = await gsasl(way, 'PLAIN', '--no-starttls');
      assert.notEqual(output.code, 0, output.stdout);
    });
  }
});
