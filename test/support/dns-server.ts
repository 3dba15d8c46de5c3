import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import {
  AUTHENTIC_DATA,
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  type Answer,
  type Question,
  type TlsaData,
} from 'dns-packet';

/** The records of one name. An empty object makes the name exist without records (NODATA). */
export interface ZoneNode {
  A?: string[];
  AAAA?: string[];
  MX?: { preference: number; exchange: string }[];
  /** Each element one TXT record: text (split at 255 octets by itself) or its character-strings. */
  TXT?: (string | Buffer[])[];
  PTR?: string[];
  NS?: string[];
  CNAME?: string;
  TLSA?: TlsaData[];
  /** Seconds for every record of this name; default 300. */
  ttl?: number;
  fault?: Fault;
}

export type Fault =
  /** No answer, to the first `times` questions over UDP (all of them when absent). */
  | { kind: 'drop'; times?: number }
  | { kind: 'servfail'; times?: number }
  | { kind: 'refused' }
  /** TC over UDP, the full answer over TCP. */
  | { kind: 'truncated' }
  /** Answer after `ms` milliseconds. */
  | { kind: 'slow'; ms: number }
  /** A forged answer (wrong id, then wrong question) comes first, with this address; the right one after it. */
  | { kind: 'forged'; address: string }
  /** FORMERR to questions with EDNS. */
  | { kind: 'no-edns' }
  /** Only the CNAME, never its target, as some forwarders do. */
  | { kind: 'bare-cname' }
  /** Bytes that are no DNS message. */
  | { kind: 'garbage' };

/** Names without final dot, lower case. */
export type Zone = Record<string, ZoneNode>;

export interface DnsServerOptions {
  /** Set AD on every answer. */
  authenticated?: boolean;
  /** Minimum (negative TTL) of the SOA in denials, in seconds; null leaves the SOA out. Default 60. */
  negativeTtl?: number | null;
}

export interface TestDnsServer {
  readonly address: string;
  readonly port: number;
  /** May be changed while it runs. */
  readonly zone: Zone;
  readonly options: DnsServerOptions;
  /** Every question so far: "udp A example.test". */
  readonly asked: string[];
  /** Highest number of questions being answered at once. */
  readonly peak: () => number;
  close(): Promise<void>;
}

/** A scripted recursive DNS server on 127.0.0.1, UDP and TCP on one port. */
export async function startDnsServer(
  zone: Zone = {},
  options: DnsServerOptions = {},
): Promise<TestDnsServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  let busy = 0;
  let peak = 0;

  async function serve(bytes: Buffer, over: 'udp' | 'tcp', send: (reply: Buffer) => void): Promise<void> {
    const packet = decode(bytes);
    const question = packet.questions?.[0];
    if (question === undefined) return;
    asked.push(`${over} ${question.type} ${question.name}`);
    busy++;
    peak = Math.max(peak, busy);
    const fault = takeFault(zone[question.name.toLowerCase()]);
    const edns = (packet.additionals ?? []).some((extra) => extra.type === 'OPT');
    if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    for (const reply of replies(zone, options, packet.id ?? 0, question, over, edns, fault)) send(reply);
    busy--;
  }

  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const message = pending.subarray(2, 2 + pending.readUInt16BE(0));
        pending = pending.subarray(2 + message.length);
        void serve(message, 'tcp', (reply) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          // In two pieces: a client must not count on one segment.
          socket.write(Buffer.concat([length, reply.subarray(0, 5)]));
          setImmediate(() => socket.write(reply.subarray(5)));
        });
      }
    });
  });
  const { udp, port } = await bindBoth(tcp);
  udp.on('message', (bytes, peer) => {
    void serve(bytes, 'udp', (reply) => udp.send(reply, peer.port, peer.address));
  });
  return {
    address: '127.0.0.1',
    port,
    zone,
    options,
    asked,
    peak: () => peak,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
      await new Promise<void>((resolve) => udp.close(() => resolve()));
    },
  };
}

/** UDP and TCP on one free port; another program may hold the second half of a pair, so try again. */
async function bindBoth(tcp: ReturnType<typeof createServer>) {
  for (let attempt = 0; ; attempt++) {
    const udp = createSocket('udp4');
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const { port } = udp.address();
    try {
      await new Promise<void>((resolve, reject) => {
        tcp.once('error', reject);
        tcp.listen(port, '127.0.0.1', () => {
          tcp.removeListener('error', reject);
          resolve();
        });
      });
      return { udp, port };
    } catch (error) {
      udp.close();
      if (attempt >= 20) throw error;
    }
  }
}

function takeFault(node: ZoneNode | undefined): Fault | undefined {
  const fault = node?.fault;
  if (fault === undefined || !('times' in fault) || fault.times === undefined) return fault;
  if (fault.times <= 0) return undefined;
  fault.times--;
  return fault;
}

const RCODE = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

function replies(
  zone: Zone,
  options: DnsServerOptions,
  id: number,
  question: Question,
  over: 'udp' | 'tcp',
  edns: boolean,
  fault: Fault | undefined,
): Buffer[] {
  const error = (rcode: number): Buffer[] => [
    encode({
      type: 'response',
      id,
      flags: RECURSION_DESIRED | RECURSION_AVAILABLE | rcode,
      questions: [question],
    }),
  ];
  switch (fault?.kind) {
    case 'drop':
      return [];
    case 'servfail':
      return error(RCODE.SERVFAIL);
    case 'refused':
      return error(RCODE.REFUSED);
    case 'garbage':
      return [Buffer.from('no DNS message at all')];
    case 'no-edns':
      if (edns) return error(RCODE.FORMERR);
      break;
    case 'truncated':
      if (over === 'udp') {
        const flags = RECURSION_DESIRED | RECURSION_AVAILABLE | TRUNCATED_RESPONSE;
        return [encode({ type: 'response', id, flags, questions: [question] })];
      }
      break;
    case 'forged': {
      const lie: Answer[] = [{ type: 'A', name: question.name, ttl: 300, data: fault.address }];
      const other: Question = { ...question, name: `x${question.name}` };
      return [
        encode({ type: 'response', id: (id + 1) % 0x10000, questions: [question], answers: lie }),
        encode({ type: 'response', id, questions: [other], answers: lie }),
        encode({ type: 'query', id, questions: [question], answers: lie }),
        answer(zone, options, id, question, false),
      ];
    }
  }
  return [answer(zone, options, id, question, fault?.kind === 'bare-cname')];
}

function answer(
  zone: Zone,
  options: DnsServerOptions,
  id: number,
  question: Question,
  bareCname: boolean,
): Buffer {
  const answers: Answer[] = [];
  let name = question.name;
  let node = zone[name.toLowerCase()];
  for (let hops = 0; node?.CNAME !== undefined && question.type !== 'CNAME' && hops < 30; hops++) {
    answers.push({ type: 'CNAME', name, ttl: node.ttl ?? 300, data: node.CNAME });
    name = node.CNAME;
    node = zone[name.toLowerCase()];
    if (bareCname) break;
  }
  const found = node === undefined || bareCname ? [] : records(name, question.type, node);
  answers.push(...found);
  const exists = node !== undefined || bareCname;
  const minimum = options.negativeTtl === undefined ? 60 : options.negativeTtl;
  const denied = found.length === 0 && !bareCname && minimum !== null;
  const soa: Answer = {
    type: 'SOA',
    name: 'test',
    ttl: 900,
    data: {
      mname: 'ns.test',
      rname: 'hostmaster.test',
      serial: 1,
      refresh: 1,
      retry: 1,
      expire: 1,
      minimum: minimum ?? 0,
    },
  };
  return encode({
    type: 'response',
    id,
    flags:
      RECURSION_DESIRED |
      RECURSION_AVAILABLE |
      (options.authenticated === true ? AUTHENTIC_DATA : 0) |
      (exists ? 0 : RCODE.NXDOMAIN),
    questions: [question],
    answers,
    authorities: denied ? [soa] : [],
  });
}

function records(name: string, type: string, node: ZoneNode): Answer[] {
  const ttl = node.ttl ?? 300;
  switch (type) {
    case 'A':
    case 'AAAA':
    case 'PTR':
    case 'NS':
      return (node[type] ?? []).map((data): Answer => ({ type, name, ttl, data }));
    case 'CNAME':
      return node.CNAME === undefined ? [] : [{ type, name, ttl, data: node.CNAME }];
    case 'MX':
      return (node.MX ?? []).map(({ preference, exchange }): Answer => {
        return { type, name, ttl, data: { preference, exchange: exchange === '' ? '.' : exchange } };
      });
    case 'TXT':
      return (node.TXT ?? []).map(
        (data): Answer => ({ type, name, ttl, data: typeof data === 'string' ? pieces(data) : data }),
      );
    case 'TLSA':
      return (node.TLSA ?? []).map((data): Answer => ({ type, name, ttl, data }));
    default:
      return [];
  }
}

function pieces(text: string): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const out: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) out.push(bytes.subarray(at, at + 255));
  return out;
}
