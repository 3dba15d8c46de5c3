import type { SmtpReply } from '../../base/errors.ts';
import type { ClientMechanism } from '../../mail/sasl/client.ts';
import { authenticate, type AuthOutcome } from './auth.ts';
import type { Capabilities } from './capabilities.ts';
import type { ClientTls } from './tls.ts';
import type { ClientFailure } from './failure.ts';
import { sendTransaction, tryRecipient, type OutgoingMessage, type SendOutcome } from './transaction.ts';
import type { Wire } from './wire.ts';

/** An open session with one server. Its calls do not overlap: await each. */
export interface SmtpClient {
  readonly protocol: 'smtp' | 'lmtp';
  readonly greeting: SmtpReply;
  readonly capabilities: Capabilities;
  readonly tls: ClientTls | undefined;
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Transactions begun in this session. */
  readonly transactions: number;
  /** Whether another transaction may be tried: connected, and MAILMAX (RFC 9422) not reached. */
  readonly usable: boolean;
  /**
   * Log in (RFC 4954) with a mechanism from mail/sasl. PLAIN, LOGIN and XOAUTH2 are refused without TLS unless
   * `allowPlaintext` says that the path is safe.
   */
  authenticate(mechanism: ClientMechanism, options?: { allowPlaintext?: boolean }): Promise<AuthOutcome>;
  /**
   * One transaction. Throws a `Refusal` ('bad-input') when the message or an address cannot be sent as it is (bare CR or
   * LF outside BINARYMIME); the connection is closed when that shows in mid-message. What the source of the body throws
   * goes through, with the connection closed. Everything else is an outcome.
   */
  sendMessage(message: OutgoingMessage): Promise<SendOutcome>;
  /**
   * Ask whether a recipient would be taken: MAIL, RCPT, RSET, and no message. `replies` are those that came; `failure`
   * is set when the session broke.
   */
  tryRecipient(
    reversePath: string,
    recipient: string,
  ): Promise<{ readonly replies: readonly SmtpReply[]; readonly failure?: ClientFailure }>;
  /** RSET: whether the session still works, for one that was kept open unused. */
  reset(): Promise<boolean>;
  /** Say QUIT, wait briefly for the answer, close. Never fails. */
  quit(): Promise<void>;
  /** Close without a word. */
  destroy(): void;
}

/** What the parts of a session share. */
export interface Session {
  readonly wire: Wire;
  readonly protocol: 'smtp' | 'lmtp';
  readonly greeting: SmtpReply;
  readonly capabilities: Capabilities;
  readonly tls: ClientTls | undefined;
}

export function createClient(session: Session): SmtpClient {
  const { wire, capabilities } = session;
  const { connection, timeouts } = wire;
  let transactions = 0;
  /** A transaction may still be open at the server. */
  let dirty = false;

  async function reset(): Promise<boolean> {
    try {
      const reply = await wire.command('RSET', 'rset', timeouts.rset);
      dirty = false;
      return reply.code === 250;
    } catch {
      return false;
    }
  }

  return {
    protocol: session.protocol,
    greeting: session.greeting,
    capabilities,
    tls: session.tls,
    remoteAddress: connection.remoteAddress,
    localAddress: connection.localAddress,
    get transactions() {
      return transactions;
    },
    get usable() {
      return !connection.closed && transactions < (capabilities.transactionMax ?? Number.POSITIVE_INFINITY);
    },
    authenticate: (mechanism, options) => authenticate(session, mechanism, options?.allowPlaintext === true),
    async sendMessage(message) {
      if (dirty) await reset();
      transactions++;
      const result = await sendTransaction(session, message);
      dirty = result.dirty;
      return result.outcome;
    },
    async tryRecipient(reversePath, recipient) {
      if (dirty) await reset();
      const result = await tryRecipient(session, reversePath, recipient);
      dirty = result.failure === undefined;
      if (dirty) await reset();
      return result;
    },
    reset,
    async quit() {
      try {
        if (!connection.closed) await wire.command('QUIT', 'quit', timeouts.quit);
      } catch {
        // The answer changes nothing.
      }
      await connection.end();
    },
    destroy: () => connection.destroy(),
  };
}
