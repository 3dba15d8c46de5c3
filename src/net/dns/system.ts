import { lookup } from 'node:dns/promises';
import { errnoCode } from '../../base/errors.ts';

/** Addresses of a host as the operating system finds them (/etc/hosts too); a sentence when it finds none. */
export async function systemAddresses(host: string): Promise<readonly string[] | string> {
  try {
    return (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);
  } catch (error) {
    return `the host name ${host} has no address (${errnoCode(error) ?? 'lookup failed'})`;
  }
}
