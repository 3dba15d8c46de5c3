import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  encodeBase64,
  encodeQuotedPrintable,
  foldField,
  formatAddress,
  formatDate,
  makeBoundary,
} from '../message/build.ts';

const compress = promisify(gzip);

export interface ReportMailInput {
  readonly kind: 'dmarc' | 'tls';
  readonly from: { readonly name: string; readonly address: string };
  readonly to: readonly string[];
  /** About whom, and who reports: domains. */
  readonly domain: string;
  readonly submitter: string;
  /** Letters and digits: it also stands in the file name. */
  readonly reportId: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly nowMs: number;
  /** The report itself, packed with gzip. */
  readonly packed: Buffer;
  /** For a person, in ASCII or not; lines ended by LF. */
  readonly text: string;
  readonly random: (count: number) => Buffer;
}

/** gzip of text in pieces, in libuv's pool. Between two pieces the event loop has its turn. */
export async function packText(pieces: Iterable<string>): Promise<Buffer> {
  const octets: Buffer[] = [];
  for (const piece of pieces) {
    octets.push(Buffer.from(piece, 'utf8'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return compress(Buffer.concat(octets));
}

/** `receiver!domain!begin!end!id.xml.gz` (RFC 9990 3.5.2), for TLS reports with .json.gz (RFC 8460 5.1). */
export function reportFileName(
  input: Pick<ReportMailInput, 'kind' | 'submitter' | 'domain' | 'beginMs' | 'endMs' | 'reportId'>,
): string {
  const { kind, submitter, domain, beginMs, endMs, reportId } = input;
  const times = [beginMs, endMs].map((ms) => Math.floor(ms / 1000));
  return `${[submitter, domain, ...times, reportId].join('!')}.${kind === 'dmarc' ? 'xml' : 'json'}.gz`;
}

/**
 * The message that carries a report: multipart/mixed for DMARC (RFC 9990 3.5.2), multipart/report for TLS (RFC 8460
 * 5.3). Only ASCII, lines of at most 998 octets.
 */
export function reportMail(input: ReportMailInput): { bytes: Buffer; messageId: string } {
  const { kind, from, to, domain, submitter, reportId, nowMs } = input;
  const boundary = makeBoundary(input.random(15));
  const messageId = `${reportId}.${kind}@${submitter}`;
  const header = [
    foldField('Date', formatDate(nowMs)),
    foldField('From', formatAddress(from.name, from.address)),
    foldField('To', to.map((address) => formatAddress('', address)).join(', ')),
    foldField(
      'Subject',
      `Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${reportId}@${submitter}>`,
    ),
    foldField('Message-ID', `<${messageId}>`),
    foldField('Auto-Submitted', 'auto-generated'), // RFC 3834 section 5
    ...(kind === 'tls' ? tlsFields(input) : []),
    foldField('MIME-Version', '1.0'),
    foldField('Content-Type', `${multipart(kind)} boundary="${boundary}"`),
  ];
  const type = kind === 'dmarc' ? 'application/gzip' : 'application/tlsrpt+gzip';
  const name = reportFileName(input);
  const bytes = Buffer.concat([
    Buffer.from(`${header.join('')}\r\n--${boundary}\r\n`),
    Buffer.from(
      'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
    ),
    encodeQuotedPrintable(Buffer.from(input.text)),
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${type};\r\n name="${name}"\r\n`),
    Buffer.from(
      `Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n filename="${name}"\r\n\r\n`,
    ),
    encodeBase64(input.packed),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { bytes, messageId };
}

function multipart(kind: ReportMailInput['kind']): string {
  return kind === 'dmarc' ? 'multipart/mixed;' : 'multipart/report; report-type="tlsrpt";';
}

/** RFC 8460 5.3; and the report about broken TLS must not wait for it (RFC 8460 section 3, RFC 8689 section 5). */
function tlsFields({ domain, submitter }: ReportMailInput): string[] {
  return [
    foldField('TLS-Report-Domain', domain),
    foldField('TLS-Report-Submitter', submitter),
    foldField('TLS-Required', 'No'),
  ];
}
