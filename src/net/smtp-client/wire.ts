import type { Clock } from '../../base/clock.ts';
import { Refusal, type SmtpReply } from '../../base/errors.ts';
import { ReadTimeout } from '../connection.ts';
import type { SocketConnection } from '../socket-connection.ts';
import { broken, type Phase } from './failure.ts';
import { parseReply, replyText } from './reply.ts';

/** Milliseconds to wait in each state: RFC 5321 section 4.5.3.2. */
export interface ClientTimeouts {
  readonly connect: number;
  readonly greeting: number;
  readonly ehlo: number;
  readonly mail: number;
  readonly rcpt: number;
  readonly dataInit: number;
  readonly dataEnd: number;
  readonly auth: number;
  readonly rset: number;
  readonly quit: number;
}

const MINUTE = 60_000;

export const DEFAULT_TIMEOUTS: ClientTimeouts = {
  connect: MINUTE / 2,
  greeting: 5 * MINUTE,
  ehlo: 5 * MINUTE,
  mail: 5 * MINUTE,
  rcpt: 5 * MINUTE,
  dataInit: 2 * MINUTE,
  dataEnd: 10 * MINUTE,
  auth: 2 * MINUTE,
  rset: MINUTE,
  quit: MINUTE / 4,
};

/** Sees each line of the dialogue without its CRLF; secrets and message data are replaced. */
export type Transcript = (who: 'client' | 'server', line: string) => void;

/** The two directions of a session: lines out, replies in. Throws `SessionBroken`. */
export class Wire {
  readonly connection: SocketConnection;
  readonly timeouts: ClientTimeouts;
  readonly #clock: Clock;
  readonly #transcript: Transcript | undefined;
  #pending: Buffer = Buffer.alloc(0);

  constructor(
    connection: SocketConnection,
    options: { clock: Clock; timeouts: ClientTimeouts; transcript: Transcript | undefined },
  ) {
    this.connection = connection;
    this.timeouts = options.timeouts;
    this.#clock = options.clock;
    this.#transcript = options.transcript;
  }

  /** Whether the server has sent something that no command asked for. */
  get unasked(): boolean {
    return this.#pending.length > 0 || this.connection.unreadBytes > 0;
  }

  /** Send lines in one write; `shown` replaces them in the transcript. */
  send(lines: readonly string[], shown: readonly string[] = lines): void {
    for (const line of lines) {
      // Whatever a caller passes on, one command is one line.
      if (/[\r\n\0]/.test(line)) throw new Refusal('bad-input', 'a line break inside an SMTP command');
    }
    for (const line of shown) this.#transcript?.('client', line);
    void this.connection.write(Buffer.from(`${lines.join('\r\n')}\r\n`));
  }

  /** Note something in the transcript that is not a line ("12345 octets of message"). */
  note(text: string): void {
    this.#transcript?.('client', text);
  }

  /** The next reply. A 421 is one too: the caller decides, see `expect`. */
  async reply(phase: Phase, timeoutMs: number): Promise<SmtpReply> {
    const deadline = this.#clock.monotonic() + timeoutMs;
    for (;;) {
      const parsed = parseReply(this.#pending);
      if (parsed.kind === 'reply') {
        this.#pending = this.#pending.subarray(parsed.length);
        this.#transcript?.('server', replyText(parsed.reply));
        return parsed.reply;
      }
      if (parsed.kind === 'malformed') {
        this.connection.destroy(parsed.reason);
        throw broken(phase, 'protocol', `the server broke the protocol: ${parsed.reason}`);
      }
      const chunk = await this.#read(phase, deadline - this.#clock.monotonic());
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    }
  }

  async #read(phase: Phase, leftMs: number): Promise<Buffer> {
    try {
      const chunk = await this.connection.read({ timeoutMs: Math.max(leftMs, 0) });
      if (chunk !== undefined) return chunk;
    } catch (error) {
      if (!(error instanceof ReadTimeout)) throw error;
      this.connection.destroy('timeout');
      throw broken(phase, 'timeout', `the server did not answer in time (${phase})`);
    }
    const why = this.connection.closeReason ?? 'closed by the server';
    this.connection.destroy(why);
    throw broken(phase, 'lost', `connection lost (${phase}): ${why}`);
  }

  /** One command, one reply. Throws `SessionBroken` on 421: the server is closing (RFC 5321 section 3.8). */
  async command(line: string, phase: Phase, timeoutMs: number, shown = line): Promise<SmtpReply> {
    this.send([line], [shown]);
    return this.expect(phase, timeoutMs);
  }

  /** The next reply, 421 taken as the end of the session that it announces. */
  async expect(phase: Phase, timeoutMs: number): Promise<SmtpReply> {
    const reply = await this.reply(phase, timeoutMs);
    if (reply.code === 421) {
      this.connection.destroy('421');
      throw broken(phase, 'refused', `the server closed the session: ${replyText(reply)}`, reply);
    }
    return reply;
  }
}
