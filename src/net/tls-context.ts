import { constants, createHash, hkdfSync, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { TlsFacts } from './tls.ts';

/**
 * `strict`: mail programs and everything with a password. `opportunistic`: port 25, where the alternative to a weaker
 * cipher is no encryption at all (RFC 7435), so TLS 1.2 peers without forward secrecy or AEAD are still met.
 */
export type TlsProfile = 'strict' | 'opportunistic';

/** RFC 9325 section 4.2: ECDHE with AEAD, then what TLS 1.3 brings by itself. */
const STRICT_CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Then what old mail servers have: CBC, and key exchange by RSA. */
const OPPORTUNISTIC_CIPHERS = [
  STRICT_CIPHERS,
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA256',
  'AES256-SHA256',
  'AES128-SHA',
  'AES256-SHA',
].join(':');

/** Cipher suites of a profile in OpenSSL's notation; TLS 1.2 is the least version of both (RFC 8996). */
export function profileOptions(profile: TlsProfile): { minVersion: 'TLSv1.2'; ciphers: string } {
  return { minVersion: 'TLSv1.2', ciphers: profile === 'strict' ? STRICT_CIPHERS : OPPORTUNISTIC_CIPHERS };
}

export interface ServerContextOptions {
  /** PEM: the certificate, then its chain. */
  readonly cert: string | Buffer;
  /** PEM, without passphrase. */
  readonly key: string | Buffer;
  readonly profile: TlsProfile;
  /**
   * Name of the service ("smtp", "imap"). Sessions and tickets of one service are no good at another, so that an
   * attacker in the middle cannot carry a resumption from one protocol to the next.
   */
  readonly service: string;
  /** Secret from which ticket keys come, the same in all processes that serve one name; random per process when absent. */
  readonly ticketSecret?: Buffer;
}

const endPoints = new WeakMap<SecureContext, Buffer>();

/** A server's context. Throws OpenSSL's error when certificate and key do not fit each other. */
export function createServerContext(options: ServerContextOptions): SecureContext {
  const { service, ticketSecret } = options;
  const context = createSecureContext({
    ...profileOptions(options.profile),
    cert: options.cert,
    key: options.key,
    honorCipherOrder: true,
    // TLS 1.2 clients could have us do a handshake's work again and again (RFC 9325 section 3.5 lets it be refused).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    dhparam: 'auto',
    // At most 32 octets of id context.
    sessionIdContext: createHash('sha256').update(`postern ${service}`).digest('hex').slice(0, 32),
    ...(ticketSecret && { ticketKeys: ticketKeys(ticketSecret, service) }),
  });
  const endPoint = serverEndPoint(new X509Certificate(options.cert));
  if (endPoint !== undefined) endPoints.set(context, endPoint);
  return context;
}

/** 48 octets of ticket keys for one service. */
function ticketKeys(secret: Buffer, service: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'postern tls tickets', service, 48));
}

/** tls-server-end-point (RFC 5929 section 4.1): the certificate hashed as its signature was, SHA-256 for MD5 and SHA-1. */
export function serverEndPoint(certificate: X509Certificate): Buffer | undefined {
  const named = /sha-?(1|224|256|384|512)(?!\d)/i.exec(certificate.signatureAlgorithm ?? '')?.[1];
  const md5 = /md5/i.test(certificate.signatureAlgorithm ?? '');
  if (named === undefined && !md5) return undefined; // Ed25519 and RSASSA-PSS: not defined
  const hash = named === undefined || named === '1' ? 'sha256' : `sha${named}`;
  return createHash(hash).update(certificate.raw).digest();
}

/** Octets of the exporter value (RFC 9266 section 2). */
const EXPORTER_BYTES = 32;

/** What a finished handshake tells; `context` is the one that was served, undefined on the client side. */
export function tlsFacts(socket: TLSSocket, context: SecureContext | undefined): TlsFacts {
  const version = socket.getProtocol() ?? 'unknown';
  const serverName =
    'servername' in socket && typeof socket.servername === 'string' ? socket.servername : undefined;
  return {
    version,
    cipher: socket.getCipher().standardName,
    serverName,
    // On TLS 1.2 it would need the extended master secret, which cannot be asked about here (RFC 9266 section 4.2).
    exporter:
      version === 'TLSv1.3'
        ? socket.exportKeyingMaterial(EXPORTER_BYTES, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
        : undefined,
    serverEndPoint: context && endPoints.get(context),
  };
}
