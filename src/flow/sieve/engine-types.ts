import type { MessageStructure } from '../../mail/message/structure.ts';
import type { ScriptError, SieveEnvelope, SievePlan, SieveWorld } from '../../mail/sieve/types.ts';

/** What crosses to the thread that runs scripts, and back: plain data. */

/** What is known of the world before a script runs; the rest is asked. */
export type WorldFacts = Pick<
  SieveWorld,
  'now' | 'zoneMinutes' | 'addresses' | 'environment' | 'spam' | 'virus' | 'detailSeparator'
>;

/** A message as a script is to see it; its octets are asked for. */
export interface SeenMessage {
  /** Octets. */
  readonly size: number;
  /** Undefined: it is found by whoever runs the script, which needs all octets. */
  readonly known: { readonly structure: MessageStructure; readonly header: Uint8Array } | undefined;
}

export interface RunJob {
  /** Of the text of the script: the same text is compiled once. */
  readonly digest: string;
  readonly message: SeenMessage;
  readonly envelope: SieveEnvelope;
  readonly facts: WorldFacts;
}

export interface ScriptText {
  readonly text: string;
  readonly digest: string;
}

/** What a run asks of those that stand outside. */
export interface RunPort extends Omit<SieveWorld, keyof WorldFacts> {
  /** The script; undefined when it was removed just now. */
  text(): Promise<ScriptText | undefined>;
  /** Octets of the message from `start` up to `end`. */
  octets(start: number, end: number): Promise<Uint8Array>;
}

export type QuestionName = keyof RunPort;

/** What came of a run. */
export type RunResult =
  | { readonly kind: 'plan'; readonly plan: SievePlan }
  /** The script has been removed. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unreadable'; readonly error: ScriptError }
  /** It was given up, for this reason. */
  | { readonly kind: 'failed'; readonly why: string };

/** What is wrong with a text; without errors it is a script. */
export interface Checked {
  readonly errors: readonly ScriptError[];
  readonly warnings: readonly ScriptError[];
}

/** Reads and runs scripts. */
export interface ScriptEngine {
  /** Runs of one owner do not crowd out those of others. Rejects only for a bug of ours. */
  run(owner: number, job: RunJob, port: RunPort): Promise<RunResult>;
  /** Throws a `Refusal` ('unavailable') when too much waits. */
  check(owner: number, text: string): Promise<Checked>;
  close(): Promise<void>;
}

export type EngineCall =
  | { readonly kind: 'run'; readonly job: RunJob }
  | { readonly kind: 'check'; readonly text: string };

/** To the thread: work, or the answer to a question. */
export type ToThread =
  | { readonly id: number; readonly call: EngineCall }
  | { readonly id: number; readonly question: number; readonly value: unknown }
  | { readonly id: number; readonly question: number; readonly failed: string };

/** From the thread: what came of work, or a question that it has. */
export type FromThread =
  | { readonly id: number; readonly value: RunResult | Checked }
  | { readonly id: number; readonly bug: string }
  | {
      readonly id: number;
      readonly question: number;
      readonly name: QuestionName;
      readonly args: readonly unknown[];
    };
