import { LineClient } from '../line-client.ts';
import type { Letter } from './mail.ts';
import { NETWORKS } from './zone.ts';

/** Whom Postern takes the PROXY protocol from: another address than that of the IMAP clients, which do without. */
export const PROXY = '127.0.0.2';

/** The n-th server that sends mail. */
export function clientAddress(n: number): string {
  return `${NETWORKS[n % NETWORKS.length] ?? ''}.${1 + (Math.floor(n / NETWORKS.length) % 250)}`;
}

/** An SMTP client that says with the PROXY protocol where it is; the envelope is pipelined. */
export class ProxiedClient {
  readonly #line: LineClient;

  private constructor(line: LineClient) {
    this.#line = line;
  }

  static async open(port: number, address: string): Promise<ProxiedClient> {
    const line = await LineClient.open(port, PROXY);
    const client = new ProxiedClient(line);
    line.send(`PROXY TCP4 ${address} 127.0.0.1 ${line.socket.localPort ?? 1} ${port}\r\n`);
    await client.#reply('220');
    line.send(`EHLO mx-${address.replaceAll('.', '-')}.senders.test\r\n`);
    await client.#reply('250');
    return client;
  }

  /** One transaction. Resolves at the 250 after the data. */
  async send(to: string, { from, octets }: Letter): Promise<void> {
    this.#line.send(`MAIL FROM:<${from}> BODY=8BITMIME\r\nRCPT TO:<${to}>\r\nDATA\r\n`);
    await this.#reply('250');
    await this.#reply('250');
    await this.#reply('354');
    this.#line.send(octets);
    await this.#reply('250');
  }

  close(): void {
    this.#line.sendLine('QUIT');
    this.#line.socket.end();
  }

  async #reply(code: string): Promise<void> {
    for (;;) {
      const line = await this.#line.line();
      if (line[3] === '-') continue;
      if (line.startsWith(code)) return;
      throw new Error(`SMTP: expected ${code}, got ${line}`);
    }
  }
}

export interface Pour {
  readonly letters: readonly Letter[];
  readonly sessions: number;
  readonly kept: boolean;
}

/** Send them all from so many servers at once, to the addresses in turn. */
export async function pourLetters(
  port: number,
  to: readonly string[],
  { letters, sessions, kept }: Pour,
): Promise<void> {
  let next = 0;
  const one = async (session: number): Promise<void> => {
    let client = kept ? await ProxiedClient.open(port, clientAddress(session)) : undefined;
    for (let n = next++; n < letters.length; n = next++) {
      const letter = letters[n];
      if (letter === undefined) break;
      client ??= await ProxiedClient.open(port, clientAddress(n));
      await client.send(to[n % to.length] ?? '', letter);
      if (kept) continue;
      client.close();
      client = undefined;
    }
    client?.close();
  };
  await Promise.all(Array.from({ length: sessions }, (_, session) => one(session)));
}
