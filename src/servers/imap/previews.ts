import type { MessageRow } from '../../data/mailstore/types.ts';
import { type ContentReader, slicePieces } from '../../data/mailstore/content-reader.ts';
import type { EmailPreview } from '../../data/mailstore/previews.ts';
import { previewOf, previewTexts } from '../../mail/preview.ts';
import { type Session, spend } from './session.ts';
import type { FetchAtt } from './wire/fetch-att.ts';

/** Previews of a page of rows, by email; what is not in it is not known yet. */
export type Previews = ReadonlyMap<number, string>;

const NONE: Previews = new Map();
/** Steps (see turns.ts) for an octet of text that a preview is made of. */
const STEPS_PER_OCTET = 6;

/**
 * What PREVIEW (RFC 8970) shows of a page of rows. It is made when somebody first asks, of the first 64 KiB of a text at
 * most, and kept; with LAZY what nobody has asked for is left out.
 */
export async function openPreviews(
  session: Session,
  rows: readonly MessageRow[],
  atts: readonly FetchAtt[],
  contents: readonly (ContentReader | undefined)[],
): Promise<Previews> {
  const asked = atts.filter((att) => att.kind === 'preview');
  if (asked.length === 0 || rows.length === 0) return NONE;
  const { read, write } = session.options.store;
  const emailIds = rows.map((row) => row.emailId);
  const known = await read.run('mailstore.previews', { emailIds });
  const previews = new Map(known.map(({ emailId, preview }) => [emailId, preview]));
  if (asked.every((att) => att.lazy)) return previews;
  const made: EmailPreview[] = [];
  for (const [at, { emailId }] of rows.entries()) {
    const content = contents[at];
    if (content === undefined || previews.has(emailId)) continue;
    const preview = await makePreview(session, content);
    if (preview === undefined) continue;
    previews.set(emailId, preview);
    made.push({ emailId, preview });
  }
  if (made.length > 0) await keep(session, () => write.run('mailstore.keepPreviews', { emails: made }));
  return previews;
}

/** A full disk must not keep anybody from reading. */
async function keep(session: Session, write: () => Promise<null>): Promise<void> {
  try {
    await write();
  } catch (error) {
    session.options.logger.debug({ error: String(error) }, 'imap: previews not kept');
  }
}

/** Undefined when the message cannot be read. */
async function makePreview(session: Session, content: ContentReader): Promise<string | undefined> {
  try {
    for (const text of previewTexts(content.structure)) {
      const pieces = slicePieces(content.stored(text.start, text.end), 0, text.end - text.start);
      const octets = await content.bytes(pieces);
      const preview = previewOf(text, octets);
      await spend(session, STEPS_PER_OCTET * octets.length);
      if (preview !== '') return preview;
    }
    return '';
  } catch (error) {
    session.options.logger.warn({ error: String(error) }, 'imap: no preview could be made');
    return undefined;
  }
}
