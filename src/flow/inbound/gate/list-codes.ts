/**
 * What the addresses that a DNS list answers with mean (RFC 5782 section 2.1). A pattern is four octets; each is a number
 * ("2"), a range ("4-7"), anything ("*") or a bit that must be set ("&8", for lists that answer with a bitmask).
 */
export interface ListCode {
  readonly matches: (address: string) => boolean;
  /** Nats; below zero for allow lists. */
  readonly score: number;
  readonly means: string;
}

type OctetTest = (octet: number) => boolean;

/** The test for one octet of a pattern; undefined when it is none. */
function octetTest(text: string): OctetTest | undefined {
  if (text === '*') return () => true;
  const match = /^(&?)(\d{1,3})(?:-(\d{1,3}))?$/.exec(text);
  if (match === null) return undefined;
  const [, mask, first = '', last] = match;
  const low = Number(first);
  const high = last === undefined ? low : Number(last);
  if (low > 255 || high > 255 || (mask === '&' && last !== undefined)) return undefined;
  return mask === '&' ? (octet) => (octet & low) !== 0 : (octet) => octet >= low && octet <= high;
}

/** Whether an address (IPv4 text) is what a pattern says; undefined when the pattern is none. */
export function codeTest(pattern: string): ((address: string) => boolean) | undefined {
  const tests = pattern.trim().split('.').map(octetTest);
  const [a, b, c, d] = tests;
  if (tests.length !== 4 || !a || !b || !c || !d) return undefined;
  return (address) => {
    const [w = -1, x = -1, y = -1, z = -1] = address.split('.').map(Number);
    return a(w) && b(x) && c(y) && d(z);
  };
}

/** What an answer of a list is. 'listed' may have no codes that mean anything to us. */
export type CodeReading =
  | { readonly kind: 'listed'; readonly score: number; readonly means: readonly string[] }
  /** The list does not serve us: a public resolver, too many questions, no subscription. */
  | { readonly kind: 'blocked'; readonly why: string }
  /** Not the answer of a list at all. */
  | { readonly kind: 'broken'; readonly why: string };

const REFUSED: Readonly<Record<string, string>> = {
  '127.255.255.252': 'the zone is not written right',
  '127.255.255.254': 'it does not answer public resolvers: a resolver of your own is needed',
  '127.255.255.255': 'too many questions',
};

/** Read all addresses of one answer. A single address that is no listing makes all of it none. */
export function readCodes(
  addresses: readonly string[],
  codes: readonly ListCode[],
  errors: readonly { readonly matches: (address: string) => boolean; readonly means: string }[],
): CodeReading {
  for (const address of addresses) {
    // What a resolver puts in the place of "does not exist", or a zone that was sold, is no listing (RFC 5782 section 2.1).
    if (!address.startsWith('127.')) {
      return { kind: 'broken', why: `it answers ${address}, which is no answer of a list` };
    }
    if (address.startsWith('127.255.255.')) {
      return { kind: 'blocked', why: REFUSED[address] ?? `it refuses us with ${address}` };
    }
    const error = errors.find(({ matches }) => matches(address));
    if (error !== undefined) return { kind: 'blocked', why: error.means };
    if (address === '127.0.0.1') return { kind: 'blocked', why: 'it refuses us with 127.0.0.1' };
  }
  const found = codes.filter(({ matches }) => addresses.some((address) => matches(address)));
  // Several codes often say the same thing several times: the worst counts, or else the best.
  const scores = found.map(({ score }) => score);
  const worst = Math.max(0, ...scores);
  const score = worst > 0 ? worst : Math.min(0, ...scores);
  return { kind: 'listed', score, means: [...new Set(found.map(({ means }) => means))] };
}
