/** A mail server of ours that runs, with the DNS, the proxy, the time server and the big provider around it. */
import { createSocket, type Socket } from 'node:dgram';
import { createServer as createHttps } from 'node:https';
import { request as requestHttp } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeConfig } from '../../src/app/config-load.ts';
import { type RunningServer, startServer } from '../../src/app/server.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { runDoctor } from '../../src/flow/doctor/doctor.ts';
import { doctorFacts, domainFacts, type HostFacts } from '../../src/flow/doctor/facts.ts';
import type { DoctorFacts, DoctorLine, DoctorOptions } from '../../src/flow/doctor/types.ts';
import { generateKeyPair } from '../../src/mail/dkim/keys.ts';
import { domainRecords, formatZone } from '../../src/mail/dns-records.ts';
import { openTlsStore } from '../../src/net/tls-store.ts';
import type { Authority } from '../support/authority.ts';
import { createAuthority } from '../support/authority.ts';
import { startSmtpPeer } from '../support/smtp-peer.ts';
import { testActor } from '../support/server.ts';
import { type DnsWorld, freshResolver, startDnsWorld, type TestZone } from './dns-world.ts';

export const HOST = 'mail.host.test';

export interface WorldPlan {
  /** Domains of ours; `edit` turns the zone that `postern domain records --zone` gives into a broken one. */
  readonly domains: readonly {
    readonly name: string;
    readonly edit?: (zone: string) => string;
    readonly bogus?: boolean;
    readonly unserved?: boolean;
  }[];
  /** Further zones. */
  readonly zones: readonly TestZone[];
  /** What the second server of zones says. */
  readonly second: (zoneOf: (domain: string) => string) => readonly TestZone[];
  /** Instead of our own policy, by host. */
  readonly policies: Readonly<Record<string, string>>;
}

export interface BrokenWorld {
  readonly authority: Authority;
  readonly dns: DnsWorld;
  readonly server: RunningServer;
  /** Seconds the time server is off. */
  time: { offset: number };
  /** The zone of a domain as it should be. */
  zone(domain: string): string;
  /** Look at one domain, with the server as it is; lines that are not about the server itself. */
  domainLines(domain: string): Promise<DoctorLine[]>;
  /** Look at the server, with facts and options changed. */
  serverLines(change?: {
    facts?: Partial<DoctorFacts>;
    options?: Partial<DoctorOptions>;
  }): Promise<DoctorLine[]>;
  stop(): Promise<void>;
}

export async function startBrokenWorld(plan: WorldPlan): Promise<BrokenWorld> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close();
  };
  try {
    const authority = createAuthority();
    const names = plan.domains.flatMap(({ name }) =>
      ['mta-sts', 'autoconfig', 'autodiscover'].map((label) => `${label}.${name}`),
    );
    const pair = authority.issue([HOST, ...names]);
    const server = await startMailServer(pair, plan, closers);
    const host: HostFacts = {
      hostname: HOST,
      addresses: ['127.0.0.1'],
      adminAddress: undefined,
      listeners: server.listeners.map(({ service, address, port }) => ({ service, address, port })),
      dataDirectory: server.config.data,
      tlsKeys: [],
      relayed: false,
    };
    const zones = new Map<string, string>();
    for (const { name } of plan.domains) {
      const records = domainRecords(await domainFacts(server.store, host, name)).filter((record) =>
        record.name.endsWith(name),
      );
      zones.set(name, formatZone(records).replace('p=none', 'p=reject'));
    }
    const zone = (name: string): string => zones.get(name) ?? '';
    const served = plan.domains.filter(({ unserved }) => unserved !== true);
    const dns = await startDnsWorld(
      [
        ...served.map(({ name, edit, bogus }) => ({
          name,
          records: edit?.(zone(name)) ?? zone(name),
          ...(bogus === true && { bogus }),
        })),
        ...plan.zones,
      ],
      plan.second(zone),
    );
    closers.push(() => dns.stop());
    const httpsPort = await startProxy(pair, server.ports.http ?? 0, plan.policies, closers);
    const time = { offset: 0 };
    const ntpPort = await startTimeServer(time, closers);
    const big = await startSmtpPeer();
    closers.push(() => big.close());
    const options: DoctorOptions = {
      lists: ['ip.bl.test'],
      timeServers: [`127.0.0.1:${ntpPort}`],
      bigDomains: ['big.test'],
      diskReserve: { bytes: 1024, percent: 0.001 },
      dnsPort: dns.knotPort,
      smtpPort: big.port,
      httpsPort,
      ca: authority.cert,
      allowPrivate: true,
      connectMs: 3000,
    };
    const resolver = freshResolver([{ address: '127.0.0.1', port: dns.unboundPort, trusted: true }]);
    const look = async (facts: DoctorFacts, changed: Partial<DoctorOptions> = {}): Promise<DoctorLine[]> => {
      const parts = {
        facts,
        options: { ...options, ...changed },
        clock: systemClock,
        resolver,
        makeResolver: freshResolver,
      };
      return [...(await runDoctor(parts)).lines];
    };
    const visitor = async (): Promise<{ ip: string; at: number }> => ({
      ip: '198.51.100.9',
      at: systemClock.now(),
    });
    return {
      authority,
      dns,
      server,
      time,
      zone,
      stop,
      async domainLines(domain) {
        const facts = await doctorFacts(server.store, host, [domain], () => systemClock.now());
        return (await look({ ...facts, visitor })).filter((line) => line.domain === domain);
      },
      async serverLines({ facts: changed = {}, options: others = {} } = {}) {
        const facts = await doctorFacts(server.store, host, [], () => systemClock.now());
        return look({ ...facts, visitor, ...changed }, others);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Closers = (() => Promise<unknown>)[];

async function startMailServer(
  pair: { cert: string; key: string },
  plan: WorldPlan,
  closers: Closers,
): Promise<RunningServer> {
  const data = await mkdtemp(join(tmpdir(), 'postern-doctor-'));
  closers.push(() => rm(data, { recursive: true, force: true }));
  const listen = ['127.0.0.1:0'];
  const none: string[] = [];
  const tls = await openTlsStore({ files: [], clock: systemClock });
  tls.install([pair]);
  const server = await startServer({
    config: makeConfig({
      hostname: HOST,
      data,
      listen: {
        smtp: listen,
        submission: none,
        submissions: listen,
        imap: none,
        imaps: listen,
        managesieve: none,
        lmtp: none,
        http: listen,
      },
      limits: { sessions_per_address: 0 },
    }),
    logger: silentLogger,
    clock: systemClock,
    tls,
  });
  closers.push(() => server.stop({ graceMs: 0 }));
  const { write } = server.store;
  const keys = { r: await generateKeyPair('rsa-sha256'), e: await generateKeyPair('ed25519-sha256') };
  for (const { name: domain } of plan.domains) {
    await write.run('directory.addDomain', { actor: testActor, name: domain });
    for (const [
      selector,
      { algorithm, privatePem: privateKey, publicKeyBase64: publicKey },
    ] of Object.entries(keys))
      await write.run('directory.addDkimKey', {
        actor: testActor,
        domain,
        selector,
        algorithm,
        privateKey,
        publicKey,
      });
  }
  const json = JSON.stringify({ mta_sts: 'enforce' });
  await write.run('directory.saveSiteSettings', { actor: testActor, name: 'doctor', json });
  return server;
}

/** What stands in front of our HTTP port: it has the certificate, and hands on what it is asked. */
async function startProxy(
  pair: { cert: string; key: string },
  port: number,
  policies: Readonly<Record<string, string>>,
  closers: Closers,
): Promise<number> {
  const proxy = createHttps(pair, (request, response) => {
    const own = policies[(request.headers.host ?? '').replace(/:\d+$/, '')];
    if (own !== undefined) {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end(own);
      return;
    }
    const { method, url, headers } = request;
    const upstream = requestHttp(
      { port, host: '127.0.0.1', method, path: url, headers, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '0.0.0.0', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        proxy.close(resolve);
        proxy.closeAllConnections();
      }),
  );
  return (proxy.address() as AddressInfo).port;
}

/** A time server whose clock is off by so many seconds. */
async function startTimeServer(time: { offset: number }, closers: Closers): Promise<number> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    const reply = Buffer.alloc(48);
    reply[0] = 0x24;
    reply[1] = 2;
    query.copy(reply, 24, 40, 48);
    const now = systemClock.now() / 1000 + time.offset + 2_208_988_800;
    for (const at of [32, 40]) {
      reply.writeUInt32BE(Math.floor(now), at);
      reply.writeUInt32BE(Math.floor((now % 1) * 2 ** 32), at + 4);
    }
    socket.send(reply, peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closers.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return socket.address().port;
}
