import { type Arg, type Said, verbatim, wordsOf } from '../../base/words.ts';
import { checkTexts } from './check-texts.ts';
import { sentencesOf } from './sentences.ts';

/** What the doctor says, by its words. */
export const checkWords = wordsOf('checks', checkTexts);

/** What mends something: a sentence, or a command or record to be copied, with what is said about it. */
export interface Remedy {
  readonly command?: string;
  readonly said?: readonly Said[];
}

/** A sentence whose facts may be sentences of the area themselves ("it lists everybody"). */
function findDeep(text: string): Said | undefined {
  const said = checkWords.find(text);
  if (said?.args === undefined) return said;
  const args = Object.entries(said.args).map(([name, arg]) => [name, fact(name, arg)] as const);
  return { ...said, args: Object.fromEntries(args) };
}

/** Of facts only a few are sentences themselves: a name of a host is nobody's. Reasons may be several. */
function fact(name: string, arg: Arg): Arg {
  if (typeof arg !== 'string') return arg;
  // One after the other first: of several, all from the second on would pass for a fact of the first.
  if (name !== 'reasons' || !arg.includes('; ')) return known(arg) ?? arg;
  const list = arg.split('; ', REASONS_MAX).map((each) => known(each) ?? verbatim(each));
  return list.every(({ code }) => code === '') ? arg : { list, text: arg };
}

/** Reasons that are looked at one by one. */
const REASONS_MAX = 20;

function known(text: string): Said | undefined {
  const said = checkWords.find(text);
  return said === undefined || !Object.hasOwn(FACTS, said.code) ? undefined : said;
}

const FACTS: Readonly<Record<string, true>> = {
  'checks.meansNo': true,
  'checks.testMissing': true,
  'checks.listsEverybody': true,
  'checks.noneSet': true,
  'checks.noDomainSet': true,
  'checks.hasNoAddress': true,
  'checks.knowsNoHost': true,
  'checks.knowsNoAddress': true,
  'checks.nothingYet': true,
  'checks.noneOfKind': true,
  'checks.noHost': true,
};

export function foundWords(text: string): readonly Said[] {
  return sentencesOf(findDeep, text);
}

export function subjectWords(text: string): Said {
  return checkWords.of(text);
}

/** "dig example.org MX   # on this machine" is a command and what is said of it. */
export function remedyWords(line: string): Remedy {
  const said = sentencesOf(findDeep, line);
  if (said.every(({ code }) => code !== '')) return { said };
  const [command = line, about] = line.split('   # ', 2);
  return about === undefined ? { command } : { command, said: sentencesOf(findDeep, about) };
}
