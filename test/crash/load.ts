import { lineClient, type LineClient } from '../support/smtp-client.ts';

/** Made-up mail poured into a server that may die at any moment, and a ledger of what it promised. */

/** What becomes of the octets: `medium` ones go into a segment, `large` ones into a file of their own. */
export type Kind = 'local' | 'medium' | 'large' | 'out';

/** Where a message must be once it is answered 250: accounts, and addresses in the queue. */
export interface Sent {
  readonly id: string;
  readonly kind: Kind;
  readonly recipients: readonly string[];
  /** The final reply; undefined: there was none, the message is there once in all its places, or nowhere. */
  reply: string | undefined;
}

export interface Ports {
  readonly smtp: number;
  readonly submission: number;
}

const BYTES: Readonly<Partial<Record<Kind, number>>> = { medium: 100 * 1024, large: 300 * 1024 };
/** Milliseconds a client waits after a 4xx: a busy server is not to be hammered. */
const PAUSE_MS = 50;
const LOGIN = `AUTH PLAIN ${Buffer.from('\0alice@example.test\0postern').toString('base64')}\r\n`;

export class Ledger {
  readonly sent: Sent[] = [];

  get answered(): Sent[] {
    return this.sent.filter(({ reply }) => reply?.startsWith('250') === true);
  }

  /** Messages by the code of their reply, `none` for those without one. */
  get codes(): Record<string, number> {
    const codes: Record<string, number> = {};
    for (const { reply } of this.sent) {
      const code = reply === undefined ? 'none' : reply.slice(0, 9).replace(/^(\d{3} \d\.\d\.\d).*/, '$1');
      codes[code] = (codes[code] ?? 0) + 1;
    }
    return codes;
  }
}

/** The octets of a message, the same each time for the same id, without the final dot. */
export function messageText({ id, kind }: Pick<Sent, 'id' | 'kind'>): string {
  const header = `From: <alice@example.test>\r\nMessage-ID: <${id}>\r\nDate: Sat, 1 Nov 2025 10:00:00 +0000\r\nSubject: ${kind}\r\n\r\n`;
  const line = `${id} ${'x'.repeat(60)}\r\n`;
  return header + line.repeat(Math.max(4, Math.ceil((BYTES[kind] ?? 0) / line.length)));
}

export interface LoadOptions {
  readonly ports: Ports;
  readonly ledger: Ledger;
  /** Part of every Message-ID. */
  readonly label: string;
  /** Connections of each kind. */
  readonly connections: Readonly<Partial<Record<Kind, number>>>;
  /** Messages on each connection; without it until the server goes or `stop` is called. */
  readonly each?: number;
  /** Called at every 250. */
  readonly onAnswer?: () => void;
}

export interface RunningLoad {
  /** Resolves when all connections have ended. */
  readonly done: Promise<void>;
  /** End after the messages under way. */
  stop(): void;
}

/** Pour mail in over several connections at once. */
export function pour(options: LoadOptions): RunningLoad {
  const state = { stopped: false };
  const runs: Promise<void>[] = [];
  for (const kind of ['local', 'medium', 'large', 'out'] as const) {
    for (let i = 0; i < (options.connections[kind] ?? 0); i++) {
      runs.push(oneConnection(options, kind, `${options.label}-${kind}${i}`, state));
    }
  }
  return {
    done: Promise.all(runs).then(() => undefined),
    stop() {
      state.stopped = true;
    },
  };
}

/** Recipients vary: one, or two whose copies share a commit; for mail that leaves, one outside and every other time one here. */
function recipientsOf(kind: Kind, serial: number): string[] {
  const here = serial % 2 === 0 ? ['bob@example.test'] : ['bob@example.test', 'alice@example.test'];
  if (kind !== 'out') return here;
  return serial % 2 === 0 ? ['dave@outside.test'] : ['dave@outside.test', 'bob@example.test'];
}

async function oneConnection(
  options: LoadOptions,
  kind: Kind,
  name: string,
  state: { stopped: boolean },
): Promise<void> {
  const { ports, ledger, each = Number.POSITIVE_INFINITY } = options;
  let client: LineClient;
  try {
    client = await lineClient(kind === 'out' ? ports.submission : ports.smtp);
  } catch {
    return;
  }
  try {
    await client.talk(['', '220'], ['EHLO load.test\r\n', '250']);
    if (kind === 'out') await client.talk([LOGIN, '235']);
    for (let serial = 0; serial < each && !state.stopped; serial++) {
      const entry: Sent = {
        id: `${name}-${serial}@load.test`,
        kind,
        recipients: recipientsOf(kind, serial),
        reply: undefined,
      };
      if (!(await oneMessage(client, entry, ledger))) return;
      if (entry.reply?.startsWith('250') === true) options.onAnswer?.();
    }
  } catch {
    // The server went before a message was under way.
  } finally {
    client.close();
  }
}

/** False when the server is gone. */
async function oneMessage(client: LineClient, entry: Sent, ledger: Ledger): Promise<boolean> {
  const rcpt = entry.recipients.map((address) => `RCPT TO:<${address}>\r\n`).join('');
  client.send(`MAIL FROM:<alice@example.test>\r\n${rcpt}DATA\r\n`);
  for (let i = 0; i < entry.recipients.length + 1; i++) {
    const reply = await client.reply();
    if (reply.includes('(closed)')) return false;
    if (!reply.startsWith('250')) throw new Error(`MAIL or RCPT got ${reply}`);
  }
  const go = await client.reply();
  if (go.includes('(closed)')) return false;
  if (!go.startsWith('354')) {
    ledger.sent.push({ ...entry, reply: go });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    return true;
  }
  ledger.sent.push(entry);
  client.send(`${messageText(entry)}.\r\n`);
  const reply = await client.reply();
  if (reply.includes('(closed)')) return false;
  entry.reply = reply;
  if (reply.startsWith('4')) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return true;
}
