/** Rules of the content filter: what they look at, what they say. */
import type { MessageFacts } from '../facts/types.ts';

export type AuthResult =
  | 'pass'
  | 'fail'
  | 'softfail'
  | 'neutral'
  | 'none'
  | 'policy'
  | 'temperror'
  | 'permerror';

/**
 * What is known from outside the message. Everything is optional: a rule over what is not known stays silent. Domains and
 * host names are in lower case.
 */
export interface RuleEvidence {
  /** The client: its address, the name DNS gives back for it and confirms, what it said in HELO. */
  readonly clientIp?: string;
  readonly helo?: string;
  /** Name of the client's address, confirmed (FCrDNS) or not; null where there is none. */
  readonly rdns?: string | null;
  /** RFC 8601 iprev: does the name lead back to the address? */
  readonly iprev?: 'pass' | 'fail' | 'none' | 'temperror';
  /** The HELO name has an address of the client; undefined where that was not asked. */
  readonly heloResolves?: boolean;
  /** Sent before our greeting, or in front of an answer that it had to wait for. */
  readonly earlyTalker?: boolean;
  readonly tls?: boolean;
  /** The client logged in here. */
  readonly authenticated?: boolean;
  /** Envelope sender; empty for the null reverse-path. */
  readonly reversePath?: string;
  /** Recipients of the transaction. */
  readonly recipientCount?: number;
  /** The recipients here, lower case. */
  readonly recipients?: readonly string[];
  /** Recipients of this transaction that do not exist. */
  readonly unknownRecipients?: number;
  readonly spf?: { readonly result: AuthResult; readonly domain: string };
  readonly dkim?: readonly {
    readonly result: AuthResult;
    readonly domain: string;
    readonly testing?: boolean;
  }[];
  readonly dmarc?: {
    readonly result: 'pass' | 'fail' | 'none' | 'temperror' | 'permerror';
    /** What the From domain asks for. */
    readonly policy: 'none' | 'quarantine' | 'reject';
    readonly domain: string;
  };
  readonly arc?: {
    readonly result: 'pass' | 'fail' | 'none';
    readonly trusted: boolean;
    readonly sealer: string;
  };
  /** Domains that live here. */
  readonly ownDomains?: ReadonlySet<string>;
  /** Host names of this server. */
  readonly ownHosts?: ReadonlySet<string>;
  /** Names of people with accounts here, lower case: for those who borrow them. */
  readonly ownNames?: ReadonlySet<string>;
  /** The recipient has written to the From address before. */
  readonly knownCorrespondent?: boolean;
  /** It answers a message that went out from here. */
  readonly replyToOwn?: boolean;
  /** The From domain has never been seen here before. */
  readonly firstContact?: boolean;
  /** Came back after it was asked to (greylisting). */
  readonly greylistPassed?: boolean;
  /** ISO 639-1 of what the recipient usually gets. */
  readonly languages?: ReadonlySet<string>;
  /** Time of reception, milliseconds since the epoch. */
  readonly now?: number;
}

export interface Rule {
  /** UPPER_CASE. */
  readonly name: string;
  /** Nats of log-odds, positive towards spam. */
  readonly score: number;
  /** One plain line. A detail from the message is put behind it. */
  readonly explain: string;
  /** What would change it. */
  readonly lever?: string;
  /** Rests on what is known from outside the message, not on its content. */
  readonly outside?: true;
  /** True, or the detail, when it applies. */
  readonly test: (facts: MessageFacts, evidence: RuleEvidence) => boolean | string;
}

/** A rule that applied. */
export interface Hit {
  readonly name: string;
  readonly score: number;
  readonly text: string;
  readonly lever: string | undefined;
  /** Rests on what is known from outside the message, not on its content. */
  readonly outside: boolean;
}
