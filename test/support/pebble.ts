/** Pebble, Let's Encrypt's ACME server for tests, and a stub before it for what it lacks (RFC 9773). */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, createAuthority } from './authority.ts';

export interface PebbleOptions {
  /** Where it looks for proofs, in the places of 80 and 443. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Port of the DNS server it asks, on 127.0.0.1. */
  readonly dnsPort: number;
  /** Its own switches: PEBBLE_WFE_NONCEREJECT and the like. */
  readonly env?: Readonly<Record<string, string>>;
  /** Accounts must be bound to this one. */
  readonly external?: { readonly keyId: string; readonly hmacKey: string };
}

export interface Pebble {
  readonly port: number;
  /** URL of its directory. */
  readonly directory: string;
  /** File with the authority to trust when speaking to it. */
  readonly caFile: string;
  readonly authority: Authority;
  /** PEM of the root it issues below. */
  root(): Promise<string>;
  output(): string;
  stop(): Promise<void>;
}

export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const directory = await mkdtemp(join(tmpdir(), 'pebble-'));
  const file = (name: string): string => join(directory, name);
  const authority = createAuthority('Pebble Front');
  const front = authority.issue(['localhost']);
  const [port, management] = [await freePort(), await freePort()];
  const { external } = options;
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: file('front.pem'),
    privateKey: file('front.key'),
    httpPort: options.httpPort,
    tlsPort: options.tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: external !== undefined,
    externalAccountMACKeys: external === undefined ? {} : { [external.keyId]: external.hmacKey },
  };
  await writeFile(file('ca.pem'), authority.cert);
  await writeFile(file('front.pem'), front.cert);
  await writeFile(file('front.key'), front.key);
  await writeFile(file('config.json'), JSON.stringify({ pebble }));
  const args = ['-strict', '-config', file('config.json'), '-dnsserver', `127.0.0.1:${options.dnsPort}`];
  const env = { PATH: process.env.PATH, PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0', ...options.env };
  const child = spawn('pebble', args, { env, cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  const ca = authority.cert;
  try {
    await answering(child, port, ca, () => output);
  } catch (error) {
    await end(child);
    throw error;
  }
  return {
    port,
    directory: `https://localhost:${port}/dir`,
    caFile: file('ca.pem'),
    authority,
    root: async () => (await ask({ port: management, path: '/roots/0', ca })).body.toString(),
    output: () => output,
    async stop() {
      await end(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, 'exit');
  child.kill('SIGKILL');
  await over;
}

async function answering(child: ChildProcess, port: number, ca: string, output: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) break;
    const found = await ask({ port, path: '/dir', ca }).catch(() => undefined);
    if (found?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`pebble does not answer: ${output()}`);
}

/** A port of 127.0.0.1 that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

interface Asked {
  readonly port: number;
  readonly path: string;
  readonly ca: string;
  readonly method?: string | undefined;
  readonly headers?: IncomingMessage['headers'];
  readonly body?: Buffer;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function ask({ port, path, ca, method = 'GET', headers = {}, body }: Asked): Promise<Answered> {
  const sent = httpsRequest({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    path,
    ca,
    method,
    headers,
    agent: false,
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await whole(response) };
}

async function whole(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

export interface AcmeFront {
  readonly directory: string;
  /** What is answered about the renewal of every certificate; undefined: 404. */
  wish: { start: number; end: number; explanationURL?: string; retryAfter?: number } | undefined;
  /** Payloads of new orders that Pebble took. */
  readonly orders: { identifiers: { value: string }[]; replaces?: string; profile?: string }[];
  /** Certificates that were asked about. */
  readonly askedAbout: string[];
  /** Answer the next requests to a path that begins so with this instead, `times` times. */
  fail(
    path: string,
    times: number,
    answer: { status: number; headers?: Record<string, string>; body?: object },
  ): void;
  stop(): Promise<void>;
}

/** Stands before Pebble under its name: adds `renewalInfo` (RFC 9773), looks at orders, fails when it is told to. */
export async function startAcmeFront(pebble: Pebble): Promise<AcmeFront> {
  const { authority } = pebble;
  const { cert, key } = authority.issue(['localhost']);
  const failures: { path: string; times: number; answer: Parameters<AcmeFront['fail']>[2] }[] = [];
  const front: AcmeFront = {
    directory: '',
    wish: undefined,
    orders: [],
    askedAbout: [],
    fail: (path, times, answer) => void failures.push({ path, times, answer }),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  function renewalInfo(path: string, response: ServerResponse): void {
    front.askedAbout.push(path.slice(path.lastIndexOf('/') + 1));
    const { wish } = front;
    if (wish === undefined) return void response.writeHead(404).end('{}');
    const suggestedWindow = {
      start: new Date(wish.start).toISOString(),
      end: new Date(wish.end).toISOString(),
    };
    const { explanationURL } = wish;
    response.writeHead(200, { 'Retry-After': String(wish.retryAfter ?? 21_600) });
    response.end(JSON.stringify({ suggestedWindow, ...(explanationURL && { explanationURL }) }));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '/', method, headers } = request;
    const body = await whole(request);
    const failure = failures.find((one) => one.times > 0 && path.startsWith(one.path));
    if (failure !== undefined) {
      failure.times--;
      const { status, headers: fields = {}, body: told = {} } = failure.answer;
      return void response
        .writeHead(status, { 'Content-Type': 'application/problem+json', ...fields })
        .end(JSON.stringify(told));
    }
    if (path.startsWith('/renewal-info/')) return renewalInfo(path, response);
    // The name in Host stays, so that Pebble's URLs lead back here and signatures are for them.
    const answer = await ask({ port: pebble.port, path, ca: authority.cert, method, headers, body });
    // Those with a nonce that was refused come again.
    if (path === '/order-plz' && answer.status === 201) {
      const { payload } = JSON.parse(body.toString()) as { payload: string };
      front.orders.push(
        JSON.parse(Buffer.from(payload, 'base64url').toString()) as AcmeFront['orders'][number],
      );
    }
    const told = path === '/dir' ? withRenewalInfo(answer.body, headers.host ?? '') : answer.body;
    const { 'content-length': _length, 'transfer-encoding': _encoding, ...fields } = answer.headers;
    response
      .writeHead(answer.status, { ...fields, ...(method !== 'HEAD' && { 'content-length': told.length }) })
      .end(told);
  }

  const server = createHttpsServer({ cert, key }, (request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return Object.assign(front, { directory: `https://localhost:${address.port}/dir` });
}

function withRenewalInfo(body: Buffer, host: string): Buffer {
  const directory = JSON.parse(body.toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...directory, renewalInfo: `https://${host}/renewal-info` }));
}
