import { isIPv6 } from 'node:net';
import { formatDate } from '../../mail/message/build.ts';
import type { SessionFacts } from '../service.ts';

/** Characters of a name that somebody else chose. */
const NAME_MAX = 255;
/** Octets of the longest field: names, one recipient and the fixed words. The advertised SIZE leaves room for it. */
export const RECEIVED_MAX = 2048;

/**
 * The Received field (RFC 5321 4.4) in the layout of aws-smtp-relay. `for` only where there is one recipient: with more,
 * naming the first would tell all of them of somebody who may be in Bcc.
 */
export function relayReceived(options: {
  readonly session: SessionFacts;
  /** Confirmed name of the client's address. */
  readonly reverseName: string | undefined;
  readonly hostname: string;
  readonly service: string;
  readonly recipients: readonly string[];
  readonly trace: string;
  readonly nowMs: number;
}): string {
  const { session, reverseName, hostname, service, recipients, trace, nowMs } = options;
  const ip = isIPv6(session.remoteAddress) ? `IPv6:${session.remoteAddress}` : session.remoteAddress;
  const [only, second] = recipients;
  const whom = only !== undefined && second === undefined ? `\r\n\tfor <${only}>` : '';
  return (
    `Received: from ${name(session.helo)} (${name(reverseName ?? 'unknown')} [${ip}])\r\n` +
    `\tby ${name(hostname)} (${comment(service)}) with ${protocol(session)} id ${trace}${whom};\r\n` +
    `\t${formatDate(nowMs)}\r\n`
  );
}

/** The client's address out of a field that we made. */
export function clientOfReceived(field: string): string {
  return /^Received: from \S+ \(\S+ \[(?:IPv6:)?([0-9a-f.:]*)\]\)\r\n/.exec(field)?.[1] ?? '';
}

/** RFC 3848. */
function protocol({ extended, tls, login }: SessionFacts): string {
  if (!extended) return 'SMTP';
  return `ESMTP${tls === undefined ? '' : 'S'}${login === undefined ? '' : 'A'}`;
}

/** Nothing that could end a line, a comment or an address. */
function name(text: string): string {
  return text.slice(0, NAME_MAX).replace(/[^A-Za-z0-9.\-:_[\]]/g, '?') || 'unknown';
}

function comment(text: string): string {
  return text.slice(0, NAME_MAX).replace(/[^\x20-\x7e]|[()\\]/g, '?');
}
