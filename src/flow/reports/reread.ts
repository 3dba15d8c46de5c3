import type { Store } from '../../data/store.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { parseStructure } from '../../mail/message/serialize.ts';
import { type AddressParts, publishedAddresses, REPORT_LOCAL_PARTS } from './addresses.ts';
import { type IntakeParts, recogniseBySubject, type ReportIntake } from './intake.ts';
import { reporterOfPrefix } from './reporter.ts';

/** Domains whose report addresses are looked up; a site with more gets its reports at one of them, as a rule. */
const DOMAINS_MAX = 1000;
/** Emails in one look: each look goes through all of an account's, in a thread for such. */
const PAGE = 500;
/** Emails or addresses looked at between two turns of the event loop. */
const PAUSE = 20;
/** Reports read in one go. */
const REPORTS_MAX = 2000;

export interface RereadParts extends IntakeParts {
  readonly hostname: () => string;
  readonly delimiter: () => string;
}

/**
 * Go through the mailboxes behind the report addresses for reports that came since a time (ms): those that a crash, or
 * too many at once, kept from being read. What was read before is known by its id. Returns how many were looked at.
 */
export async function rereadReports(
  parts: RereadParts,
  intake: ReportIntake,
  since: number,
  stopping: () => boolean,
): Promise<number> {
  let seen = 0;
  for (const accountId of await reportAccounts(parts)) {
    for (let after = 0; ; ) {
      const page = await parts.store.read.run('reports.mailSince', { accountId, after, since, limit: PAGE });
      for (const [i, mail] of page.entries()) {
        if (i % PAUSE === 0) await turn();
        after = mail.id;
        const report = recogniseBySubject(parseStructure(mail.structure), '');
        if (report === undefined) continue;
        if (++seen > REPORTS_MAX || stopping()) return seen;
        const prefix = Buffer.from(mail.prefix);
        const recipients = readHeader(prefix).all('delivered-to');
        const reporter = reporterOfPrefix(prefix, parts.hostname());
        const { receivedAt, blobId } = mail;
        if (!(await intake.now({ report, recipients, receivedAt, reporter, blobId }))) return seen;
      }
      if (page.length < PAGE) break;
    }
  }
  return seen;
}

/** Accounts that get what is sent to the addresses for reports. */
async function reportAccounts(parts: RereadParts): Promise<ReadonlySet<number>> {
  const addresses = new Set<string>();
  const admin = await parts.adminAddress();
  if (admin !== undefined) addresses.add(admin.toLowerCase());
  const locals = new Set(Object.values(REPORT_LOCAL_PARTS).flat());
  const domains = await parts.store.read.run('directory.domains', null);
  for (const { name } of domains.slice(0, DOMAINS_MAX)) {
    for (const local of locals) addresses.add(`${local}@${name}`);
    for (const kind of ['dmarc', 'tls'] as const)
      for (const address of await publishedAddresses(parts satisfies AddressParts, kind, name))
        addresses.add(address);
  }
  const accounts = new Set<number>();
  let looked = 0;
  for (const address of addresses) {
    if (++looked % PAUSE === 0) await turn();
    for (const id of await accountsOf(parts, address)) accounts.add(id);
  }
  return accounts;
}

async function accountsOf(
  { store, delimiter }: { store: Pick<Store, 'read'>; delimiter: () => string },
  address: string,
): Promise<number[]> {
  const at = address.lastIndexOf('@');
  const [localPart, domain] = [address.slice(0, at), address.slice(at + 1)];
  const found = await store.read.run('directory.resolve', {
    localPart,
    domain,
    delimiter: delimiter(),
    size: 0,
  });
  if (found.status !== 'ok') return [];
  return found.targets.flatMap((target) => (target.kind === 'account' ? [target.accountId] : []));
}

/** Lets others have their turn: reads in place do not. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
