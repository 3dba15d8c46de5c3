import { normalizeDomain } from '../address/domain.ts';
import { formatAddress, parseMailbox } from '../address/path.ts';
import type { TxtRecord } from '../dns.ts';
import { isTagError, parseTags, type TagList } from '../dkim/tags.ts';

/** Addresses of one record that are looked at; RFC 9990 3.5 leaves the number to us. */
const URIS_MAX = 5;
const RECORD_CHARS = 4096;

/** Where reports are wanted. */
export type ReportUri =
  | {
      readonly scheme: 'mailto';
      readonly address: string;
      /** Domain of the address, normalised. */
      readonly domain: string;
      /** Octets of a message it takes; undefined: no limit. */
      readonly maxBytes: number | undefined;
    }
  /** One that is not used, and why not, in one clause. */
  | { readonly scheme: 'other'; readonly uri: string; readonly problem: string };

/** A record that asks for reports. */
export interface ReportRequest {
  readonly uris: readonly ReportUri[];
  readonly tags: TagList;
}

/**
 * The record among the TXT records of `_dmarc.` (version 'DMARC1') or `_smtp._tls.` ('TLSRPTv1') that counts. Several
 * valid ones are none (RFC 9989 4.10, RFC 8460 section 3). Undefined when nobody wants reports.
 */
export function reportRequest(
  records: readonly TxtRecord[],
  version: 'DMARC1' | 'TLSRPTv1',
): ReportRequest | undefined {
  const valid = records.flatMap(({ text }) => tagsOf(text, version) ?? []);
  const [only, second] = valid;
  const rua = only?.get('rua')?.value;
  if (only === undefined || second !== undefined || rua === undefined) return undefined;
  const uris = reportUris(rua, version === 'DMARC1');
  return uris.length === 0 ? undefined : { uris, tags: only };
}

/** The tags of a record of that version; undefined for anything else. */
export function tagsOf(text: string, version: string): TagList | undefined {
  // The version has to come first: what begins otherwise is another kind of record.
  if (!/^\s*v\s*=/.test(text.slice(0, 100))) return undefined;
  const tags = parseTags(text.slice(0, RECORD_CHARS));
  if (isTagError(tags)) return undefined;
  return tags.get('v')?.value === version ? tags : undefined;
}

/** The URIs of a rua tag (RFC 9989 4.8, RFC 8460 section 3): commas and exclamation marks inside them are encoded. */
export function reportUris(value: string, withSize: boolean): ReportUri[] {
  return value
    .split(',', URIS_MAX)
    .map((uri) => uri.trim())
    .filter((uri) => uri !== '')
    .map((uri) => reportUri(uri, withSize));
}

function reportUri(text: string, withSize: boolean): ReportUri {
  const size = withSize ? /!(\d{1,12})([kmgt]?)$/i.exec(text) : null;
  const uri = size === null ? text : text.slice(0, size.index);
  const other = (problem: string): ReportUri => ({ scheme: 'other', uri: uri.slice(0, 200), problem });
  if (/^https:/i.test(uri)) return other('reports by HTTPS are not sent, only by mail');
  if (!/^mailto:/i.test(uri)) return other('it is no mailto: address');
  const written = percentDecoded(uri.slice('mailto:'.length).split('?', 1)[0] ?? '');
  const mailbox = written === undefined ? undefined : parseMailbox(written, { smtputf8: false });
  if (mailbox?.kind !== 'mailbox' || mailbox.ip !== undefined) return other('it is no mail address');
  const units = 'kmgt'.indexOf((size?.[2] ?? '').toLowerCase() || '?') + 1;
  const maxBytes = size === null ? undefined : Number(size[1]) * 1024 ** units;
  return { scheme: 'mailto', address: formatAddress(mailbox), domain: mailbox.domain, maxBytes };
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * The name whose TXT record says that `destination` takes reports about `policyDomain` (RFC 9990 section 4, steps 1 to
 * 4); undefined when there can be no such name.
 */
export function consentName(policyDomain: string, destination: string): string | undefined {
  return normalizeDomain(`${policyDomain}._report._dmarc.${destination}`);
}

/** What the records at `consentName` say (steps 6 to 9): no consent, consent, or consent with another address. */
export function reportConsent(
  records: readonly TxtRecord[],
  destination: string,
): 'none' | 'given' | Extract<ReportUri, { scheme: 'mailto' }> {
  const valid = records.flatMap(({ text }) => tagsOf(text, 'DMARC1') ?? []);
  if (valid.length === 0) return 'none';
  const rua = valid.find((tags) => tags.has('rua'))?.get('rua')?.value;
  if (rua === undefined) return 'given';
  const [instead] = reportUris(rua, true);
  // One that sends the report on to yet another host is void altogether.
  return instead?.scheme === 'mailto' && instead.domain === destination ? instead : 'none';
}
