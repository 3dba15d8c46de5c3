import { connect, type Socket } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';

const CRLF = Buffer.from('\r\n');

/** A TCP connection read line by line; small on purpose, so that the client costs little beside the server. */
export class LineClient {
  readonly socket: Socket;
  /** Called for each line instead of queueing it, when set. */
  onLine: ((line: string) => void) | undefined;
  readonly #lines: string[] = [];
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  #rest = '';
  #failed: Error | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#data(text));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('connection closed')));
  }

  /** `from`: the address on loopback that it comes from. */
  static open(port: number, from = '127.0.0.1'): Promise<LineClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => {
        socket.removeListener('error', reject);
        resolve(new LineClient(socket));
      });
      socket.once('error', reject);
    });
  }

  #data(text: string): void {
    const pieces = (this.#rest + text).split('\r\n');
    this.#rest = pieces.pop() ?? '';
    for (const line of pieces) {
      if (this.onLine !== undefined) this.onLine(line);
      else if (this.#waiting !== undefined) {
        const { resolve } = this.#waiting;
        this.#waiting = undefined;
        resolve(line);
      } else this.#lines.push(line);
    }
  }

  /** Throws when the connection is gone. */
  check(): void {
    if (this.#failed !== undefined) throw this.#failed;
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  line(): Promise<string> {
    const ready = this.#lines.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  sendLine(text: string): void {
    this.socket.write(Buffer.concat([Buffer.from(text, 'latin1'), CRLF]));
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Wait until a port answers with a line that begins so. */
export async function greeting(port: number, start: string, timeoutMs = 60_000): Promise<void> {
  const end = systemClock.monotonic() + timeoutMs;
  for (;;) {
    try {
      const client = await LineClient.open(port);
      const line = await client.line();
      client.close();
      if (line.startsWith(start)) return;
      throw new Error(`port ${port} answered ${line}`);
    } catch (error) {
      if (systemClock.monotonic() > end) throw new Error(`port ${port}: ${String(error)}`, { cause: error });
      await systemClock.sleep(2);
    }
  }
}
