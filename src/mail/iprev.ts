/** iprev (RFC 8601 section 3): whether the client's address has a name, and that name the address. */
import type { Dns } from './dns.ts';
import { inNetwork, parseIp, readable, reverseName, unmapped } from './spf/ip.ts';

/** Names of one address that are confirmed. RFC 7208 section 4.6.4 has the same number for the same work. */
export const MAX_REVERSE_NAMES = 10;
/** Addresses of one name that are compared. */
const MAX_ADDRESSES = 100;

export interface ReverseResult {
  /**
   * `pass`: a name leads back to the address. `fail`: none does. `permerror`: there is no name. `temperror`: DNS did not say.
   */
  readonly result: 'pass' | 'fail' | 'temperror' | 'permerror';
  /** The client's address in canonical text, IPv4-mapped ones as IPv4. */
  readonly ip: string;
  /** The first name that was confirmed. */
  readonly name: string | undefined;
  /** Names the address claims, confirmed or not, lower case, at most ten. From a stranger. */
  readonly claimed: readonly string[];
  /** One clause for a person. */
  readonly reason: string;
}

/** Confirm the name of `ip`: one PTR question and at most ten for addresses, all at once. Never rejects. */
export async function checkReverse(input: {
  readonly ip: string;
  readonly dns: Dns;
  readonly signal?: AbortSignal;
}): Promise<ReverseResult> {
  const parsed = parseIp(input.ip);
  if (parsed === undefined) {
    const reason = 'the client has no IP address';
    return { result: 'permerror', ip: '', name: undefined, claimed: [], reason };
  }
  const address = unmapped(parsed);
  const ip = readable(address);
  const base = { ip, name: undefined, claimed: [] } as const;
  const reverse = await input.dns.query(reverseName(address), 'PTR', input.signal);
  if (reverse.status === 'temporary') {
    return { ...base, result: 'temperror', reason: `no answer about the name of ${ip}: ${reverse.reason}` };
  }
  if (reverse.status !== 'ok') return { ...base, result: 'permerror', reason: `${ip} has no name` };
  const claimed = reverse.records.slice(0, MAX_REVERSE_NAMES).map((n) => n.replace(/\.$/, '').toLowerCase());
  const answers = await Promise.all(
    claimed.map((name) => input.dns.query(name, address.family === 4 ? 'A' : 'AAAA', input.signal)),
  );
  const bits = address.octets.length * 8;
  const confirmed = answers.findIndex(
    (answer) =>
      answer.status === 'ok' &&
      answer.records.slice(0, MAX_ADDRESSES).some((text) => {
        const found = parseIp(text);
        return found !== undefined && inNetwork(address, found, bits);
      }),
  );
  const name = claimed[confirmed];
  if (name !== undefined)
    return { ...base, result: 'pass', name, claimed, reason: `${ip} is ${name} and back` };
  if (answers.some(({ status }) => status === 'temporary')) {
    return {
      ...base,
      result: 'temperror',
      claimed,
      reason: `no answer about the addresses of ${claimed[0]}`,
    };
  }
  return { ...base, result: 'fail', claimed, reason: `${claimed[0]} is not ${ip}` };
}
