/** Domains, accounts, addresses: who may receive, send and sign in. */

export type Role = 'user' | 'domain-admin' | 'admin';
export type AccountStatus = 'active' | 'suspended' | 'removed';

export interface Domain {
  readonly id: number;
  /** A-label, lower case. */
  readonly name: string;
  /** Name of the domain this one is an alias of. */
  readonly aliasOf: string | undefined;
  /** Address that receives what no account or alias takes. */
  readonly catchAll: string | undefined;
  readonly createdAt: number;
}

export interface Account {
  readonly id: number;
  /** Primary address, normalised. */
  readonly address: string;
  readonly domainId: number;
  readonly displayName: string;
  readonly role: Role;
  readonly status: AccountStatus;
  readonly removedAt: number | undefined;
  /** Octets, 0 unlimited. */
  readonly quota: number;
  readonly used: number;
  readonly emails: number;
  readonly recipientsPerHour: number | undefined;
  readonly createdAt: number;
  /** Nobody logs in to it: its mailboxes are for those who were given rights (RFC 4314). */
  readonly shared: boolean;
  /** It administers domains beside its own. */
  readonly delegated?: boolean;
}

export interface Alias {
  readonly address: string;
  readonly targets: readonly string[];
  /** What makes a group of it. */
  readonly group?: GroupFacts;
}

/** Who may send to a group: everybody, accounts of its domain, its members. */
export type GroupSenders = 'anyone' | 'domain' | 'members';

export interface GroupFacts {
  readonly description: string;
  readonly senders: GroupSenders;
}

/** An alias that is a list of people. */
export interface Group extends GroupFacts {
  readonly address: string;
  readonly members: readonly string[];
  readonly createdAt: number;
}

/** A link by which somebody makes an account of their own, once. Its token is kept nowhere. */
export interface Invitation {
  readonly id: number;
  readonly domainId: number;
  readonly domain: string;
  /** Undefined: any name in the domain that is free. */
  readonly address: string | undefined;
  readonly role: Role;
  readonly quota: number;
  readonly note: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | undefined;
  readonly usedFor: string | undefined;
}

/** Who does an administrative operation; every one of them leaves an audit row. */
export interface Actor {
  /** Address of the account, or 'system' for what the program does by itself (init, try-out, jobs). */
  readonly name: string;
  readonly role: Role | 'system';
  /** Domain a domain administrator is bound to. */
  readonly domainId: number | undefined;
  /** Domains that a domain administrator was given beside it. */
  readonly domainIds?: readonly number[];
}

/**
 * Where mail for an address goes, aliases followed to their ends. `deliveredTo` is the address the mail was for after
 * domain aliases and without loops; `via` the aliases passed.
 */
export type Resolution =
  | { readonly status: 'ok'; readonly targets: readonly ResolvedTarget[] }
  /** `switchedOff`: it was a masked address; its owner wants no more mail there. */
  | { readonly status: 'unknown'; readonly switchedOff?: true }
  | { readonly status: 'not-local' }
  | { readonly status: 'loop'; readonly via: readonly string[] };

export type ResolvedTarget =
  | {
      readonly kind: 'account';
      readonly accountId: number;
      readonly address: string;
      /** Subaddress detail after the delimiter ('' when none). */
      readonly detail: string;
      readonly overQuota: boolean;
      readonly suspended: boolean;
      /** Id of the masked address that led there. */
      readonly masked?: number;
      readonly via: readonly string[];
    }
  | { readonly kind: 'external'; readonly address: string; readonly via: readonly string[] };

/** What a submission may use as its reverse-path and From. */
export interface SenderRights {
  readonly accountId: number;
  readonly allowed: boolean;
  readonly displayName: string;
}

/** What SCRAM-SHA-256 checks against (RFC 5802 section 3), in a form that crosses threads. */
export interface ScramSecret {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export interface StoredCredential {
  readonly accountId: number;
  readonly address: string;
  readonly status: AccountStatus;
  readonly hash: string;
  readonly scram: ScramSecret | undefined;
  readonly changedAt: number;
}

export interface DkimKey {
  readonly id: number;
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  readonly privateKey: string;
  /** Base64 for the p= tag. */
  readonly publicKey: string;
  /** Active ones sign; see dkim-states.ts. */
  readonly state: 'pending' | 'active' | 'retired' | 'revoked';
}
