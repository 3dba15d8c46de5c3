import type { TypeNames } from '../sql.ts';
import { alerts } from './0003-alerts.ts';
import { certificates } from './0003-certificates.ts';
import { imported } from './0003-import.ts';
import { intake } from './0003-intake.ts';
import { routing } from './0003-routing.ts';
import { suppression } from './0003-suppression.ts';
import { transportSecurity } from './0003-transport-security.ts';

/** Ways to send, what came back, what comes in through SES. */
export function hybrid(t: TypeNames): string[] {
  return [
    ...routing(t),
    ...suppression(t),
    ...intake(t),
    ...transportSecurity(t),
    ...certificates(t),
    ...imported(t),
    ...alerts(t),
  ];
}
