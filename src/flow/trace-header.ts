import { formatDate } from '../mail/message/build.ts';
import { isIPv6 } from 'node:net';
import type { SessionFacts } from './service.ts';

/** Characters of a client's HELO name that go into a header. */
const HELO_MAX = 255;
/** Characters of the name of a host that took it for us. */
const VIA_MAX = 100;

/**
 * The Received field (RFC 5321 4.4, RFC 3848 protocol names). `from` is left out for submissions, so that neither the
 * sender's address nor the name of their machine leaks to recipients.
 */
export function receivedField(options: {
  session: SessionFacts;
  hostname: string;
  trace: string;
  nowMs: number;
  smtputf8: boolean;
  /** Named only when the message has exactly one recipient here, so that Bcc recipients stay unknown to others. */
  recipient: string | undefined;
}): string {
  const { session, hostname, trace, nowMs, smtputf8, recipient } = options;
  // What another host took for us has a field of that host's that names the client.
  const anonymous = session.protocol === 'submission' || session.via !== undefined;
  const from = anonymous ? '' : `from ${clientName(session)}\r\n\t`;
  const tls = session.tls === undefined ? '' : ` (${session.tls.version} ${session.tls.cipher})`;
  const via =
    session.via === undefined ? '' : ` (${session.via.replace(/[^A-Za-z0-9.\- ]/g, '?').slice(0, VIA_MAX)})`;
  const forWhom = recipient === undefined ? '' : `\r\n\tfor <${recipient}>`;
  return `Received: ${from}by ${hostname} with ${protocolName(session, smtputf8)}${tls}${via} id ${trace}${forWhom};\r\n\t${formatDate(nowMs)}\r\n`;
}

/** `name ([192.0.2.1])`: what the client says, then what we know. */
function clientName(session: SessionFacts): string {
  const address = isIPv6(session.remoteAddress) ? `IPv6:${session.remoteAddress}` : session.remoteAddress;
  return `${printable(session.helo) || 'unknown'} (${address === '' ? 'local socket' : `[${address}]`})`;
}

/** HELO comes from a stranger: nothing that could end a line, a comment or an address stays. */
function printable(helo: string): string {
  return helo.slice(0, HELO_MAX).replace(/[^A-Za-z0-9.\-:_[\]]/g, '?');
}

/** RFC 3848 and RFC 6531 4.3: SMTP, ESMTP, S for TLS, A for authentication, LMTP likewise, UTF8 in front. */
function protocolName(session: SessionFacts, smtputf8: boolean): string {
  if (session.via !== undefined) return 'HTTPS';
  const base = session.protocol === 'lmtp' ? 'LMTP' : session.extended ? 'ESMTP' : 'SMTP';
  const suffix = `${session.tls === undefined ? '' : 'S'}${session.login === undefined ? '' : 'A'}`;
  const name = base === 'SMTP' ? 'SMTP' : base + suffix;
  return smtputf8 && base !== 'SMTP' ? `UTF8${base === 'ESMTP' ? 'SMTP' : base}${suffix}` : name;
}

/** Return-Path and Delivered-To, which the final delivery adds (RFC 5321 4.4). */
export function deliveryFields(reversePath: string, deliveredTo: string): string {
  return `Return-Path: <${reversePath}>\r\nDelivered-To: ${deliveredTo}\r\n`;
}
