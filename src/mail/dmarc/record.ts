/** DMARC policy records (RFC 9989 section 4.7). */

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

export interface DmarcRecord {
  /** As published. */
  readonly text: string;
  /** For the domain of the record, for names below it, for names below it that do not exist. */
  readonly p: DmarcPolicy;
  readonly sp: DmarcPolicy;
  readonly np: DmarcPolicy;
  /** Alignment: strict or relaxed. */
  readonly adkim: 'r' | 's';
  readonly aspf: 'r' | 's';
  /** Whether the domain is a public suffix: yes, no (it is an organisation), unsaid. */
  readonly psd: 'y' | 'n' | 'u';
  /** `t=y`: one step less than the policy is asked for. */
  readonly testing: boolean;
  /** Where aggregate and failure reports are wanted: URIs as published, without a size behind "!". */
  readonly rua: readonly string[];
  readonly ruf: readonly string[];
  /** When failure reports are wanted: of 0, 1, d, s. */
  readonly fo: readonly string[];
  /**
   * Set where `p`, `sp` or `np` cannot be read: with an address for reports the record then counts as p=none, without one it
   * has no effect (section 4.10.1).
   */
  readonly fault: 'counts as none' | 'no effect' | undefined;
}

/** Octets of a record that are read: it need not fit a datagram, but nobody has 8 KiB to say. */
const MAX_RECORD_OCTETS = 8192;
/** Parts between semicolons that are looked at. */
const MAX_TAGS = 100;
/** Report addresses of one tag that are read. Most receivers serve two. */
const MAX_URIS = 10;

/** Does this TXT record claim to be a DMARC record? `v=DMARC1` stands first and exactly so. */
export function isDmarcRecord(text: string): boolean {
  return /^[ \t\r\n]{0,50}v[ \t]{0,50}=[ \t]{0,50}DMARC1[ \t\r\n]{0,50}(?:;|$)/.test(text.slice(0, 300));
}

/** Undefined: the tag stands there twice with different values, so it has none. */
type Tags = Map<string, string | undefined>;

/** Tags by name; what is no tag is passed over, as are tags nobody knows. */
function readTags(text: string): Tags {
  const tags: Tags = new Map();
  for (const part of text.slice(0, MAX_RECORD_OCTETS).split(';', MAX_TAGS)) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    const value = part.slice(equals + 1).trim();
    const said = tags.has(name) && tags.get(name) !== value;
    tags.set(name, said ? undefined : value);
  }
  return tags;
}

function isPolicy(value: string | undefined): value is DmarcPolicy {
  return value === 'none' || value === 'quarantine' || value === 'reject';
}

/** One of `known`, in any case; else the default. */
function choice<T extends string>(tags: Tags, name: string, known: readonly T[], otherwise: T): T {
  const value = tags.get(name)?.toLowerCase();
  return known.find((each) => each === value) ?? otherwise;
}

/** A URI has a scheme and something behind it; the size behind "!" is of RFC 7489. */
function uris(value: string | undefined): string[] {
  return (value ?? '')
    .split(',', MAX_URIS)
    .map((uri) => uri.trim().replace(/![0-9]{1,15}[kmgtKMGT]?$/, ''))
    .filter((uri) => /^[A-Za-z][A-Za-z0-9+.-]{0,30}:[!-~]{1,1000}$/.test(uri));
}

const FAILURE_OPTIONS = ['0', '1', 'd', 's'];

/**
 * Read a record that `isDmarcRecord`. Never throws: what is malformed takes its default, except where the policy itself cannot
 * be read (see `fault`). `pct`, `rf` and `ri` have no meaning any more.
 */
export function parseDmarcRecord(text: string): DmarcRecord {
  const tags = readTags(text);
  const rua = uris(tags.get('rua'));
  const policy = (name: string): DmarcPolicy | 'absent' | 'wrong' => {
    if (!tags.has(name)) return 'absent';
    const value = tags.get(name)?.toLowerCase();
    return isPolicy(value) ? value : 'wrong';
  };
  const [p, sp, np] = [policy('p'), policy('sp'), policy('np')];
  const readable = isPolicy(p) && sp !== 'wrong' && np !== 'wrong' && text.length <= MAX_RECORD_OCTETS;
  const own = readable ? p : 'none';
  const below = readable && isPolicy(sp) ? sp : own;
  return {
    text,
    p: own,
    sp: below,
    np: readable && isPolicy(np) ? np : below,
    adkim: choice(tags, 'adkim', ['r', 's'], 'r'),
    aspf: choice(tags, 'aspf', ['r', 's'], 'r'),
    psd: choice(tags, 'psd', ['y', 'n', 'u'], 'u'),
    testing: choice(tags, 't', ['y', 'n'], 'n') === 'y',
    rua,
    ruf: uris(tags.get('ruf')),
    fo: (tags.get('fo') ?? '0')
      .toLowerCase()
      .split(':', FAILURE_OPTIONS.length * 2)
      .map((option) => option.trim())
      .filter((option) => FAILURE_OPTIONS.includes(option)),
    fault: readable ? undefined : rua.length > 0 ? 'counts as none' : 'no effect',
  };
}
