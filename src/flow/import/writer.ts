import type { FlagSet } from '../../data/mailstore/types.ts';

/** Where mail is written to by an export. Times are milliseconds since the epoch, sizes octets. */

export interface OutMailbox {
  /** Levels separated by "/". */
  readonly name: string;
  readonly uidvalidity: number;
  readonly subscribed: boolean;
  readonly specialUse?: string | undefined;
}

export interface OutMessage extends FlagSet {
  readonly uid: number;
  readonly receivedAt: number;
  readonly size: number;
}

export interface FolderWriter {
  /** 'known': it is there already; its flags are brought up to date where that can be. */
  write(message: OutMessage, octets: AsyncIterable<Buffer>): Promise<'written' | 'known'>;
  close(): Promise<void>;
}

export interface MailWriter {
  open(mailbox: OutMailbox): Promise<FolderWriter>;
  close(): Promise<void>;
}

/** A level of a mailbox's name as that of a file: it leads nowhere else and hides nowhere. */
export function fileName(level: string): string {
  // oxlint-disable-next-line no-control-regex -- what no file name is to have
  const clean = level.replace(/[\x00-\x1f\x7f/\\]/g, '_');
  const shown = clean.startsWith('.') ? `_${clean.slice(1)}` : clean;
  let short = shown === '' ? '_' : shown;
  while (Buffer.byteLength(short) > 200) short = short.slice(0, -1);
  return short.toWellFormed();
}
