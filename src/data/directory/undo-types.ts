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
  | { readonly kind: 'ban-added'; readonly subject: string; readonly until: number }
  | {
      readonly kind: 'ban-lifted';
      readonly ban: 'network' | 'account';
      readonly subject: string;
      readonly until: number;
      readonly reason: string;
    };
