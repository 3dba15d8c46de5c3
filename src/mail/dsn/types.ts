import type { SmtpReply } from '../../base/errors.ts';

/** RFC 3464 section 2.3.3. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

/** What to report about one recipient. Addresses as `formatAddress` writes them, without angle brackets. */
export interface DsnRecipient {
  readonly finalRecipient: string;
  /** ORCPT as the sender gave it, decoded (RFC 3461 4.2). */
  readonly originalRecipient?: { readonly type: string; readonly address: string } | undefined;
  readonly action: DsnAction;
  /** Enhanced status code (RFC 3463), "5.1.1". */
  readonly status: string;
  /**
   * The reply of the remote host, or one sentence of ours when none spoke ("connection timed out"). A string that
   * begins with a reply code ("550 5.1.1 ...") is taken for a reply.
   */
  readonly diagnostic?: SmtpReply | string | undefined;
  /** Name of the host that was tried last; without one the decision was ours. */
  readonly remoteMta?: string | undefined;
  /** Milliseconds since the epoch; used with 'delayed'. */
  readonly willRetryUntil?: number | undefined;
  readonly lastAttempt?: number | undefined;
}

export interface DsnOriginal {
  /** The message's header section as received; nothing after an empty line is used. */
  readonly headerBytes: Buffer;
  /** The whole message as received, when it may be returned; see `ret`. */
  readonly full?: Buffer | undefined;
  /** Its subject, decoded, for the text a person reads. Without it a subject with encoded words is left out. */
  readonly subject?: string | undefined;
}

export interface DsnInput {
  /** Our host name. */
  readonly reportingMta: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** When the message came to us, milliseconds since the epoch. */
  readonly arrived?: number | undefined;
  /** ENVID, decoded. */
  readonly envid?: string | undefined;
  /** Address for From:, such as mailer-daemon@example.org. The envelope sender is always the null path. */
  readonly from: string;
  /** The reverse-path of the message, to whom the notification goes. */
  readonly to: string;
  readonly recipients: readonly DsnRecipient[];
  readonly original: DsnOriginal;
  /** RET=; the whole message is returned only for FULL, and only about failures (RFC 3461 4.3). */
  readonly ret?: 'FULL' | 'HDRS' | undefined;
  /** A paragraph of our own for the reader, in plain words. */
  readonly explanation?: string | undefined;
  /** Whether the message came under SMTPUTF8, so that its sender can take a notification in UTF-8 (RFC 6533). */
  readonly smtputf8: boolean;
  /** False when the next hop has no 8BITMIME: a message with 8-bit octets is then not returned, only its header. */
  readonly allow8bit?: boolean | undefined;
  /** Cryptographic randomness: `count` octets, for the boundary and the Message-ID. */
  readonly random: (count: number) => Buffer;
}

/** A finished notification and what its MAIL command has to declare. */
export interface Dsn {
  /** The complete message, lines ended by CRLF, none over 998 octets. */
  readonly bytes: Buffer;
  readonly body: '7BIT' | '8BITMIME';
  readonly smtputf8: boolean;
}
