/**
 * The secret of a link (invitation, first start). It comes in the part of the address that browsers send nowhere, or as
 * a query that only this page ever sees; either way it is taken out of the address at once, so that it is not left in the
 * history, and kept for this tab, so that the page may be loaded again.
 */
export function takeToken(kind: 'invitation' | 'setup'): string | undefined {
  const kept = `postern.${kind}`;
  const found =
    new URLSearchParams(location.hash.replace(/^#[^?]*\?|^#/, '')).get('token') ??
    new URLSearchParams(location.search).get('token');
  if (found !== null && found !== '') {
    sessionStorage.setItem(kept, found);
    history.replaceState(null, '', `/${kind}`);
  }
  return sessionStorage.getItem(kept) ?? undefined;
}

export function dropToken(kind: 'invitation' | 'setup'): void {
  sessionStorage.removeItem(`postern.${kind}`);
}
