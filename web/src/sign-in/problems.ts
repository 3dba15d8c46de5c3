import { ApiError } from '../base/http.ts';
import type { texts } from '../base/i18n.ts';
import { PasskeyCancelled } from '../base/webauthn.ts';

type Words = ReturnType<typeof texts<'signIn'>>;

/** What is wrong, and the input it is about. */
export interface Problem {
  readonly sentence: string;
  readonly field?: string | undefined;
}

/** Steps of signing in: what "authentication-failed" means differs. */
export type Step = 'password' | 'totp' | 'recovery' | 'passkey' | 'other';

/** HTTP answer: wait before you try again (RFC 6585 section 4). */
const TOO_MANY = 429;

/** The words for what went wrong at a step. */
export function problemOf(error: unknown, step: Step, t: Words): Problem {
  if (error instanceof PasskeyCancelled) return { sentence: t('cancelled') };
  if (!(error instanceof ApiError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { sentence: step === 'passkey' ? t('passkeyFailed', { message }) : message };
  }
  if (error.kind === 'offline') return { sentence: t('unreachable') };
  if (error.status === TOO_MANY) return { sentence: t('locked') };
  if (isWrong(error)) {
    if (step === 'password') return { sentence: t('wrong'), field: 'password' };
    if (step === 'totp') return { sentence: t('codeWrong'), field: 'code' };
    if (step === 'recovery') return { sentence: t('recoveryWrong'), field: 'code' };
    if (step === 'passkey') return { sentence: t('passkeyUnknown') };
  }
  return { sentence: error.message, field: error.field };
}

function isWrong({ status, kind }: ApiError): boolean {
  return status === 401 || kind === 'authentication-failed';
}

/** The password was right, but too long ago: its ticket is gone. */
export function isExpired(error: unknown): boolean {
  // The kind is the one of a wrong code; the sentence tells them apart.
  return error instanceof ApiError && /sign in again/i.test(error.message);
}
