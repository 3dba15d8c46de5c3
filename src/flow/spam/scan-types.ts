import type { AttachmentPolicy, AttachmentVerdict } from './attachments/policy.ts';
import type { Sample } from './facts/sample.ts';
import type { RuleEvidence } from './rules/types.ts';
import type { Reason } from './types.ts';

/** What crosses to the thread that judges content, and back: plain data. */

export interface Question {
  readonly sample: Sample;
  /** Accounts whose own models have a say. */
  readonly owners: readonly number[];
  readonly evidence: RuleEvidence;
  /** The site's knob: at most one good message in so many goes to Junk. */
  readonly goodPerJunked: number;
  /** Kinds of files the site does not take. */
  readonly policy: AttachmentPolicy;
}

export interface Learn {
  readonly sample: Sample;
  readonly label: 'ham' | 'spam';
  /** Whose models learn; 0 is the site's. */
  readonly owners: readonly number[];
  readonly goodPerJunked: number;
}

/** What the content says for one owner. */
export interface ContentScore {
  readonly owner: number;
  /** Calibrated log-odds in nats, content rules included. */
  readonly score: number;
  /** Probability from which mail goes to Junk, by the knob and what the model has seen. */
  readonly threshold: number;
  readonly because: readonly Reason[];
}

export interface Scanned {
  /** The site's first, then those of the owners that have a model. */
  readonly content: readonly ContentScore[];
  /** Rules over evidence from outside the content that hit: to be added. */
  readonly facts: readonly Reason[];
  /** Registrable domains in the text, for lists of domains. */
  readonly sites: readonly string[];
  /** What the site's policy makes of the attachments. */
  readonly attachments: AttachmentVerdict;
  /** It holds the text by which filters are tested (GTUBE). */
  readonly testPattern: boolean;
  /** Author and subject as a reader sees them, for the vault and the journal. */
  readonly author: string;
  readonly subject: string;
}

export type ScanCall =
  | { readonly kind: 'judge'; readonly question: Question }
  | { readonly kind: 'learn'; readonly lesson: Learn }
  | { readonly kind: 'save'; readonly owners: readonly number[] }
  | { readonly kind: 'load'; readonly owner: number; readonly model: Uint8Array | undefined }
  | { readonly kind: 'forget'; readonly owner: number };

export type ScanAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly bug: string };
