import { createTokenizer, type TokenSink } from '../../mail/search/tokens.ts';
import { bodyTexts, fieldText, messageHeader, type TextSource } from '../../mail/search/text.ts';
import { foldedPieces } from '../../mail/search/fold.ts';
import { Numbers } from './bytes.ts';
import { sectionOf, type SectionName, SECTIONS } from './format.ts';
import { EMAIL_FIELD_NAMES, EMAIL_TOKENS, FIELD_NAME_CHARS, WORD_CHARS } from './limits.ts';
import { SectionBuilder, type Turn } from './section-builder.ts';
import { type Put, SegmentWriter, type Written } from './segment-writer.ts';

/** One unit of text: where it belongs and its tokens. */
interface Unit {
  readonly section: SectionName;
  /** Of a header field. */
  readonly name: string | undefined;
  readonly tokens: string[];
}

/** Words and single characters in one list: those of one character that are no word get this before them. */
const SINGLE = '\0';

/** What one email's text has become; undefined when it is too large for the index. */
export type EmailTokens = readonly Unit[] | undefined;

/** Read the text of an email. Throws what reading throws. */
export async function readEmail(source: TextSource): Promise<EmailTokens> {
  const units: Unit[] = [];
  const names = new Set<string>();
  let count = 0;
  let unit: Unit | undefined;
  let tooLarge = false;
  const sink: TokenSink = {
    word(text) {
      count++;
      unit?.tokens.push(text);
    },
    single(text) {
      count++;
      unit?.tokens.push(SINGLE + text);
    },
  };
  let tokenizer = createTokenizer(sink, WORD_CHARS);
  const end = (): void => {
    tokenizer.end();
    if (tokenizer.tooLong || count > EMAIL_TOKENS || names.size > EMAIL_FIELD_NAMES) tooLarge = true;
  };
  const begin = (section: SectionName, name: string | undefined): void => {
    end();
    tokenizer = createTokenizer(sink, WORD_CHARS);
    unit = { section, name, tokens: [] };
    units.push(unit);
    if (name === undefined) return;
    count++;
    names.add(name);
    if (name.length > FIELD_NAME_CHARS) tooLarge = true;
  };
  const push = (text: string): void => {
    for (const piece of foldedPieces(text)) tokenizer.push(piece.text);
    if (count > EMAIL_TOKENS) tooLarge = true;
  };
  const header = await messageHeader(source, spend);
  for (const field of header.fields) {
    begin(sectionOf(field.name), field.name);
    push(fieldText(header, field));
  }
  for await (const each of bodyTexts(source, spend)) {
    if (each.kind === 'part') begin('body', undefined);
    else if (each.kind === 'text') push(each.text);
    else {
      begin('body', each.name);
      push(each.value);
    }
    if (tooLarge) return undefined;
  }
  end();
  return tooLarge ? undefined : units;
}

/** The index has a thread of its own: nobody waits for a turn in the middle of an email. */
function spend(): undefined {
  return undefined;
}

/** Gathers emails for one segment. */
export class SegmentBuilder {
  readonly #ids: number[] = [];
  readonly #open = new Numbers();
  readonly sections = new Map<SectionName, SectionBuilder>(
    SECTIONS.map((name) => [name, new SectionBuilder()]),
  );

  get emails(): number {
    return this.#ids.length;
  }

  get tokens(): number {
    let sum = 0;
    for (const section of this.sections.values()) sum += section.tokens;
    return sum;
  }

  /** Add an email; ids ascend. */
  add(id: number, units: EmailTokens): void {
    if (units === undefined) this.#open.push(this.#ids.length);
    this.#ids.push(id);
    for (const section of this.sections.values()) section.beginEmail();
    for (const { section: name, name: field, tokens } of units ?? []) {
      const section = this.sections.get(name);
      if (section === undefined) continue;
      if (field === undefined) section.part();
      else section.field(field);
      for (const each of tokens) {
        const single = each.startsWith(SINGLE);
        section.token(section.intern(single ? each.slice(1) : each, single));
      }
    }
    for (const section of this.sections.values()) section.endEmail();
  }

  /** Write the segment's file. The builder is used up. */
  async finish(turn: Turn, put: Put): Promise<Written> {
    const writer = new SegmentWriter(put, Float64Array.from(this.#ids), this.#open.view);
    for (const [name, section] of this.sections) {
      if (!section.empty) writer.section(name, await section.finish(turn), section.tokens);
      this.sections.delete(name);
    }
    return writer.end();
  }
}
