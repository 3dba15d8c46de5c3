import { accounts } from './accounts.ts';
import { aliases } from './aliases.ts';
import { audit } from './audit.ts';
import { bans } from './bans.ts';
import { dkim } from './dkim.ts';
import { domains } from './domains.ts';
import { filter } from './filter.ts';
import { grants } from './grants.ts';
import { holds } from './holds.ts';
import { queue } from './queue.ts';
import { reports } from './reports.ts';
import { status } from './status.ts';
import { trace } from './trace.ts';
import { vault } from './vault.ts';

/** Every administrative operation, by area. The command line and web pages do nothing that is not here. */
export const operations = {
  domains,
  accounts,
  aliases,
  grants,
  dkim,
  queue,
  reports,
  trace,
  audit,
  status,
  bans,
  holds,
  filter,
  vault,
} as const;
