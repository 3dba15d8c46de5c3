import { parameter, rawParameter } from '../message/params.ts';
import type { MessageStructure, Part } from '../message/structure.ts';
import { eachPart } from '../message/structure.ts';

/** Kinds of reports that addresses are published for. */
export type ReportKind = 'dmarc' | 'tls' | 'arf';

/** A range of octets of the message that has to be decoded. */
export interface PartRange {
  readonly start: number;
  readonly end: number;
  readonly encoding: string;
}

/** A message that looks like a report, and where in it the report stands. */
export type FoundReport =
  | { readonly kind: 'dmarc' | 'tls'; readonly part: PartRange; readonly fileName: string }
  | { readonly kind: 'arf'; readonly part: PartRange; readonly original: PartRange | undefined }
  /** A delivery status notification (RFC 3464), read as a whole. */
  | { readonly kind: 'dsn' };

/** Parts of a message that are looked at: a report has two or three. */
const PARTS_MAX = 20;

/** Containers in which aggregate reports come. */
const PACKED: ReadonlySet<string> = new Set([
  'application/gzip',
  'application/x-gzip',
  'application/gzip-compressed',
  'application/x-gzip-compressed',
  'application/zip',
  'application/x-zip',
  'application/x-zip-compressed',
  'application/octet-stream',
  'application/xml',
  'text/xml',
]);

/** receiver!domain!begin!end[!id].ext (RFC 7489 7.2.1.1, RFC 9990 3.5.2, RFC 8460 5.1); each part is bounded. */
const FILE_NAME =
  /^[^!]{1,255}!([^!]{1,255})!\d{1,14}!\d{1,14}(?:![^!]{0,255})?\.(xml|xml\.gz|gz|zip|json|json\.gz)$/i;

/**
 * Whether a message looks like a report: by media types and file names alone, in a few microseconds, so that it
 * can be asked of every message. `subject` is the raw field. Says nothing about whether it is one, or whose.
 */
export function findReport(structure: MessageStructure, subject: string): FoundReport | undefined {
  const { root } = structure;
  const reportType = root.subtype === 'report' ? rawParameter(root.params, 'report-type')?.toLowerCase() : '';
  if (reportType === 'delivery-status') return { kind: 'dsn' };
  const aggregate = /^\s*report\s+domain:/i.test(subject);
  const parts = firstParts(root);
  for (const part of parts) {
    const type = `${part.type}/${part.subtype}`;
    if (type === 'message/feedback-report')
      return { kind: 'arf', part: range(part), original: returned(parts) };
    if (reportType === 'feedback-report') continue;
    const fileName = fileNameOf(part);
    if (type === 'application/tlsrpt+gzip' || type === 'application/tlsrpt+json')
      return { kind: 'tls', part: range(part), fileName };
    const match = PACKED.has(type) ? FILE_NAME.exec(fileName) : null;
    if (match !== null) {
      const kind = /json/i.test(match[2] ?? '') || reportType === 'tlsrpt' ? 'tls' : 'dmarc';
      return { kind, part: range(part), fileName };
    }
    if (aggregate && PACKED.has(type)) return { kind: 'dmarc', part: range(part), fileName };
  }
  return undefined;
}

/** The domain that a file name or a subject says the report is about, lower case. A hint, nothing more. */
export function hintedDomain(found: FoundReport, subject: string): string | undefined {
  const named =
    found.kind === 'arf' || found.kind === 'dsn' ? undefined : FILE_NAME.exec(found.fileName)?.[1];
  return (named ?? /report\s+domain:\s*([^\s;]{1,255})/i.exec(subject.slice(0, 1000))?.[1])?.toLowerCase();
}

function firstParts(root: Part): Part[] {
  const parts: Part[] = [];
  for (const part of eachPart(root)) {
    if (part.type !== 'multipart') parts.push(part);
    if (parts.length >= PARTS_MAX) break;
  }
  return parts;
}

function returned(parts: readonly Part[]): PartRange | undefined {
  const part = parts.find(
    ({ type, subtype }) =>
      (type === 'message' && (subtype === 'rfc822' || subtype === 'global')) ||
      subtype === 'rfc822-headers' ||
      subtype === 'global-headers',
  );
  return part && range(part);
}

function range({ bodyStart, bodyEnd, encoding }: Part): PartRange {
  return { start: bodyStart, end: bodyEnd, encoding };
}

function fileNameOf({ disposition, params }: Part): string {
  return (disposition && parameter(disposition.params, 'filename')) ?? parameter(params, 'name') ?? '';
}
