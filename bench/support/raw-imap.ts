import { connect, type Socket } from 'node:net';

const NOTHING: Buffer = Buffer.alloc(0);
/** Octets kept of what came before, in which the beginning of a tagged line may stand. */
const KEPT = 64;

/** What a command came to. */
export interface Answer {
  /** Octets of everything that came, the tagged line included. */
  readonly octets: number;
  /** The untagged lines, as far as they were wanted. */
  readonly text: string;
}

/**
 * An IMAP client that reads as little as it can: it looks for the tagged line alone, so that on a small machine the
 * server has the time. A tag is never a word of the mail.
 */
export class RawImap {
  readonly #socket: Socket;
  #tag = 0;
  #wanted = NOTHING;
  #tail = NOTHING;
  #octets = 0;
  #keep: Buffer[] | undefined;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#data(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('connection closed')));
  }

  static async open(port: number): Promise<RawImap> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const made = connect({ port, host: '127.0.0.1' }, () => resolve(made));
      made.once('error', reject);
    });
    const client = new RawImap(socket);
    await client.#until(Buffer.from('* OK '));
    return client;
  }

  static async login(port: number, user: string, password: string): Promise<RawImap> {
    const client = await RawImap.open(port);
    await client.command(`LOGIN ${user} ${password}`);
    return client;
  }

  /** Send a command; resolves with its answer when it ended with OK. `keep`: the text of the answer is wanted. */
  command(text: string, keep = false): Promise<Answer> {
    return this.send([Buffer.from(`${text}\r\n`, 'latin1')], text, keep);
  }

  append(mailbox: string, message: Buffer): Promise<Answer> {
    const head = Buffer.from(`APPEND ${mailbox} {${message.length}+}\r\n`);
    return this.send([head, message, Buffer.from('\r\n')], 'APPEND', false);
  }

  async send(parts: readonly Buffer[], what: string, keep: boolean): Promise<Answer> {
    const tag = `Zq${++this.#tag}`;
    const answer = this.#until(Buffer.from(`\r\n${tag} `), keep);
    this.#socket.write(Buffer.concat([Buffer.from(`${tag} `), ...parts]));
    const { octets, text } = await answer;
    const last = text.slice(text.lastIndexOf(`${tag} `) + tag.length + 1);
    if (!last.startsWith('OK'))
      throw new Error(`IMAP: ${what.replace(/^(LOGIN \S+).*/, '$1')}: ${last.trim()}`);
    return { octets, text };
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #until(wanted: Buffer, keep = false): Promise<Answer> {
    this.#wanted = wanted;
    // The tagged line may be the first one there is.
    this.#tail = Buffer.from('\r\n');
    this.#octets = 0;
    this.#keep = keep ? [] : undefined;
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  #data(chunk: Buffer): void {
    this.#octets += chunk.length;
    this.#keep?.push(chunk);
    const joined = Buffer.concat([this.#tail, chunk]);
    const at = joined.indexOf(this.#wanted);
    if (at === -1) {
      this.#tail = Buffer.from(joined.subarray(-KEPT));
      return;
    }
    // The end of that line may still be on its way.
    if (joined.indexOf('\r\n', at + this.#wanted.length) === -1) {
      this.#tail = Buffer.from(joined.subarray(at));
      return;
    }
    const text =
      this.#keep === undefined ? joined.toString('latin1', at) : Buffer.concat(this.#keep).toString('latin1');
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ octets: this.#octets, text });
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
