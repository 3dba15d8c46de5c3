import type { ContentRef } from '../mailstore/types.ts';

/** What the filter keeps: models, what is to be learned, whom people write to, whom they block. Times are milliseconds. */

export type Label = 'ham' | 'spam';

/** Why something is to be learned: moved into or out of Junk, marked by keyword, asked for, released, kept unasked. */
export type Cause = 'moved' | 'marked' | 'trained' | 'released' | 'kept';

/** The site's model has this owner; every other owner is an account. */
export const SITE = 0;

/** How much a model has learned. */
export interface ModelState {
  /** Messages learned. */
  readonly ham: number;
  readonly spam: number;
  readonly updatedAt: number;
}

export interface StoredModel extends ModelState {
  readonly owner: number;
  readonly model: Uint8Array;
}

export interface ModelInfo extends ModelState {
  readonly owner: number;
  /** Octets of the model. */
  readonly bytes: number;
}

/** A message that somebody wants learned. */
export interface TrainingWish {
  readonly id: number;
  readonly accountId: number;
  readonly emailId: number;
  readonly label: Label;
  readonly cause: Cause;
  readonly at: number;
  /** What was learned of it before: the same label means nothing is left to do, the other one a change of mind. */
  readonly learned: Label | undefined;
  readonly content: ContentRef;
}

/** A message learned, or found to be learned already. */
export interface Learned {
  /** The wish it answers; undefined for what was learned unasked. */
  readonly id: number | undefined;
  readonly accountId: number;
  readonly emailId: number;
  readonly label: Label;
}

/** What `spam.learned` commits: models and the wishes they answer, together. */
export interface LearnedBatch {
  readonly models: readonly {
    readonly owner: number;
    readonly model: Uint8Array;
    readonly ham: number;
    readonly spam: number;
  }[];
  readonly done: readonly Learned[];
}

/** Mail whose place tells what it is; for learning without being asked. */
export interface KeptRequest {
  readonly accountId: number;
  /** It lies where it is since before this time. */
  readonly savedBefore: number;
  /** It was received at this time or later. */
  readonly receivedAfter: number;
  readonly limit: number;
}

export interface Sent {
  readonly accountId: number;
  /** Recipients of the envelope. */
  readonly addresses: readonly string[];
  /** Message-ID, without angle brackets. */
  readonly messageId: string | undefined;
  /** How its header calls those it is for. */
  readonly names?: readonly { readonly name: string; readonly address: string }[];
  /** When it was sent by another system, in ms since the epoch; what is known of later times stays. Otherwise now. */
  readonly at?: number;
}

export type ListAction = 'allow' | 'block';

export interface ListEntry {
  /** "user@example.com", "@example.com" or "192.0.2.0/24". */
  readonly pattern: string;
  readonly action: ListAction;
  readonly note: string;
  readonly createdAt: number;
}

/** An entry of a list that a message meets. */
export interface ListMatch {
  readonly action: ListAction;
  readonly pattern: string;
  /** It stands in the site's list, not in the account's own. */
  readonly site: boolean;
}

export interface RelationRequest {
  readonly accountIds: readonly number[];
  /** Authors: addresses of the From field. */
  readonly from: readonly string[];
  /** The client's address, for lists of networks. */
  readonly ip: string | undefined;
  /** In-Reply-To and References, without angle brackets, newest last. */
  readonly references: readonly string[];
}

/** What ties an account to a message that arrives for it. */
export interface Relation {
  readonly accountId: number;
  /** It has written to every one of the authors. */
  readonly wroteTo: boolean;
  /** How often: to the least of them. */
  readonly sent: number;
  /** The message answers one that the account sent. */
  readonly answersOwn: boolean;
  readonly list: ListMatch | undefined;
  /** The account's own model, when it has one. */
  readonly model: ModelState | undefined;
}

export type ReputationKind = 'domain' | 'network';

export interface Reputation {
  readonly ham: number;
  readonly spam: number;
  readonly lastAt: number;
}
