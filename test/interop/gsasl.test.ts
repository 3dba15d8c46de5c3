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
  });
  after(() => server.close());

  function gsasl(
    way: (typeof WAYS)[number],
    mechanism: string,
    more: readonly string[] = [],
    password = TEST_PASSWORD,
  ): Promise<Output> {
    const port = way === 'imap' ? server.ports.imap : server.ports.submission;
    const args = [
      `--${way}`,
      `--connect=127.0.0.1:${port}`,
      '--application-data',
      '--x509-ca-file=',
      `--mechanism=${mechanism}`,
      '--authentication-id=alice@example.test',
      `--password=${password}`,
      ...more,
    ];
    return run('gsasl', args, { env, allowFailure: true });
  }

  for (const way of WAYS) {
    const welcome = way === 'imap' ? /OK \[CAPABILITY .*Logged in/ : /^235 /m;
    const refusal = way === 'imap' ? /NO \[AUTHENTICATIONFAILED\]/ : /^535 /m;

    for (const mechanism of ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']) {
      it(`logs in by ${way} with ${mechanism}`, async () => {
        // It does not use the weaker of two when it could bind.
        const output = await gsasl(
          way,
          mechanism,
          mechanism === 'SCRAM-SHA-256' ? ['--starttls', '--no-cb'] : ['--starttls'],
        );
        assert.match(output.stdout, welcome, output.stderr);
        assert.equal(output.code, 0, output.stdout + output.stderr);
      });
    }

    it(`is refused by ${way} with a wrong password`, async () => {
      for (const mechanism of ['PLAIN', 'SCRAM-SHA-256-PLUS']) {
        const output = await gsasl(way, mechanism, ['--starttls'], 'wrong');
        assert.match(output.stdout, refusal);
        assert.doesNotMatch(output.stdout, welcome);
      }
    });

    it(`is offered nothing by ${way} in clear`, async () => {
      const output = await gsasl(way, 'PLAIN', ['--no-starttls']);
      assert.doesNotMatch(output.stdout, welcome);
      assert.doesNotMatch(output.stdout, /AUTH[= ]/);
    });
  }
});
