import type { DnsChallenge } from '../../net/acme/solvers.ts';
import { bareName } from '../../net/dns-providers/values.ts';
import { type Account, dnsSettings, type DnsPlanDeps, openAccounts } from './service.ts';

/** TXT records that prove names to an ACME authority (RFC 8555 section 8.4), by the providers that are set up. */

/** Seconds: nobody needs the record a minute later. */
const CHALLENGE_TTL = 60;

/** Who writes records for a host name; undefined: no provider that is set up has its zone. Refusals as providers have them. */
export async function findDnsChallenge(deps: DnsPlanDeps, name: string): Promise<DnsChallenge | undefined> {
  const settings = await dnsSettings(deps);
  const account = await openAccounts(settings, deps.clock)(bareName(name));
  return account === undefined ? undefined : challengeOf(account);
}

function challengeOf({ provider, zone }: Account): DnsChallenge {
  // One after another: a name and its wildcard are proven by values of the same record set.
  let last: Promise<void> = Promise.resolve();
  const inTurn = (run: () => Promise<void>): Promise<void> => {
    const mine = last.then(run);
    last = mine.catch(() => undefined);
    return mine;
  };
  const change = (name: string, add: string[], remove: string[]): Promise<void> =>
    inTurn(() =>
      provider.change(zone, [{ name: bareName(name), type: 'TXT', ttl: CHALLENGE_TTL, add, remove }]),
    );
  return {
    put: (name, value) => change(name, [value], []),
    remove: (name, value) => change(name, [], [value]),
  };
}
