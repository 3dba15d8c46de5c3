import type { Email } from '../../jmap/types.ts';

/** Whether a message is from the domain that its From field names, by what our server wrote down (RFC 8601). */
export interface Authentication {
  /** pass: it is; other: somebody else vouches for it; fail: it claims what it is not; none: nobody knows. */
  readonly state: 'pass' | 'other' | 'fail' | 'none';
  readonly domain: string;
  /** Who vouches, where that is somebody else. */
  readonly signer: string | undefined;
}

/** Methods and their properties of an Authentication-Results field; the name of who wrote it is left out. */
export function readResults(
  field: string,
): { method: string; result: string; properties: Map<string, string> }[] {
  // Comments explain, and may hold anything.
  let plain = field.slice(0, 5000);
  for (let depth = 0; depth < 3 && plain.includes('('); depth++) plain = plain.replaceAll(/\([^()]*\)/g, ' ');
  return plain
    .split(';')
    .slice(1)
    .flatMap((part) => {
      const [first = '', ...rest] = part.trim().split(/\s+/);
      const match = /^([\w-]{1,40})(?:\/\d+)?=(\w{1,20})$/.exec(first);
      if (match === null) return [];
      const properties = new Map<string, string>();
      for (const each of rest) {
        const equals = each.indexOf('=');
        if (equals > 0)
          properties.set(each.slice(0, equals).toLowerCase(), each.slice(equals + 1).toLowerCase());
      }
      return [{ method: (match[1] ?? '').toLowerCase(), result: (match[2] ?? '').toLowerCase(), properties }];
    });
}

function within(domain: string, other: string): boolean {
  return domain === other || domain.endsWith(`.${other}`) || other.endsWith(`.${domain}`);
}

export function authentication(
  email: Pick<Email, 'from' | 'header:Authentication-Results:asText:all'>,
): Authentication {
  const address = email.from?.[0]?.email ?? '';
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  const fields = email['header:Authentication-Results:asText:all'];
  // The topmost is our server's; it takes away those that pretend to be (RFC 8601 section 5).
  const own = Array.isArray(fields) ? (fields as readonly string[])[0] : undefined;
  if (own === undefined || domain === '') return { state: 'none', domain, signer: undefined };
  const results = readResults(own);
  const dmarc = results.find(({ method }) => method === 'dmarc');
  const signers = results
    .filter(({ method, result }) => method === 'dkim' && result === 'pass')
    .flatMap(
      ({ properties }) => properties.get('header.d') ?? properties.get('header.i')?.replace(/^.*@/, '') ?? [],
    );
  if (dmarc?.result === 'pass' || signers.some((signer) => within(domain, signer)))
    return { state: 'pass', domain, signer: undefined };
  if (dmarc?.result === 'fail') return { state: 'fail', domain, signer: signers[0] };
  const [signer] = signers;
  return signer === undefined
    ? { state: 'none', domain, signer: undefined }
    : { state: 'other', domain, signer };
}
