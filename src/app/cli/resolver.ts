import type { Clock } from '../../base/clock.ts';
import type { Dns } from '../../mail/dns.ts';
import { createResolver } from '../../net/dns/resolver.ts';
import { parseDnsServer, readResolvConf } from '../../net/dns/resolv-conf.ts';
import { UsageError } from './command.ts';
import { plain } from './plain-text.ts';

/** The resolver that --dns names, or the system's. */
export async function resolverOf(text: string | undefined, clock: Clock): Promise<Dns> {
  if (text === undefined) return createResolver({ servers: await readResolvConf('/etc/resolv.conf'), clock });
  const server = parseDnsServer(text);
  if (server === undefined)
    throw new UsageError(`--dns takes an address such as 127.0.0.1 or [::1]:53, not "${plain(text)}"`);
  return createResolver({ servers: [server], clock });
}
