/** What HTML does behind the reader's back. Pictures, styles and tracking pixels are everyday and say nothing. */
import type { HtmlFacts, MessageFacts } from '../facts/types.ts';
import type { Rule } from './types.ts';

/** A rule over the HTML; silent where there is none. */
function over(
  name: string,
  score: number,
  explain: string,
  test: (html: HtmlFacts, facts: MessageFacts) => boolean | string,
  lever?: string,
): Rule {
  const rule: Rule = {
    name,
    score,
    explain,
    test: (facts) => facts.html !== undefined && test(facts.html, facts),
  };
  return lever === undefined ? rule : { ...rule, lever };
}

export const htmlRules: readonly Rule[] = [
  over(
    'HIDDEN_TEXT',
    1.3,
    'Much of the text is hidden from you and meant for filters',
    (html) => {
      // A line or two for the preview is what newsletters have.
      return html.hiddenChars > 400 && html.hiddenChars > html.visibleChars * 0.3;
    },
    'All text must be visible',
  ),
  over(
    'TEXT_COLOUR_OF_PAPER',
    0.8,
    'Text has the colour of its background',
    (html) => html.hiddenBy.colour > 250 && html.hiddenBy.colour > html.visibleChars * 0.15,
  ),
  over(
    'TEXT_TOO_SMALL',
    1,
    'Text is too small to be seen',
    (html) => html.hiddenBy.size > 250 && html.hiddenBy.size > html.visibleChars * 0.15,
  ),
  over('TEXT_OUT_OF_SIGHT', 1.2, 'Text stands outside of the page', (html) => html.hiddenBy.offscreen > 60),
  over(
    'WORDS_SPLIT',
    1.8,
    'Words are cut by invisible pieces, which hides them from filters',
    (html) => html.splitWords > 2,
  ),
  over(
    'NOISE_TAGS',
    1.2,
    'The page is strewn with marks that mean nothing',
    (html) => html.unknownTags > 6 && html.unknownTags > html.tagCount * 0.1,
  ),
  over(
    'LETTERS_AS_NUMBERS',
    1.4,
    'Plain letters are written as numbers, which hides words from filters',
    (html) => html.needlessEntities > 30 && html.needlessEntities > html.visibleChars * 0.05,
  ),
  over(
    'ASKS_FOR_PASSWORD',
    2.5,
    'The mail itself has a field for a password',
    (html) => html.passwordInputs > 0,
    'Never enter a password in a mail',
  ),
  over(
    'FORM_IN_MAIL',
    0.4,
    'The mail holds a form that sends what you enter to a site',
    (html, facts) => html.forms > 0 && html.inputs > 0 && !facts.isBulk && (html.formHost || true),
  ),
  over(
    'FORM_TO_NUMBER',
    1.5,
    'A form sends what you enter to a bare number instead of a named site',
    (_html, facts) => facts.urls.some(({ source, ipHost }) => source === 'form' && ipHost),
  ),
  over(
    'SCRIPT_IN_MAIL',
    0.6,
    'The mail holds a program, which mail programs do not run',
    (html) => html.scripts > 0,
  ),
  over(
    'PAGE_WRITES_ITSELF',
    1.6,
    'A script in the mail builds the page, so that filters cannot read it',
    (html) => html.selfWriting && html.visibleChars < 200,
  ),
  over(
    'HANDLERS_IN_MAIL',
    0.5,
    'The mail reacts to the mouse with a program',
    (html) => html.eventHandlers > 2 && html.scripts === 0,
  ),
  over('OBJECT_IN_MAIL', 0.8, 'The mail embeds an object that starts a program', (html) => html.objects > 0),
  over('MOVES_ON_BY_ITSELF', 1.5, 'The mail opens another page by itself', (html) => html.metaRefresh),
  over(
    'PICTURE_INSTEAD_OF_TEXT',
    0.9,
    'There is a picture with a link and hardly any text',
    (html, facts) => {
      const few = html.visibleChars < 120 && facts.plain.trim().length < 200;
      return few && html.linkedImages > 0 && html.remoteImages > 0 && !facts.isReply;
    },
    'The message must be readable without its pictures',
  ),
];
