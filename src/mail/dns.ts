/**
 * What the standards in `mail/` ask of DNS. The resolver lives in `net/dns`; tests hand in a table. Names are given and
 * returned in presentation form without the final dot, A-labels only (RFC 5890); comparing them ignores ASCII case.
 */

/** RFC 5321 section 5.1; an `exchange` of '' is the null MX of RFC 7505. */
export interface MxRecord {
  readonly preference: number;
  readonly exchange: string;
}

export interface TxtRecord {
  /** The character-strings joined without separator, one character (latin1) per octet. */
  readonly text: string;
  /** The character-strings as they stand in the record, at most 255 octets each. */
  readonly chunks: readonly Buffer[];
}

/** RFC 6698 section 2.1. */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly data: Buffer;
}

/** RFC 1035 section 3.3.13; times in seconds. */
export interface SoaRecord {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** RFC 2782; a `target` of '' means that the service is not there. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** RFC 8659 section 4.1. */
export interface CaaRecord {
  readonly critical: boolean;
  /** "issue", "issuewild", "iodef": lower case. */
  readonly tag: string;
  readonly value: string;
}

/** The shape of one record, by type. A and AAAA are addresses in text form; PTR, CNAME and NS are names. */
export interface DnsRecords {
  A: string;
  AAAA: string;
  MX: MxRecord;
  TXT: TxtRecord;
  PTR: string;
  CNAME: string;
  TLSA: TlsaRecord;
  NS: string;
  SOA: SoaRecord;
  SRV: SrvRecord;
  CAA: CaaRecord;
}

export type DnsType = keyof DnsRecords;

/** Records of the type asked for exist; CNAMEs on the way were followed. */
export interface DnsOk<T extends DnsType = DnsType> {
  readonly status: 'ok';
  /** In the order of the answer, never empty. */
  readonly records: readonly DnsRecords[T][];
  /** Seconds the answer may be kept: the smallest TTL of the chain. */
  readonly ttl: number;
  /** The whole chain was validated with DNSSEC (the AD bit of a resolver that is trusted to say so). */
  readonly authenticated: boolean;
  /** The owner name at the end of the CNAME chain, when there was one (RFC 7672 section 2.2.3 needs it). */
  readonly canonicalName?: string;
}

/** The name exists without records of this type. */
export interface DnsNoData {
  readonly status: 'nodata';
  /** Seconds the denial may be kept (RFC 2308), where known. */
  readonly ttl?: number;
  /** The denial was validated with DNSSEC; absent counts as false. */
  readonly authenticated?: boolean;
}

/** The name does not exist. */
export interface DnsNxDomain {
  readonly status: 'nxdomain';
  readonly ttl?: number;
  readonly authenticated?: boolean;
}

/** No answer: timeout, SERVFAIL, bogus DNSSEC, a CNAME loop, an unusable reply. Never means "there is no record". */
export interface DnsTemporary {
  readonly status: 'temporary';
  /** For the journal, e.g. "timeout", "SERVFAIL from 192.0.2.1". */
  readonly reason: string;
}

export type DnsAnswer<T extends DnsType = DnsType> = DnsOk<T> | DnsNoData | DnsNxDomain | DnsTemporary;

export interface Dns {
  /**
   * Resolve `name`. Never rejects: every failure is a `temporary` answer, an aborted `signal` too. A name that cannot be
   * asked for (label over 63 octets, empty label, over 253 octets) is `nxdomain`.
   */
  query<T extends DnsType>(name: string, type: T, signal?: AbortSignal): Promise<DnsAnswer<T>>;
}
