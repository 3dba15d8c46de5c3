import { Refusal, type RefusalKind } from '../../base/errors.ts';

/** How a command ended, when not with a plain "OK NAME completed". */
export interface Completion {
  /** Default OK. */
  readonly status?: 'OK' | 'NO';
  /** Response code without brackets. */
  readonly code?: string | undefined;
  readonly text?: string;
  /** EXPUNGE must not be told with this answer. */
  readonly holdsExpunges?: boolean;
}

/** Response codes of RFC 5530 and others for refusals that name none themselves. */
const CODES: Readonly<Record<RefusalKind, string | undefined>> = {
  'no-such-account': 'NONEXISTENT',
  'no-such-mailbox': 'NONEXISTENT',
  'no-such-message': 'NONEXISTENT',
  'already-exists': 'ALREADYEXISTS',
  'over-quota': 'OVERQUOTA',
  'too-large': 'TOOBIG',
  limit: 'LIMIT',
  'not-permitted': 'NOPERM',
  'authentication-failed': 'AUTHENTICATIONFAILED',
  suspended: 'CONTACTADMIN',
  'bad-input': undefined,
  conflict: 'INUSE',
  'storage-full': 'UNAVAILABLE',
  unavailable: 'UNAVAILABLE',
  'not-found': 'NONEXISTENT',
};

/** The tagged NO that says a refusal. */
export function refusalReply(refusal: Refusal): Completion {
  return { status: 'NO', code: refusal.imapCode ?? CODES[refusal.kind], text: refusal.message };
}

/** A refusal with a response code, for commands to throw. */
export function refuse(kind: RefusalKind, code: string, text: string): Refusal {
  return new Refusal(kind, text, { imapCode: code });
}

/** A mailbox that is not there; `TRYCREATE` where the client may create it and try again (RFC 9051 section 7.1). */
export function noSuchMailbox(code: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT'): Refusal {
  return refuse('no-such-mailbox', code, 'There is no mailbox of that name');
}
