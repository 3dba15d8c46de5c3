import { reads as account } from './account/reads.ts';
import { reads as access } from './access/reads.ts';
import { reads as alerts } from './alerts/alerts.ts';
import { reads as backup } from './backup/reads.ts';
import { reads as bans } from './bans/reads.ts';
import { reads as blobs } from './blobs/reads.ts';
import { reads as certificates } from './certificates/certificates.ts';
import { reads as directory } from './directory/reads.ts';
import { reads as greylist } from './greylist/greylist.ts';
import { reads as housekeeping } from './housekeeping/housekeeping.ts';
import { reads as holds } from './holds/reads.ts';
import { reads as importing } from './importing/reads.ts';
import { reads as intake } from './intake/reads.ts';
import { reads as jmap } from './jmap/reads.ts';
import { reads as journal } from './journal/reads.ts';
import { reads as dnsZones } from './dns-zones/dns-zones.ts';
import { reads as lookup } from './lookup/lookup.ts';
import { reads as mailstore } from './mailstore/reads.ts';
import { reads as push } from './push/push.ts';
import { reads as queue } from './queue/reads.ts';
import { reads as routing } from './routing/reads.ts';
import { reads as sieve } from './sieve/reads.ts';
import { reads as sharing } from './sharing/reads.ts';
import { reads as spam } from './spam/reads.ts';
import { reads as reports } from './reports/reads.ts';
import { reads as search } from './search/reads.ts';
import { reads as srs } from './srs/srs.ts';
import { reads as stats } from './stats/stats.ts';
import { reads as suppression } from './suppression/suppression.ts';
import { reads as transportSecurity } from './transport-security/reads.ts';
import { reads as vault } from './vault/reads.ts';

/** Every read of the program, by name. */
export const reads = {
  ...account,
  ...access,
  ...alerts,
  ...backup,
  ...housekeeping,
  ...bans,
  ...blobs,
  ...certificates,
  ...directory,
  ...mailstore,
  ...queue,
  ...holds,
  ...importing,
  ...intake,
  ...jmap,
  ...journal,
  ...dnsZones,
  ...lookup,
  ...push,
  ...reports,
  ...routing,
  ...search,
  ...sieve,
  ...srs,
  ...sharing,
  ...spam,
  ...stats,
  ...suppression,
  ...transportSecurity,
  ...vault,
  ...greylist,
} as const;
