/** What is known of well-known lists, so that a site has to name the zone only. Scores in nats. */
export interface ListPreset {
  readonly of: 'ip' | 'domain';
  readonly codes: Readonly<Record<string, { readonly score: number; readonly means: string }>>;
  /** Answers that are no listings, beside those every list may give. */
  readonly errors?: Readonly<Record<string, string>>;
  /** What the list says is listed for tests, where it is not what RFC 5782 section 5 asks for. */
  readonly testEntry?: string;
}

const zen: ListPreset = {
  of: 'ip',
  codes: {
    '127.0.0.2': { score: 4, means: 'sends spam (Spamhaus SBL)' },
    '127.0.0.3': { score: 3.5, means: 'sends spam of low reputation (Spamhaus CSS)' },
    '127.0.0.4-7': { score: 4, means: 'is hijacked or infected (Spamhaus XBL)' },
    '127.0.0.9': { score: 6, means: 'belongs to a network of criminals (Spamhaus DROP)' },
    '127.0.0.10-11': {
      score: 2.5,
      means: 'is a line that should send through its provider (Spamhaus PBL)',
    },
  },
};

const dbl: ListPreset = {
  of: 'domain',
  codes: {
    '127.0.1.2': { score: 4, means: 'is a domain of spammers (Spamhaus DBL)' },
    '127.0.1.4': { score: 6, means: 'is a domain for phishing (Spamhaus DBL)' },
    '127.0.1.5': { score: 6, means: 'is a domain for malware (Spamhaus DBL)' },
    '127.0.1.6': { score: 6, means: 'is a domain of a botnet (Spamhaus DBL)' },
    '127.0.1.102': { score: 1.5, means: 'is an honest domain abused for spam (Spamhaus DBL)' },
    '127.0.1.103': { score: 1.5, means: 'is a redirector abused for spam (Spamhaus DBL)' },
    '127.0.1.104': { score: 2.5, means: 'is an honest domain abused for phishing (Spamhaus DBL)' },
    '127.0.1.105': { score: 2.5, means: 'is an honest domain abused for malware (Spamhaus DBL)' },
    '127.0.1.106': { score: 2.5, means: 'is an honest domain abused by a botnet (Spamhaus DBL)' },
  },
  errors: { '127.0.1.255': 'it was asked for an address, and has domains only' },
};

const presets: Readonly<Record<string, ListPreset>> = {
  'zen.spamhaus.org': zen,
  'dbl.spamhaus.org': dbl,
  'b.barracudacentral.org': {
    of: 'ip',
    codes: { '127.0.0.2': { score: 2.5, means: 'sends spam (Barracuda)' } },
  },
  'bl.spamcop.net': {
    of: 'ip',
    codes: { '127.0.0.2': { score: 2.5, means: 'was reported for spam in the last day (SpamCop)' } },
  },
  'list.dnswl.org': {
    of: 'ip',
    codes: {
      '127.0.*.0': { score: -0.2, means: 'is a known mail server (DNSWL)' },
      '127.0.*.1': { score: -1, means: 'is a mail server that seldom sends spam (DNSWL, low)' },
      '127.0.*.2': { score: -2.5, means: 'is a mail server with hardly any spam (DNSWL, medium)' },
      '127.0.*.3': { score: -4, means: 'is a mail server that never sends spam (DNSWL, high)' },
    },
    errors: { '127.0.0.255': 'too many questions, or from a resolver it does not answer' },
  },
  'multi.surbl.org': {
    of: 'domain',
    codes: {
      '127.0.0.&8': { score: 4.5, means: 'is a site for phishing (SURBL PH)' },
      '127.0.0.&16': { score: 4.5, means: 'is a site with malware (SURBL MW)' },
      '127.0.0.&64': { score: 3, means: 'is a site advertised by spam (SURBL ABUSE)' },
      '127.0.0.&128': { score: 2, means: 'is an honest site that was broken into (SURBL CR)' },
    },
    testEntry: 'test.surbl.org',
  },
  'multi.uribl.com': {
    of: 'domain',
    codes: {
      '127.0.0.&2': { score: 3, means: 'is a site advertised by spam (URIBL black)' },
      '127.0.0.&4': { score: 0.7, means: 'is a site seen in unwanted bulk mail (URIBL grey)' },
      '127.0.0.&8': { score: 1, means: 'is a very new site seen in spam (URIBL red)' },
    },
    testEntry: 'test.uribl.com',
  },
};

/** Zones that begin with a customer's key: what follows it, and the list it is. */
const KEYED: readonly (readonly [suffix: string, shown: string])[] = [
  ['.zen.dq.spamhaus.net', 'zen.spamhaus.org'],
  ['.dbl.dq.spamhaus.net', 'dbl.spamhaus.org'],
];

/** A label that is nobody's word but a key. */
const KEY = /^[0-9a-z_-]{20,63}$/;

/** A zone as it may be shown to anybody: without the customer's key it may begin with. */
export function shownZone(zone: string): string {
  for (const [suffix, shown] of KEYED) if (zone.endsWith(suffix)) return shown;
  const dot = zone.indexOf('.');
  return dot !== -1 && KEY.test(zone.slice(0, dot)) ? zone.slice(dot + 1) : zone;
}

/** What is known of a zone (lower case), if it is a well-known one. */
export function presetOf(zone: string): ListPreset | undefined {
  const shown = shownZone(zone);
  return Object.hasOwn(presets, shown) ? presets[shown] : undefined;
}

/** For a list nobody knows: listed is listed. */
export const anyCode: ListPreset['codes'] = {
  '127.0.0.*': { score: 1.5, means: 'is listed' },
};
