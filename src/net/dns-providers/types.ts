/** Who serves zones and lets us change them: what each provider of DNS has to be able to do. */

/** Record types that are read and written; all others are left alone and never looked at. */
export const RECORD_TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'TXT', 'SRV', 'TLSA', 'CAA'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

export function isRecordType(type: string): type is RecordType {
  return (RECORD_TYPES as readonly string[]).includes(type);
}

/** All values of one type at one name (RFC 2181 section 5). */
export interface RecordSet {
  /** Fully qualified, lower case, without the final dot. */
  readonly name: string;
  readonly type: RecordType;
  /** Seconds. */
  readonly ttl: number;
  /** As `canonicalValue` writes them. */
  readonly values: readonly string[];
}

/** What becomes of one record set. Values that are named neither in `add` nor in `remove` stay as they are. */
export interface RecordChange {
  readonly name: string;
  readonly type: RecordType;
  /** Seconds, for a set that is new; one that is there keeps its own. A provider may raise it to the least it allows. */
  readonly ttl: number;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** What the set held when the change was planned; undefined: whatever is there. */
  readonly before?: readonly string[] | undefined;
}

/**
 * One account at a provider. Everything throws a `Refusal`: 'unavailable' when it does not answer or asks us to wait too
 * long, 'not-permitted' when it does not take our credentials, 'bad-input' for what it refuses, 'not-found' for a zone
 * that is not there.
 */
export interface DnsProvider {
  readonly kind: string;
  /** The longest zone of the account that the name lies in: "example.co.uk" for "mail.example.co.uk". */
  zoneOf(name: string): Promise<string | undefined>;
  /** What stands at these names at present. */
  read(zone: string, names: readonly string[]): Promise<readonly RecordSet[]>;
  /**
   * Make these changes: values that are to be removed and are not there, or to be added and are, count as done. Refusal
   * 'conflict', with nothing changed, when a set does not hold what `before` says.
   */
  change(zone: string, changes: readonly RecordChange[]): Promise<void>;
}
