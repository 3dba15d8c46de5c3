import { api } from '../base/http.ts';
import { type Remote, useRemote } from '../base/remote.ts';

const PREFIX = '/admin/v1';

/** One operation of the admin API; `path` below its prefix. */
export function admin<T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  input?: object,
  signal?: AbortSignal,
): Promise<T> {
  return api<T>(method, PREFIX + path, input, signal === undefined ? {} : { signal });
}

/** What a GET of the admin API answers; asked anew when path or query change. */
export function useAdmin<T>(path: string, query: object = {}): Remote<T> {
  return useRemote((signal) => admin<T>('GET', path, query, signal), [path, JSON.stringify(query)]);
}

/** URL of something that is no JSON: a stream of events. */
export function adminUrl(path: string, query: Readonly<Record<string, string>>): string {
  const wanted = Object.entries(query).filter(([, value]) => value !== '');
  return `${PREFIX}${path}?${new URLSearchParams(wanted)}`;
}
