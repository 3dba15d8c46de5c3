import { LineClient } from './line-client.ts';
import type { Account } from './system.ts';

/** As much of an IMAP client as the cells need. No literals are read. */
export class ImapClient {
  readonly line: LineClient;
  #tag = 0;

  private constructor(line: LineClient) {
    this.line = line;
  }

  static async login(port: number, account: Account): Promise<ImapClient> {
    const client = new ImapClient(await LineClient.open(port));
    await client.line.line();
    await client.command(`LOGIN ${account.address} ${account.password}`);
    return client;
  }

  /** Send a command; its untagged lines. Throws when it is not answered OK. */
  async command(text: string): Promise<string[]> {
    const tag = `a${++this.#tag}`;
    this.line.sendLine(`${tag} ${text}`);
    const untagged: string[] = [];
    for (;;) {
      const line = await this.line.line();
      if (!line.startsWith(`${tag} `)) untagged.push(line);
      else if (line.startsWith(`${tag} OK`)) return untagged;
      else throw new Error(`IMAP: ${text.replace(/^(LOGIN \S+).*/, '$1')}: ${line}`);
    }
  }

  /** Messages in INBOX, without selecting it. */
  async count(): Promise<number> {
    const lines = await this.command('STATUS INBOX (MESSAGES)');
    return Number(/MESSAGES (\d+)/.exec(lines.join('\n'))?.[1] ?? Number.NaN);
  }

  /** Message-IDs of INBOX from the message with this number on, one for each message. */
  async messageIds(first: number): Promise<string[]> {
    await this.command('EXAMINE INBOX');
    const lines = await this.command(`FETCH ${first}:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])`);
    await this.command('CLOSE');
    return lines.flatMap((line) => /^message-id: *(\S+)/i.exec(line)?.[1] ?? []);
  }

  /** SELECT INBOX and IDLE; from then on `onExists` hears of every EXISTS. */
  async idle(onExists: (count: number) => void): Promise<void> {
    await this.command('SELECT INBOX');
    this.line.sendLine(`a${++this.#tag} IDLE`);
    for (;;) {
      const line = await this.line.line();
      if (line.startsWith('+')) break;
    }
    this.line.onLine = (line) => {
      const match = /^\* (\d+) EXISTS/.exec(line);
      if (match !== null) onExists(Number(match[1]));
    };
  }

  close(): void {
    this.line.close();
  }
}
