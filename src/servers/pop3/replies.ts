import { Refusal, type RefusalKind } from '../../base/errors.ts';
import type { Pop3Session } from './session.ts';

/** Response codes of RFC 2449 section 8 and RFC 3206. */
const CODES: Partial<Record<RefusalKind, string>> = {
  'authentication-failed': 'AUTH',
  suspended: 'AUTH',
  limit: 'SYS/TEMP',
  unavailable: 'SYS/TEMP',
  'storage-full': 'SYS/TEMP',
  conflict: 'SYS/TEMP',
};

export function ok(session: Pop3Session, text: string): void {
  session.out.line(`+OK ${oneLine(text)}`);
}

export function err(session: Pop3Session, text: string): void {
  session.out.line(`-ERR ${oneLine(text)}`);
}

export function refused(session: Pop3Session, refusal: Refusal): void {
  const code = CODES[refusal.kind];
  err(session, code === undefined ? refusal.message : `[${code}] ${refusal.message}`);
}

/** The client's fault: counted, and answered with what was expected. */
export class Pop3Fault extends Error {
  override readonly name = 'Pop3Fault';
}

function oneLine(text: string): string {
  // RFC 2449 section 4: a first line has up to 512 octets.
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 480);
}
