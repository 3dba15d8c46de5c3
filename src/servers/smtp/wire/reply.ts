import type { SmtpReply } from '../../../base/errors.ts';
import type { Connection } from '../../../net/connection.ts';

/** Octets of a reply line, CRLF included (RFC 5321 section 4.5.3.1.5). */
const REPLY_LINE_BYTES = 512;
/** What code, hyphen, enhanced code, space and CRLF can take of it. */
const REPLY_LINE_OVERHEAD = 20;
const REPLY_TEXT_BYTES = REPLY_LINE_BYTES - REPLY_LINE_OVERHEAD;

/** Anything that is not printable ASCII; RFC 6531 section 3.7.4.3 keeps UTF-8 out of replies unless asked for. */
const NOT_PRINTABLE = /[^\x20-\x7e]/g;
const PLAIN_TEXT = /^[\x20-\x7e]*$/;

/**
 * A reply as it goes over the wire: every line carries the code and the enhanced code (RFC 2034 section 4), is cut to
 * what a line may hold, and can contain no line break of its own, wherever its text came from.
 */
export function renderReply(reply: SmtpReply): string {
  const { code, enhanced, lines } = reply;
  const status = enhanced === undefined ? '' : `${enhanced} `;
  const last = lines.length - 1;
  if (last <= 0) return `${code} ${status}${cleanText(lines[0] ?? '')}\r\n`;
  let text = '';
  for (let i = 0; i <= last; i++)
    text += `${code}${i < last ? '-' : ' '}${status}${cleanText(lines[i] ?? '')}\r\n`;
  return text;
}

function cleanText(text: string): string {
  const printable = PLAIN_TEXT.test(text) ? text : text.replace(NOT_PRINTABLE, '?');
  return printable.length > REPLY_TEXT_BYTES ? `${printable.slice(0, REPLY_TEXT_BYTES - 3)}...` : printable;
}

/**
 * Holds replies back so that a pipelined group of commands is answered in one write (RFC 2920 section 3.2); the
 * session flushes before it waits for the client and after every command that ends a group.
 */
export class ReplyWriter {
  readonly #connection: Connection;
  readonly #holdBytes: number;
  #held = '';

  constructor(connection: Connection, holdBytes: number) {
    this.#connection = connection;
    this.#holdBytes = holdBytes;
  }

  /** Add a reply to what is held. */
  put(reply: SmtpReply): void {
    this.#held += renderReply(reply);
  }

  get full(): boolean {
    return this.#held.length >= this.#holdBytes;
  }

  /** Send what is held; a promise means that the client is slow to take it: await it. */
  flush(): Promise<void> | undefined {
    if (this.#held === '') return undefined;
    const text = this.#held;
    this.#held = '';
    return this.#connection.write(text);
  }
}
