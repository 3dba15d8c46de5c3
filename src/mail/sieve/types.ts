/**
 * What the Sieve language takes and gives (RFC 5228). The interpreter is pure: a script, a message, an envelope and the
 * answers to a few questions go in, a plan comes out. What a plan does to mailboxes and the queue is `flow/sieve`.
 */

/** Where something stands in a script: lines and columns from 1, columns in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a script, for the one who wrote it. */
export interface ScriptError extends Position {
  /** What was found and what was expected, in one sentence without a position. */
  readonly message: string;
}

/** A script read and checked; opaque to everybody but the interpreter. Held in memory, never stored. */
export interface Script {
  /** Names of the extensions it requires, as written. */
  readonly requires: readonly string[];
  readonly warnings: readonly ScriptError[];
  readonly body: unknown;
}

export type Compiled =
  | { readonly ok: true; readonly script: Script }
  | { readonly ok: false; readonly errors: readonly ScriptError[] };

/** A part of a message as tests of `body`, `mime` and `foreverypart` see it. */
export interface SievePart {
  /** Fields in order; `value` unfolded, as octets in latin1, not decoded. */
  readonly fields: readonly SieveField[];
  /** "text", "multipart", ...; lower case. */
  readonly type: string;
  readonly subtype: string;
  readonly children: readonly SievePart[];
  /** Reads `fields` from the message, where they are not at hand; done once, before they are looked at. */
  load?(): Promise<void>;
  /** Where it stands, in octets, in a message of `total` octets; a part without it cannot be replaced. */
  readonly range?: { readonly start: number; readonly end: number; readonly total: number };
  /** The decoded body as text, at most `max` characters of it; empty for multiparts. */
  text(max: number): Promise<string>;
  /** The decoded body as octets, at most `max`. */
  octets(max: number): Promise<Buffer>;
  /** The body as it stands in the message, not decoded, at most `max` octets. */
  raw(max: number): Promise<Buffer>;
}

export interface SieveField {
  readonly name: string;
  /** Unfolded, octets in latin1, encoded words not decoded, outer white space removed. */
  readonly value: string;
}

export interface SieveMessage {
  /** Octets. */
  readonly size: number;
  readonly root: SievePart;
  /** All octets of the message, its header as `root.fields` has it; without it nothing can be replaced or enclosed. */
  whole?(): Promise<Buffer>;
}

export interface SieveEnvelope {
  /** Reverse-path, '' for the null one. */
  readonly from: string;
  /** The recipient this run is for. */
  readonly to: string;
  readonly auth: string | undefined;
  /** ESMTP parameters of RFC 6009 ("notify", "orcpt", "ret", "envid", "bytimeabsolute", ...), lower case. */
  readonly params?: Readonly<Record<string, string>>;
}

/** Questions whose answers lie outside the message. A function that is missing: the extension is not supported. */
export interface SieveWorld {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Minutes east of UTC of the owner, for currentdate and vacation. */
  readonly zoneMinutes: number;
  /** Addresses that mean the owner, the primary one first. */
  readonly addresses: readonly string[];
  /** environment (RFC 5183), lower case names: "domain", "host", "location", "name", "phase", "remote-host", "remote-ip", "version", "vnd...". */
  readonly environment: Readonly<Record<string, string>>;
  /** Score of the filter: 0 none known; 1 (surely wanted) to 10 (surely spam), in percent 0 to 100, and of virus 0 to 5. */
  readonly spam: { readonly tested: boolean; readonly level: number; readonly percent: number };
  readonly virus: { readonly tested: boolean; readonly level: number };
  /** Separates the detail of an address (RFC 5233), "+" usually. */
  readonly detailSeparator: string;
  mailboxExists(name: string): Promise<boolean>;
  mailboxIdExists(id: string): Promise<boolean>;
  specialUseExists(use: string, mailbox: string | undefined): Promise<boolean>;
  /** Annotation of a mailbox, or of the server where the mailbox is undefined (RFC 5490). */
  metadata(mailbox: string | undefined, name: string): Promise<string | undefined>;
  /** Whether this key was remembered by the owner and has not expired (duplicate). Not remembered by asking. */
  seen(key: string): Promise<boolean>;
  /** A script to include (RFC 6609); undefined where there is none of the name. */
  include(name: string, location: 'personal' | 'global'): Promise<string | undefined>;
  /** Whether a list (RFC 6134) is known and holds a value. */
  listHas(list: string, value: string): Promise<boolean>;
  listExists(list: string): Promise<boolean>;
}

/** Each limit with its unit; a site may set some of them lower. */
export interface SieveLimits {
  /** Octets of one script. */
  readonly scriptBytes: number;
  /** Steps: tests, actions, matches weighted by their length. */
  readonly steps: number;
  readonly actions: number;
  readonly redirects: number;
  readonly includes: number;
  readonly includeDepth: number;
  /** Nested blocks and tests. */
  readonly nesting: number;
  readonly variables: number;
  /** Characters of a variable's value. */
  readonly variableLength: number;
  /** Characters of a body that tests look at. */
  readonly bodyCharacters: number;
  readonly regexLength: number;
}

/** Changes to the message that an action is done with: in force when the action stood in the script. */
export interface MessageEdits {
  /** Header changes in order (RFC 5293); indexes count fields of that name as they stand when the change is made. */
  readonly header: readonly HeaderEdit[];
  /** The whole message after replace and enclose (RFC 5703); undefined: as it came. `header` is applied to it. */
  readonly content: Buffer | undefined;
}

export type HeaderEdit =
  | { readonly edit: 'add'; readonly name: string; readonly value: string; readonly last: boolean }
  | {
      readonly edit: 'delete';
      readonly name: string;
      /** Which fields of the name went, counted from the top from 0. */
      readonly indexes: readonly number[];
    };

export type SieveAction = SieveActionBody & {
  /** Where it stands: the script's name ("" the one that ran) and the line; 0 for the implicit keep. */
  readonly script: string;
  readonly line: number;
  /** Undefined: the message as it came. */
  readonly edits: MessageEdits | undefined;
};

export type SieveActionBody =
  | { readonly kind: 'keep'; readonly implicit: boolean; readonly flags: readonly string[] | undefined }
  | {
      readonly kind: 'fileinto';
      readonly mailbox: string;
      readonly mailboxId: string | undefined;
      readonly specialUse: string | undefined;
      readonly create: boolean;
      readonly flags: readonly string[] | undefined;
    }
  | {
      readonly kind: 'redirect';
      readonly address: string;
      readonly list: string | undefined;
      readonly notify: string | undefined;
      readonly ret: string | undefined;
    }
  | { readonly kind: 'discard' }
  | { readonly kind: 'reject'; readonly reason: string; readonly extended: boolean }
  | {
      readonly kind: 'vacation';
      /** Seconds within which a sender is answered once. */
      readonly periodSeconds: number;
      /** What tells one vacation response from another. */
      readonly handle: string;
      readonly to: string;
      readonly from: string | undefined;
      readonly subject: string;
      /** Text, or a whole MIME entity with its header. */
      readonly mime: boolean;
      readonly reason: string;
      readonly fcc: FccTarget | undefined;
    }
  | {
      readonly kind: 'notify';
      readonly method: string;
      readonly from: string | undefined;
      readonly importance: 1 | 2 | 3;
      readonly message: string | undefined;
      readonly options: readonly string[];
      readonly fcc: FccTarget | undefined;
    };

export interface FccTarget {
  readonly mailbox: string;
  readonly create: boolean;
  readonly flags: readonly string[];
  readonly specialUse: string | undefined;
  /** RFC 9042: goes before the name where it is known. */
  readonly mailboxId?: string;
}

/** What is to be done with a message. Sound: nothing in it is done twice, an implicit keep stands in `actions`. */
export interface SievePlan {
  readonly actions: readonly SieveAction[];
  /** Keys to remember (duplicate), with the seconds for which. */
  readonly remember: readonly { readonly key: string; readonly seconds: number }[];
  /** Set: the script failed there; `actions` is then the implicit keep alone, as far as nothing else was decided. */
  readonly error: (ScriptError & { readonly script: string }) | undefined;
  /** Tests and actions as they went, for `postern sieve test` and the journal; bounded. */
  readonly log: readonly { readonly script: string; readonly line: number; readonly text: string }[];
}

/** Read and check a script. Never throws: what is wrong is in the result, up to twenty errors. */
export type Compile = (
  text: string,
  options: { readonly limits: SieveLimits; readonly extensions?: readonly string[] },
) => Compiled;

/** Run scripts one after another on one message: the next runs on what `keep` the one before left (RFC 5228 2.10.6). */
export type Evaluate = (
  script: Script,
  message: SieveMessage,
  envelope: SieveEnvelope,
  world: SieveWorld,
  limits: SieveLimits,
  /** For scripts that are included; what it gave for a text may be given again. */
  compiler?: Compile,
) => Promise<SievePlan>;
