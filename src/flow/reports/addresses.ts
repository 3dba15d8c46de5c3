import type { Clock } from '../../base/clock.ts';
import type { Store } from '../../data/store.ts';
import { normalizeDomain } from '../../mail/address/domain.ts';
import type { Dns } from '../../mail/dns.ts';
import type { ReportKind } from '../../mail/reports/find-report.ts';
import { reportRequest } from '../../mail/reports/rua.ts';

/** Names above a domain that are asked for in the directory. */
const LABELS_MAX = 10;
/** Milliseconds the first administrator's address is remembered. */
const ADMIN_MS = 600_000;

/** Local parts at domains of ours that take reports whatever DNS says. */
export const REPORT_LOCAL_PARTS: Readonly<Record<ReportKind, readonly string[]>> = {
  dmarc: ['dmarc-reports', 'dmarc', 'dmarc-rua', 'postmaster'],
  tls: ['tls-reports', 'tlsrpt', 'tls-rpt', 'postmaster'],
  arf: ['abuse', 'postmaster', 'fbl', 'complaints', 'feedback'],
};

export interface AddressParts {
  readonly store: Pick<Store, 'read'>;
  readonly dns: Dns | undefined;
  /** Where the DNS records that we propose send reports (ServerFacts.adminAddress). */
  readonly adminAddress: () => Promise<string | undefined>;
}

/** The first administrator's address, as the proposed DNS records name it; remembered for ten minutes. */
export function firstAdministrator(
  store: Pick<Store, 'read'>,
  clock: Clock,
): () => Promise<string | undefined> {
  let known: string | undefined;
  let until = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.monotonic() < until) return known;
    known = await store.read.run('reports.firstAdministrator', null);
    until = clock.monotonic() + ADMIN_MS;
    return known;
  };
}

/** Whether a domain, or one above it, is ours. */
export async function isOurDomain({ store }: Pick<AddressParts, 'store'>, domain: string): Promise<boolean> {
  const labels = (normalizeDomain(domain) ?? '').split('.').slice(-LABELS_MAX);
  for (let from = 0; from < labels.length; from++) {
    const name = labels.slice(from).join('.');
    if (name !== '' && (await store.read.run('directory.domain', { name })) !== undefined) return true;
  }
  return false;
}

/**
 * Whether any of the recipients is an address that we ask others to send such reports to: by its usual name at a domain
 * of ours, the administrator's, or as the published record of its domain, or of the one the report says it is about, has
 * it.
 */
export async function isReportAddress(
  parts: AddressParts,
  kind: ReportKind,
  recipients: readonly string[],
  hint: string | undefined,
): Promise<boolean> {
  const wanted = recipients.map((address) => address.toLowerCase());
  const admin = (await parts.adminAddress())?.toLowerCase();
  for (const address of wanted) {
    if (address === admin && kind !== 'arf') return true;
    const at = address.lastIndexOf('@');
    const known = REPORT_LOCAL_PARTS[kind].includes(address.slice(0, at));
    if (known && (await isOurDomain(parts, address.slice(at + 1)))) return true;
  }
  if (kind === 'arf') return false;
  const domains = new Set(wanted.map((address) => address.slice(address.lastIndexOf('@') + 1)));
  if (hint !== undefined) domains.add(hint);
  for (const domain of domains) {
    const published = await publishedAddresses(parts, kind, domain);
    if (wanted.some((address) => published.includes(address))) return true;
  }
  return false;
}

/** Lower-case addresses in the rua of a domain of ours; none for other domains, and while DNS does not answer. */
export async function publishedAddresses(
  parts: AddressParts,
  kind: 'dmarc' | 'tls',
  domain: string,
): Promise<readonly string[]> {
  if (parts.dns === undefined || !(await isOurDomain(parts, domain))) return [];
  const answer = await parts.dns.query(kind === 'dmarc' ? `_dmarc.${domain}` : `_smtp._tls.${domain}`, 'TXT');
  if (answer.status !== 'ok') return [];
  const request = reportRequest(answer.records, kind === 'dmarc' ? 'DMARC1' : 'TLSRPTv1');
  return (request?.uris ?? []).flatMap((uri) => (uri.scheme === 'mailto' ? [uri.address.toLowerCase()] : []));
}
