import type {
  PublicKeyCredentialCreationOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/browser';
import { api } from './http.ts';
import type { Me } from './session.ts';

/** Passkeys: WebAuthn is fetched when it is first used, and not at all where the browser has none. */

/** The browser knows passkeys, and the page came in a way that lets them be used. */
export function passkeysSupported(): boolean {
  return typeof PublicKeyCredential === 'function' && isSecureContext;
}

/** The person closed the browser's dialog, or let it time out. */
export class PasskeyCancelled extends Error {}

export interface PasskeyWishes {
  /** Of the password that was right already. */
  readonly ticket?: string;
  readonly remember?: boolean;
  /** Do not ask: offer passkeys among the suggestions of the address's input, and wait for one to be chosen. */
  readonly autofill?: boolean;
}

/** Sign in with a passkey. Throws `PasskeyCancelled`, `ApiError`; undefined: the browser does not offer it that way. */
export async function signInWithPasskey({
  ticket,
  remember,
  autofill = false,
}: PasskeyWishes = {}): Promise<Me | undefined> {
  const webauthn = await import('@simplewebauthn/browser');
  if (autofill && !(await webauthn.browserSupportsWebAuthnAutofill())) return undefined;
  const { challengeId, options } = await api<{
    challengeId: string;
    options: Parameters<typeof webauthn.startAuthentication>[0]['optionsJSON'];
  }>('POST', '/auth/passkey/options', { ...(ticket !== undefined && { ticket }) }, { quiet: true });
  let response: Awaited<ReturnType<typeof webauthn.startAuthentication>>;
  try {
    response = await webauthn.startAuthentication({ optionsJSON: options, useBrowserAutofill: autofill });
  } catch (error) {
    throw cancelled(error);
  }
  const input = {
    challengeId,
    response,
    ...(ticket !== undefined && { ticket }),
    ...(remember !== undefined && { remember }),
  };
  const { me } = await api<{ me: Me }>('POST', '/auth/passkey/verify', input, { quiet: true });
  return me;
}

/** Stop offering passkeys among the suggestions. */
export async function stopOffering(): Promise<void> {
  const { WebAuthnAbortService } = await import('@simplewebauthn/browser');
  WebAuthnAbortService.cancelCeremony();
}

/** Make a passkey with the options that the server gave. Throws `PasskeyCancelled`. */
export async function createPasskey(
  optionsJSON: PublicKeyCredentialCreationOptionsJSON,
): Promise<RegistrationResponseJSON> {
  const { startRegistration } = await import('@simplewebauthn/browser');
  try {
    return await startRegistration({ optionsJSON });
  } catch (error) {
    throw cancelled(error);
  }
}

function cancelled(error: unknown): unknown {
  const names = ['NotAllowedError', 'AbortError'];
  return error instanceof Error && names.includes(error.name) ? new PasskeyCancelled(error.message) : error;
}
