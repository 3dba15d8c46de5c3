import type { MessageRow } from '../../../data/mailstore/types.ts';
import type { BlobReader } from '../../../data/store.ts';
import { finderOf, type FoldedPiece, foldedPieces, type Needle } from '../../../mail/search/fold.ts';
import {
  bodyTexts,
  fieldPieces,
  fieldText,
  messageHeader,
  type Spend,
  STEPS_PER_FIELD,
} from '../../../mail/search/text.ts';
import { textSource } from '../../../data/search/source.ts';
import type { Header } from '../../../mail/message/headers.ts';
import { yieldTurn } from '../session.ts';
import type { Turns } from '../turns.ts';

/** The texts of one message, read when a search asks for them. */
export interface MessageText {
  header(): Promise<Header>;
  /** Whether a folded text stands in the header. */
  inHeader(needle: Needle): Promise<boolean>;
  /** Whether a folded text stands in a field of the header of this name (lower case). */
  inField(name: string, needle: Needle): Promise<boolean>;
  /** Whether a folded text stands in the body: in texts, decoded, and in the headers of parts and nested messages. */
  inBody(needle: Needle): Promise<boolean>;
}

/** `turns` says when others get a turn while a text is searched. */
export function messageText(blobs: BlobReader, row: MessageRow, turns: Turns): MessageText {
  if (row.content === undefined) throw new Error('a row came without its content');
  const source = textSource(blobs, row.content);
  const spend: Spend = (steps) => (turns.spend(steps) ? yieldTurn() : undefined);
  let header: Promise<Header> | undefined;
  const text: MessageText = {
    header: () => (header ??= messageHeader(source, spend)),
    async inHeader(needle) {
      const whole = await text.header();
      for (const field of whole.fields) {
        if (turns.spend(STEPS_PER_FIELD)) await yieldTurn();
        const pieces = fieldPieces(field.name, fieldText(whole, field));
        if (await piecesHave(pieces, finderOf(needle), turns)) return true;
      }
      return false;
    },
    async inField(name, needle) {
      const whole = await text.header();
      for (const field of whole.fields) {
        if (turns.spend(STEPS_PER_FIELD)) await yieldTurn();
        if (field.name !== name) continue;
        if (needle.text === '') return true;
        if (await piecesHave(foldedPieces(fieldText(whole, field)), finderOf(needle), turns)) return true;
      }
      return false;
    },
    async inBody(needle) {
      let find = finderOf(needle);
      for await (const each of bodyTexts(source, spend)) {
        if (each.kind === 'part') find = finderOf(needle);
        else if (each.kind === 'text') {
          if (await piecesHave(foldedPieces(each.text), find, turns)) return true;
        } else {
          if (turns.spend(STEPS_PER_FIELD)) await yieldTurn();
          if (await piecesHave(fieldPieces(each.name, each.value), finderOf(needle), turns)) return true;
        }
      }
      return false;
    },
  };
  return text;
}

/** Whether what `find` looks for ends in this text. */
async function piecesHave(
  pieces: Iterable<FoldedPiece>,
  find: (piece: string) => boolean,
  turns: Turns,
): Promise<boolean> {
  for (const piece of pieces) {
    if (find(piece.text)) return true;
    if (turns.spend(piece.steps)) await yieldTurn();
  }
  return false;
}
