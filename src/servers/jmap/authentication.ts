import type { IncomingMessage } from 'node:http';
import type { RequestLogin } from '../request-login.ts';
import type { JmapOptions } from './context.ts';

/** Who asks: by password, token or the cookie of our pages. What each method asks for besides is its row's. */
export function logIn(
  { logIn: login }: Pick<JmapOptions, 'logIn'>,
  request: IncomingMessage,
  trace: string,
): Promise<RequestLogin> {
  return login(request, { scope: 'mail', protocol: 'jmap', trace });
}
