import { lookup } from 'node:dns/promises';
import { Refusal } from '../../base/errors.ts';
import { listenTarget } from '../addresses.ts';
import { ALL_ADDRESSES } from '../config-values.ts';

/** An address and port of this machine. */
export interface ListenPlace {
  readonly address: string;
  readonly port: number;
}

/** Names of ports that Go's net package would look up; anything else has to be a number. */
const PORT_NAMES: Readonly<Record<string, number>> = {
  smtp: 25,
  submission: 587,
  submissions: 465,
  http: 80,
};

/**
 * Where Go's net.Listen would listen for "HOST:PORT": no host is every address, IPv6 stands in brackets, a name is
 * looked up. Throws a `Refusal` that names the flag.
 */
export async function listenPlace(text: string, flag: string): Promise<ListenPlace> {
  const [, bracketed, plain = '', portText = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : PORT_NAMES[portText];
  if (port === undefined || port > 65_535)
    throw new Refusal(
      'bad-input',
      `${flag} takes ADDRESS:PORT such as "127.0.0.1:1025" or ":1025", not "${text}"`,
    );
  if (host === '' || host === ALL_ADDRESSES) {
    const target = listenTarget({ address: ALL_ADDRESSES, port });
    return 'address' in target ? target : { address: '0.0.0.0', port };
  }
  try {
    const { address } = await lookup(host, { verbatim: false });
    return { address, port };
  } catch {
    throw new Refusal('bad-input', `${flag}: "${host}" is no address of this machine`);
  }
}
