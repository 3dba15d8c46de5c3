/** A mail server under measurement, as the cells see it. */
export interface Account {
  readonly address: string;
  readonly password: string;
}

export interface Ports {
  readonly smtp: number;
  readonly imap: number;
}

export interface MailSystem {
  readonly name: string;
  readonly ports: Ports;
  readonly accounts: readonly Account[];
  /** Port that takes mail for elsewhere: from anyone on loopback, or after AUTH. */
  readonly submission: number;
  /** The processes that together are the system; their descendants count with them. */
  roots(): number[];
  /** From the first exec until SMTP and IMAP greeted. */
  readonly startMs: number;
  /** Try everything in the queue again now. */
  flushQueue(): Promise<void>;
  stop(): Promise<void>;
}

export type MailFormat = 'sdbox' | 'mdbox' | 'maildir';

export interface Setup {
  /** An empty directory of its own, or one it used before. */
  readonly dir: string;
  readonly portBase: number;
  readonly accounts: number;
  /** Where outgoing mail is handed over; nothing needs to listen yet. */
  readonly relayPort: number;
  /** How Dovecot keeps mail. */
  readonly mailFormat: MailFormat;
  /** Flags for Node when it runs Postern, such as --cpu-prof. */
  readonly nodeFlags: readonly string[];
}

export type StartSystem = (setup: Setup) => Promise<MailSystem>;

export const PASSWORD = 'postern';
export const DOMAIN = 'example.test';

/** alice, bob, then user3, user4, ... */
export function accountNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => ['alice', 'bob'][i] ?? `user${i + 1}`);
}
