import { type Arg, type Said, wordsOf } from '../../base/words.ts';
import { toldText } from '../../flow/explain/say.ts';
import { healthTexts } from './health-texts.ts';
import { sentencesOf } from './sentences.ts';

/** What is wrong with the server, and what the reports of others come to. */
export const healthWords = wordsOf('health', healthTexts);

const UNITS: Readonly<Record<string, number>> = { min: 60_000, hours: 3_600_000, days: 86_400_000 };

/** A fact as whoever reads it writes it: spans of time, and reasons that have words of their own. */
export function factOf(name: string, arg: Arg): Arg {
  if (typeof arg !== 'string') return arg;
  const [, count, unit = ''] = /^(\d{1,9}) (min|hours|days)$/.exec(arg) ?? [];
  if (name === 'span' && count !== undefined) return { ms: Number(count) * (UNITS[unit] ?? 1), text: arg };
  if (name !== 'reason') return arg;
  const said = toldText(arg);
  return said.code === '' ? arg : said;
}

function find(text: string): Said | undefined {
  const said = healthWords.find(text);
  if (said?.args === undefined) return said;
  const args = Object.entries(said.args).map(([name, arg]) => [name, factOf(name, arg)] as const);
  return { ...said, args: Object.fromEntries(args) };
}

/** The sentences of an alert or an advice, each with its code. */
export function healthSentences(text: string): readonly Said[] {
  return sentencesOf(find, text);
}
