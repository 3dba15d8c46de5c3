import { accounts } from './accounts.ts';
import { alerts } from './alerts.ts';
import { aliases } from './aliases.ts';
import { audit } from './audit.ts';
import { backup } from './backup.ts';
import { bans } from './bans.ts';
import { certificates } from './certificates.ts';
import { dkim } from './dkim.ts';
import { doctor } from './doctor.ts';
import { dns } from './dns.ts';
import { domains } from './domains.ts';
import { filter } from './filter.ts';
import { grants } from './grants.ts';
import { holds } from './holds.ts';
import { housekeeping } from './housekeeping.ts';
import { intake } from './intake.ts';
import { importing } from './importing.ts';
import { journal } from './journal.ts';
import { lookup } from './lookup.ts';
import { queue } from './queue.ts';
import { reports } from './reports.ts';
import { routing } from './routing.ts';
import { search } from './search.ts';
import { secrets } from './secrets.ts';
import { sieve } from './sieve.ts';
import { sharing } from './sharing.ts';
import { status } from './status.ts';
import { suppression } from './suppression.ts';
import { trace } from './trace.ts';
import { vault } from './vault.ts';

/** Every administrative operation, by area. The command line and web pages do nothing that is not here. */
export const operations = {
  domains,
  accounts,
  aliases,
  alerts,
  grants,
  dkim,
  dns,
  doctor,
  queue,
  reports,
  routing,
  suppression,
  journal,
  lookup,
  importing,
  search,
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
} as const;
