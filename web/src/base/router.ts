import { signal } from '@preact/signals';

export interface Route {
  readonly path: string;
  /** The decoded parts of the path. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function read(): Route {
  const { pathname, search } = location;
  return {
    path: pathname,
    parts: pathname.split('/').filter(Boolean).map(decode),
    query: new URLSearchParams(search),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Where the app is. */
export const route = signal<Route>(read());

/** Asked before a place is left; false: stay (a form with changes). */
export const leaveGuards = new Set<() => boolean>();

/** Go to a path of the app. `replace`: the place we come from is not one to go back to. */
export function navigate(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  for (const may of leaveGuards) if (!may()) return;
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  route.value = read();
}

/** A path of parts that may hold anything. */
export function pathOf(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** Follow the browser's buttons, and clicks on our own links, without loading the page anew. */
export function startRouter(): void {
  // Links that carry a secret have the whole path behind the #, which browsers send nowhere.
  if (/^#\/(?:invitation|setup)\?/.test(location.hash)) navigate(location.hash.slice(1), { replace: true });
  addEventListener('popstate', () => {
    route.value = read();
  });
  document.addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (
      link === null ||
      link.target !== '' ||
      link.hasAttribute('download') ||
      link.origin !== location.origin
    )
      return;
    if (!/^\/(?:mail|settings|admin|sign-in|consent|setup|invitation)?(?:\/|$)/.test(link.pathname)) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
