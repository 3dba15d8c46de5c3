/** Who has mail in another system, whatever kept it: what an import of its directory reads. */

export interface ForeignAccount {
  readonly address: string;
  /** In Dovecot's spelling, `{SCHEME}hash`, or bare where the hash names its own kind. */
  readonly hash: string;
  readonly displayName?: string | undefined;
  /** Octets; 0 or undefined for none. */
  readonly quota?: number | undefined;
}

export interface ForeignAlias {
  readonly address: string;
  readonly targets: readonly string[];
}

export interface NotTaken {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

export interface ForeignDirectory {
  readonly domains: readonly string[];
  /** All of a domain is another name of one of ours. */
  readonly domainAliases: readonly { readonly name: string; readonly of: string }[];
  readonly accounts: readonly ForeignAccount[];
  readonly aliases: readonly ForeignAlias[];
  readonly catchAlls: readonly { readonly domain: string; readonly target: string }[];
  readonly left: readonly NotTaken[];
}

/** Entries of one kind. */
export const ENTRIES = 200_000;
