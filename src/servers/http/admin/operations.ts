import { access } from './access.ts';
import { accounts } from './accounts.ts';
import { alerts } from './alerts.ts';
import { adminAccess } from './admin-settings.ts';
import { aliases } from './aliases.ts';
import { audit } from './audit.ts';
import { backup } from './backup.ts';
import { bans } from './bans.ts';
import { certificates } from './certificates.ts';
import { delegation } from './delegation.ts';
import { dkim } from './dkim.ts';
import { doctor } from './doctor.ts';
import { dns } from './dns.ts';
import { domains } from './domains.ts';
import { filter } from './filter.ts';
import { findings, reportSeries } from './findings.ts';
import { grants } from './grants.ts';
import { groups } from './groups.ts';
import { holds } from './holds.ts';
import { housekeeping } from './housekeeping.ts';
import { intake } from './intake.ts';
import { importing } from './importing.ts';
import { invitations } from './invitations.ts';
import { journal } from './journal.ts';
import { lookup } from './lookup.ts';
import { overview } from './overview.ts';
import { queue } from './queue.ts';
import { reports } from './reports.ts';
import { routing } from './routing.ts';
import { search } from './search.ts';
import { secrets } from './secrets.ts';
import { ses } from './ses.ts';
import { setup } from './setup.ts';
import { sieve } from './sieve.ts';
import { selfService } from './self-service.ts';
import { sharing } from './sharing.ts';
import { stats } from './stats.ts';
import { status } from './status.ts';
import { suppression } from './suppression.ts';
import { trace } from './trace.ts';
import { vault } from './vault.ts';

/** Every administrative operation, by area. The command line and web pages do nothing that is not here. */
export const operations = {
  domains,
  accounts,
  access,
  aliases,
  alerts,
  grants,
  dkim,
  dns,
  doctor,
  queue,
  reports: { ...reports, findings, series: reportSeries },
  routing,
  ses,
  suppression,
  journal,
  lookup,
  importing,
  search,
  selfService,
  secrets,
  sharing,
  trace,
  audit,
  status,
  certificates,
  backup,
  bans,
  holds,
  housekeeping,
  filter,
  sieve,
  intake,
  vault,
  overview,
  stats,
  groups,
  invitations,
  delegation,
  setup,
  adminAccess,
} as const;
