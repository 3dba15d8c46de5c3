import type { ListenSpec } from './config-values.ts';

/** Services with listeners, in the order in which a person reads them. */
export const SERVICES = [
  'smtp',
  'submission',
  'submissions',
  'imap',
  'imaps',
  'pop3',
  'pop3s',
  'managesieve',
  'lmtp',
  'http',
  'https',
  'sns',
  'acme',
] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Services that are nothing without a certificate. */
export const IMPLICIT_TLS: ReadonlySet<ServiceName> = new Set([
  'submissions',
  'imaps',
  'pop3s',
  'https',
  'sns',
]);

/** How a socket that was bound beforehand is found again. */
export function bindKey(service: ServiceName, spec: ListenSpec): string {
  return `${service} ${'path' in spec ? spec.path : `${spec.address} ${spec.port}`}`;
}
