import { type Arg, type Said, wordsOf } from '../../base/words.ts';
import { factOf } from './health-words.ts';
import { sentencesOf } from './sentences.ts';
import { wayTexts } from './way-texts.ts';

/** What Amazon SES and the routes say of themselves, and why somebody is banned or held. */
export const wayWords = wordsOf('ways', wayTexts);

/** A reason may be a sentence of its own ("outgoing mail held: ..."). */
function fact(name: string, arg: Arg): Arg {
  const own = name === 'reason' && typeof arg === 'string' ? wayWords.find(arg) : undefined;
  return own ?? factOf(name, arg);
}

function find(text: string): Said | undefined {
  const said = wayWords.find(text);
  if (said?.args === undefined) return said;
  const args = Object.entries(said.args).map(([name, arg]) => [name, fact(name, arg)] as const);
  return { ...said, args: Object.fromEntries(args) };
}

/** The sentences of what was found, or of a reason, each with its code; what another host said as it is. */
export function waySentences(text: string): readonly Said[] {
  return sentencesOf(find, text);
}

/** What mends something: sentences, or a command or record to be copied. */
export function wayRemedy(line: string): { readonly command?: string; readonly said?: readonly Said[] } {
  const said = waySentences(line);
  return said.every(({ code }) => code !== '') ? { said } : { command: line };
}
