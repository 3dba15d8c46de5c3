import { Refusal } from '../../base/errors.ts';
import type { FlagSet, SpecialUse } from '../../data/mailstore/types.ts';
import type { Spooled } from './spool.ts';

/** Mail of another system, as an import reads it. Times are milliseconds since the epoch, sizes octets. */

export interface SourceFolder {
  /** Names it for ever, epoch included (UIDVALIDITY): what was brought in is remembered under it. */
  readonly id: string;
  /** Levels of its name from the top; the inbox is ['INBOX']. */
  readonly levels: readonly string[];
  readonly specialUse?: SpecialUse | undefined;
  readonly subscribed: boolean;
}

export interface SourceMessage extends FlagSet {
  /** Names it within its folder. */
  readonly key: string;
  /** Undefined where only reading it tells. */
  readonly receivedAt: number | undefined;
  readonly size: number | undefined;
  /** Levels of the folders it lies in instead of that it was found in (Gmail's labels). */
  readonly places?: readonly Place[] | undefined;
}

/** A folder by name, or what it is used for. */
export interface Place {
  readonly levels: readonly string[];
  readonly specialUse?: SpecialUse | undefined;
}

/** A message that was read whole. Whoever takes it calls `octets.dispose`. */
export interface ReadMessage<M extends SourceMessage = SourceMessage> {
  readonly message: M;
  readonly octets: Spooled;
  readonly receivedAt: number;
}

/** A message that cannot be brought over, and why (a clause). */
export interface LeftMessage {
  readonly key: string;
  readonly why: string;
}

/** A folder that is not brought over, and why (a clause). */
export interface PassedFolder {
  readonly folder: string;
  readonly why: string;
  /** Whether mail of the account is missing here because of it. */
  readonly missed: boolean;
}

/** A place of files in which there is no mail. The message says what was looked for (a clause). */
export class NoMail extends Refusal {
  constructor(message: string) {
    super('not-found', message);
  }
}

/** Where mail comes from. Folders and messages may be handed back to it alone. */
export interface MailSource {
  /** "imap alice@old.example.org at old.example.org:993". */
  readonly name: string;
  /** @throws NoMail where a place of files holds no mail at all */
  folders(): Promise<readonly SourceFolder[]>;
  /** Those that were there when `folders` last answered and that it left out. */
  passed?(): readonly PassedFolder[];
  /** What a folder holds, in the order it is to be brought over. */
  list(folder: SourceFolder): Promise<readonly SourceMessage[]>;
  /** The messages, in order, each read whole; those that are gone or cannot be read are told of instead. */
  read(folder: SourceFolder, messages: readonly SourceMessage[]): AsyncIterable<ReadMessage | LeftMessage>;
  close(): Promise<void>;
}

/** Messages of one folder that are looked at: about 200 octets of memory each. */
export const FOLDER_MESSAGES = 2_000_000;
