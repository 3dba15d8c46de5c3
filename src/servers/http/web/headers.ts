import type { IncomingMessage, ServerResponse } from 'node:http';
import { STYLE_HASH } from './home.ts';

/** What every answer tells browsers: show no more than it is, be framed by nobody, load nothing from elsewhere. */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  [
    'Permissions-Policy',
    'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()',
  ],
  // Answers that may be kept say so.
  ['Cache-Control', 'no-store'],
  [
    'Content-Security-Policy',
    `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ],
];

/** The web app: its own files and server, pictures that it was handed, and nothing else. */
export const WEB_APP_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; frame-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The document that a message is shown in: no scripts, ever, not even by a mistake of the sanitiser. */
export const FRAME_POLICY =
  "default-src 'none'; img-src 'self' data: blob:; style-src 'unsafe-inline'; font-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-modals";

/** RFC 6797: a year. Other hosts of the domain are none of our business. */
const HSTS = 'max-age=31536000';

/** Put them into an answer, before anything else is; what an answer says of its own stands instead. */
export function setSecurityHeaders(
  { headers }: IncomingMessage,
  response: ServerResponse,
  https: boolean,
): void {
  for (const [name, value] of HEADERS) response.setHeader(name, value);
  // "localhost" belongs to every program of the machine, which may have no TLS.
  const local = /^localhost(?::\d{1,5})?$/i.test(headers.host ?? '');
  if (https && !local) response.setHeader('Strict-Transport-Security', HSTS);
}
