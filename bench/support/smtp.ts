import { LineClient } from './line-client.ts';
import type { Account } from './system.ts';

/** A small SMTP client for what smtp-source cannot do: AUTH, and knowing when each 250 came. */
export class SmtpClient {
  readonly #line: LineClient;

  private constructor(line: LineClient) {
    this.#line = line;
  }

  /** Connect, EHLO, and AUTH PLAIN where a login is given. */
  static async open(port: number, login?: Account): Promise<SmtpClient> {
    const client = new SmtpClient(await LineClient.open(port));
    await client.#reply('220');
    await client.#command('EHLO source.example', '250');
    if (login !== undefined) {
      const token = Buffer.from(`\0${login.address}\0${login.password}`).toString('base64');
      await client.#command(`AUTH PLAIN ${token}`, '235');
    }
    return client;
  }

  /** Whether a recipient would be taken. */
  async takes(to: string): Promise<boolean> {
    await this.#command('MAIL FROM:<>', '250');
    this.#line.sendLine(`RCPT TO:<${to}>`);
    const taken = (await this.#line.line()).startsWith('250');
    await this.#command('RSET', '250');
    return taken;
  }

  /** One transaction, the envelope pipelined. Resolves at the 250 after the data. */
  async send(from: string, to: string, message: Buffer): Promise<void> {
    this.#line.send(`MAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\n`);
    await this.#reply('250');
    await this.#reply('250');
    await this.#reply('354');
    this.#line.send(message);
    await this.#reply('250');
  }

  close(): void {
    this.#line.sendLine('QUIT');
    this.#line.socket.end();
  }

  #command(text: string, code: string): Promise<void> {
    this.#line.sendLine(text);
    return this.#reply(code);
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

/** A message with its final dot; `body` is lines of ASCII that do not begin with a dot. */
export function messageOf(id: string, from: string, to: string, body: string): Buffer {
  return Buffer.from(
    `From: <${from}>\r\nTo: <${to}>\r\nDate: Mon, 1 Jun 2026 12:00:00 +0000\r\nMessage-ID: <${id}@source.example>\r\n` +
      `Subject: bench\r\n\r\n${body}\r\n.\r\n`,
    'latin1',
  );
}

/** So many octets of one letter, in lines. */
export function filler(octets: number): string {
  return `${'x'.repeat(76)}\r\n`.repeat(Math.ceil(octets / 78));
}
