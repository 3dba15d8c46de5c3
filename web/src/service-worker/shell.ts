/** The app's own files, kept for when there is no network. Nothing that is anybody's mail is ever kept here. */

/** What is asked of the network alone: answers with private data, and what must be fresh. */
const NEVER = /^\/(?:jmap|account|auth|oauth|admin\/v1|health|metrics|hooks|\.well-known)(?:\/|$)/;
/** Addresses that the app's one page answers for. */
const PAGES = /^\/(?:(?:mail|settings|admin)(?:\/.*)?|sign-in|consent|invitation|setup)?$/;
/** The page as it is kept; /index.html is no address of the server. */
export const PAGE = '/mail';
/** The empty document messages are shown in. */
const FRAME = '/frame/message';

export type Source = 'network' | 'page' | 'kept';

/** Where an answer to a GET of our own origin comes from. */
export function sourceOf(path: string, navigation: boolean): Source {
  if (NEVER.test(path)) return 'network';
  if (navigation && PAGES.test(path)) return 'page';
  return path === FRAME || path.startsWith('/assets/') || /^\/[\w.-]+\.(?:png|svg|ico)$/.test(path)
    ? 'kept'
    : 'network';
}

/** Libraries for signatures: large, and of no use without the network, which has the octets that were signed. */
const SIGNATURES =
  /^\/assets\/(?:openpgp|pgp|smime|noble_\w+|nacl-fast|sha512|legacy_ciphers|argon2id|unbzip2-stream)[.-]/;

/** What is fetched when a build is installed. */
export function addressesOf(files: readonly string[]): string[] {
  const kept = files.filter(
    (name) => name !== '/index.html' && sourceOf(name, false) === 'kept' && !SIGNATURES.test(name),
  );
  return [PAGE, FRAME, ...kept];
}
