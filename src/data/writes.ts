import { writes as account } from './account/writes.ts';
import { writes as access } from './access/writes.ts';
import { writes as alerts } from './alerts/alerts.ts';
import { writes as blobs } from './blobs/writes.ts';
import { writes as backup } from './backup/writes.ts';
import { writes as bans } from './bans/writes.ts';
import { writes as certificates } from './certificates/certificates.ts';
import { writes as delivery } from './delivery/writes.ts';
import { writes as directory } from './directory/writes.ts';
import { writes as greylist } from './greylist/greylist.ts';
import { writes as housekeeping } from './housekeeping/housekeeping.ts';
import { writes as holds } from './holds/writes.ts';
import { writes as importing } from './importing/writes.ts';
import { writes as intake } from './intake/writes.ts';
import { writes as jmap } from './jmap/writes.ts';
import { writes as journal } from './journal/writes.ts';
import { writes as dnsZones } from './dns-zones/dns-zones.ts';
import { writes as lookup } from './lookup/lookup.ts';
import { writes as mailstore } from './mailstore/writes.ts';
import { writes as push } from './push/push.ts';
import { writes as queue } from './queue/writes.ts';
import { writes as routing } from './routing/writes.ts';
import { writes as sieve } from './sieve/writes.ts';
import { writes as sharing } from './sharing/writes.ts';
import { writes as spam } from './spam/writes.ts';
import { writes as reports } from './reports/writes.ts';
import { writes as srs } from './srs/srs.ts';
import { writes as stats } from './stats/stats.ts';
import { writes as suppression } from './suppression/suppression.ts';
import { writes as transportSecurity } from './transport-security/writes.ts';
import { writes as vault } from './vault/writes.ts';

/** Every write of the program, by name. The store runs nothing else. */
export const writes = {
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
  ...delivery,
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
