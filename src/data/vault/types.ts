import type { ContentRef } from '../mailstore/types.ts';

/** Mail that was refused or held back after its data had come, kept for some days to be looked at. Times are milliseconds. */

export type VaultKind = 'refused' | 'held';
export type VaultState = 'kept' | 'released' | 'deleted';

/** What an accept keeps in the vault; the octets and what was parsed of them are the accept's own. */
export interface NewVaultEntry {
  /** As told to the sender. Unique. */
  readonly caseNumber: string;
  readonly trace: string;
  /** `refused`: the sender was told so; `held`: the sender was told 250, so it counts as taken. */
  readonly kind: VaultKind;
  readonly reversePath: string;
  readonly ip: string;
  /** From and Subject, decoded for people; cut to fit. */
  readonly author: string;
  readonly subject: string;
  /** One line for people. */
  readonly reason: string;
  /** JSON of the judgement. */
  readonly verdict: string;
  readonly expiresAt: number;
  /** Fields for every copy that is released, after its Return-Path and Delivered-To: Received and what we found. */
  readonly received: Uint8Array;
  readonly hidden: readonly (readonly [number, number])[];
  /** Accounts it was for; one that is gone, or named twice, is left out. */
  readonly recipients: readonly { readonly accountId: number; readonly address: string }[];
}

export interface VaultEntry {
  readonly id: number;
  readonly caseNumber: string;
  readonly trace: string;
  readonly kind: VaultKind;
  /** Octets as they came. */
  readonly size: number;
  readonly reversePath: string;
  readonly ip: string;
  readonly author: string;
  readonly subject: string;
  readonly reason: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Those the asker may know of. */
  readonly recipients: readonly {
    readonly accountId: number;
    readonly address: string;
    readonly state: VaultState;
  }[];
}

/** Whose view: an account's own mail, a domain's, or all. */
export type VaultScope =
  | { readonly accountId: number }
  | { readonly domainIds: readonly number[] }
  | { readonly all: true };

export interface VaultDetail extends VaultEntry {
  readonly verdict: string;
  /** To read it by; `emailId` is 0, for it is none yet. */
  readonly content: ContentRef;
}
