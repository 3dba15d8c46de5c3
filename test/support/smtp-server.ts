import { limits } from '../../src/base/limits.ts';
import { silentLogger } from '../../src/base/log.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { fixedTlsSource } from '../../src/net/tls-store.ts';
import type { TlsSource } from '../../src/net/tls.ts';
import type { SmtpLimits } from '../../src/servers/smtp/limits.ts';
import type { SmtpProtocol } from '../../src/servers/smtp/options.ts';
import { createSmtpServer, type SmtpServer, type SmtpServerOptions } from '../../src/servers/smtp/server.ts';
import {
  type FakeAuthenticator,
  fakeAuthenticator,
  type FakeMailService,
  fakeMailService,
} from './fake-mail-service.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

export interface SmtpTestServer {
  readonly server: SmtpServer;
  readonly port: number;
  readonly service: FakeMailService;
  readonly authenticator: FakeAuthenticator;
  readonly clock: ManualClock;
  close(): Promise<void>;
}

/** A certificate for tests, valid for longer than any manual clock runs. */
export function testTls(): TlsSource {
  const pair = createSelfSigned({
    commonName: 'mx.example.test',
    names: ['mx.example.test'],
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
  });
  return fixedTlsSource(pair, 'smtp');
}

/** An SMTP server on a free port of 127.0.0.1 over a fake mail flow and a clock that stands still. */
export async function smtpTestServer(
  protocol: SmtpProtocol = 'smtp',
  more: Partial<Omit<SmtpServerOptions, 'limits'>> & { readonly limits?: Partial<SmtpLimits> } = {},
): Promise<SmtpTestServer> {
  const service = fakeMailService(protocol);
  const authenticator = await fakeAuthenticator();
  const clock = manualClock();
  const server = await createSmtpServer({
    protocol,
    service,
    authenticator,
    hostname: 'mx.example.test',
    clock,
    logger: silentLogger,
    tls: testTls(),
    target: { address: '127.0.0.1', port: 0 },
    maxTotal: 100,
    maxPerAddress: 0,
    ...more,
    limits: { ...limits, ...more.limits },
  });
  return {
    server,
    port: server.port,
    service,
    authenticator,
    clock,
    async close() {
      const done = server.drain(1);
      // A session that lingers waits on the clock; so does the cut of those that do not end.
      let over = false;
      void done.then(() => (over = true));
      while (!over) {
        clock.advance(10_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
