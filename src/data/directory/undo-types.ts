import type { AccountStatus, GroupFacts, Role } from './types.ts';

/** An alias as it stands: where it leads, and what makes a group of it. */
export interface AliasState {
  readonly targets: readonly string[];
  readonly group: GroupFacts | null;
}

/**
 * What is kept of a change so that it can be taken back: how it was before, and how it is since. It is only taken back
 * while it still is so.
 */
export type Undo =
  | {
      readonly kind: 'status';
      readonly address: string;
      readonly from: AccountStatus;
      readonly to: AccountStatus;
    }
  | {
      readonly kind: 'role';
      readonly address: string;
      readonly from: Role;
      readonly to: Role;
      /** Ids of domains it administered beside its own. */
      readonly domains: readonly number[];
    }
  | { readonly kind: 'quota'; readonly address: string; readonly from: number; readonly to: number }
  | {
      readonly kind: 'alias';
      readonly address: string;
      readonly before: AliasState | null;
      readonly after: AliasState | null;
    }
  | {
      readonly kind: 'catch-all';
      readonly domain: string;
      readonly from: string | null;
      readonly to: string | null;
    }
  /** `after`: SHA-256 of the JSON, in hex. */
  | {
      readonly kind: 'setting';
      readonly name: string;
      readonly before: string | null;
      readonly after: string;
    }
  | {
      readonly kind: 'ban-added';
      /** Of a network, where nothing is said. */
      readonly ban?: 'network' | 'account';
      readonly subject: string;
      readonly until: number;
    }
  | {
      readonly kind: 'ban-lifted';
      readonly ban: 'network' | 'account';
      readonly subject: string;
      readonly until: number;
      readonly reason: string;
      /** Of bans of accounts: so many in a row. */
      readonly offences?: number;
    }
  /** Notes of a network that is never banned; null: it is not on that list. */
  | {
      readonly kind: 'exemption';
      readonly network: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  /** `held`: since the change it may send as the address. */
  | {
      readonly kind: 'grant';
      readonly account: string;
      readonly address: string;
      readonly held: boolean;
    }
  /** `after`: SHA-256 of the settings, which name the texts by theirs. */
  | {
      readonly kind: 'lookup';
      readonly before: string | null;
      readonly after: string;
      readonly texts: readonly { readonly table: string; readonly before: string }[];
    }
  | {
      readonly kind: 'suppression';
      readonly address: string;
      readonly before: SuppressionState | null;
      readonly after: SuppressionState | null;
    }
  /** `account`: null for the list of the site. */
  | {
      readonly kind: 'sender-list';
      readonly account: string | null;
      readonly pattern: string;
      readonly before: ListState | null;
      readonly after: ListState | null;
    }
  | {
      readonly kind: 'admin-domains';
      readonly address: string;
      readonly before: readonly string[];
      readonly after: readonly string[];
    }
  | { readonly kind: 'removed'; readonly address: string; readonly from: AccountStatus };

/** Why nothing is sent to an address. */
export interface SuppressionState {
  readonly reason: string;
  readonly source: string;
  readonly detail: string;
  readonly until: number | null;
}

/** What a list says of a sender. */
export interface ListState {
  readonly action: 'allow' | 'block';
  readonly note: string;
}
