/** Why a conversation with an IMAP server did not go on. */
export class ImapFailure extends Error {
  override readonly name = 'ImapFailure';
  /**
   * 'lost': worth connecting again. 'refused': the server said NO or BAD. 'login': name or password are not taken.
   * 'tls', 'protocol': the server is not what it should be.
   */
  readonly kind: 'lost' | 'refused' | 'login' | 'tls' | 'protocol';
  /** Response code without brackets, upper case: "OVERQUOTA", "THROTTLED". */
  readonly code: string | undefined;

  constructor(kind: ImapFailure['kind'], message: string, code?: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}
