/** A server of its own process that sends by several ways, on a fast clock, to be killed at any moment. Prints its port. */
import { createResolver } from '../../src/net/dns/resolver.ts';
import { fastClock } from '../support/fast-clock.ts';
import { startTestServer, testActor } from '../support/server.ts';

export interface ChildOptions {
  readonly directory: string;
  readonly factor: number;
  /** When the fast time began. */
  readonly beginMs: number;
  readonly dnsPort: number;
  readonly routing: object;
  readonly intake: object;
  /** Where certificates of SNS are, instead of at Amazon's. */
  readonly snsAt?: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as ChildOptions;
const clock = fastClock(options.factor, options.beginMs);
const server = await startTestServer({
  directory: options.directory,
  clock,
  plaintextAuth: true,
  dns: createResolver({ servers: [{ address: '127.0.0.1', port: options.dnsPort, trusted: false }], clock }),
  config: {
    listen: { sns: ['127.0.0.1:0'] },
    limits: { recipients_per_hour: 1_000_000, messages_per_hour: 1_000_000 },
  },
  snsFetch: (url, init) =>
    fetch(new URL(new URL(String(url)).pathname + new URL(String(url)).search, options.snsAt), init),
  // What is delivered is counted, not judged, and so much mail is no thief's here.
  filter: (settings) => ({
    ...settings,
    enabled: false,
    outgoing: { ...settings.outgoing, unusual_from: 1_000_000 },
  }),
});
const { read, write } = server.store;
if ((await read.run('routing.settings', null)) === undefined) {
  const routing = JSON.stringify(options.routing);
  await write.run('routing.saveSettings', { actor: testActor, json: routing, what: 'test' });
  await write.run('intake.saveSettings', { actor: testActor, json: JSON.stringify(options.intake) });
  await server.intake.changed();
}
const interrupted = async (): Promise<number> =>
  Number(/^postern_delivery_interrupted_total (\d+)/m.exec(await server.metrics.text())?.[1] ?? 0);
process.stdout.write(`ready ${server.ports.submission} ${server.ports.sns} ${await interrupted()}\n`);
process.on('SIGTERM', () => void server.stop({ graceMs: 1000 }).then(() => process.exit(0)));
