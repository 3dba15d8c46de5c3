import type { Refusal } from '../../base/errors.ts';
import type { AccountSession } from '../account-session.ts';

/** The client's fault: counted, and answered with what was expected. */
export class SieveFault extends Error {
  override readonly name = 'SieveFault';
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Response codes of RFC 5804 section 1.3 that a refusal may name itself; those of IMAP are none of them. */
const OWN = /^(?:QUOTA(?:\/.*)?|TRYLATER|ACTIVE|NONEXISTENT|ALREADYEXISTS)$/;

/** Those that other refusals stand for. */
const CODES: Readonly<Record<string, string>> = {
  'over-quota': 'QUOTA',
  'too-large': 'QUOTA/MAXSIZE',
  unavailable: 'TRYLATER',
  'storage-full': 'TRYLATER',
  limit: 'TRYLATER',
  'not-found': 'NONEXISTENT',
  'already-exists': 'ALREADYEXISTS',
};

/** Octets that a quoted string may have (RFC 5804 section 4). */
const QUOTED_BYTES = 1024;

/** A string for the wire: quoted where that is allowed, else a literal. Octets as latin1. */
export function string(text: string): string {
  const octets = Buffer.from(text, 'utf8').toString('latin1');
  if (octets.length <= QUOTED_BYTES && !/[\0\r\n]/.test(octets))
    return `"${octets.replace(/["\\]/g, '\\$&')}"`;
  return `{${octets.length}}\r\n${octets}`;
}

export function ok(session: AccountSession, text: string, code?: string): void {
  session.out.line(`OK ${code === undefined ? '' : `(${code}) `}${string(text)}`);
}

export function no(session: AccountSession, text: string, code?: string): void {
  session.out.line(`NO ${code === undefined ? '' : `(${code}) `}${string(text)}`);
}

export function bye(session: AccountSession, text: string, code?: string): void {
  session.out.line(`BYE ${code === undefined ? '' : `(${code}) `}${string(text)}`);
}

export function refused(session: AccountSession, refusal: Refusal): void {
  const named = refusal.imapCode;
  no(session, refusal.message, named !== undefined && OWN.test(named) ? named : CODES[refusal.kind]);
}
