import type { z } from 'zod';
import type { Refusal } from '../../base/errors.ts';
import { type Said, wordsOf } from '../../base/words.ts';
import { problems } from './problem-texts.ts';

const { find } = wordsOf('problems', problems);
/** UTF-16 units of a message that are looked at. */
const LOOKED_AT = 1000;
/** Problems that one text tells apart. */
const PIECES_MAX = 12;

/** The sentence of a refusal with its code; undefined where it has none. */
export function problemSaid(message: string): Said | undefined {
  if (message.length > LOOKED_AT) return undefined;
  return (message.includes('; ') ? several(message) : undefined) ?? find(message);
}

/** Of settings all that is wrong is told in one text. Undefined where a part of it has no name, or there is but one. */
function several(message: string): Said | undefined {
  const parts = message.split('; ');
  if (parts.length > PIECES_MAX) return undefined;
  // From the end, for a semicolon may stand within one: the shortest that leave only known ones are taken.
  const rest: (readonly Said[] | undefined)[] = [...parts.map(() => undefined), []];
  for (let from = parts.length - 1; from >= 0; from--) {
    for (let to = from + 1; to <= parts.length && rest[from] === undefined; to++) {
      const after = rest[to];
      const said = after && find(parts.slice(from, to).join('; '));
      if (after !== undefined && said !== undefined) rest[from] = [said, ...after];
    }
  }
  const [list = []] = rest;
  if (list.length < 2) return undefined;
  return { code: 'problems.several', args: { list: { list, text: message } }, text: message };
}

/** What is wrong with input that its schema does not take, by the first field that is wrong. */
export function inputSaid({ issues }: z.ZodError): Pick<Said, 'code' | 'args'> | undefined {
  const [issue] = issues;
  if (issue === undefined) return undefined;
  const known = find(issue.message);
  if (known !== undefined) return known;
  const field = issue.path.join('.');
  switch (issue.code) {
    case 'invalid_type':
      return { code: issue.input === undefined ? 'problems.inputMissing' : INVALID, args: { field } };
    case 'too_small': {
      const key = { string: 'inputShort', array: 'inputFew' }[issue.origin as string] ?? 'inputSmall';
      return { code: `problems.${key}`, args: { field, least: Number(issue.minimum) } };
    }
    case 'too_big': {
      const key = { string: 'inputLong', array: 'inputMany' }[issue.origin as string] ?? 'inputLarge';
      return { code: `problems.${key}`, args: { field, most: Number(issue.maximum) } };
    }
    case 'unrecognized_keys':
      return { code: 'problems.inputUnknown', args: { field: issue.keys.join(', ') } };
    default:
      return { code: INVALID, args: { field } };
  }
}

const INVALID = 'problems.inputInvalid';

/** Code and facts of what an API answers when it refuses; nothing where only English can be had. */
export function codeOf(refusal: Pick<Refusal, 'message'>): Pick<Said, 'code' | 'args'> | undefined {
  const said = problemSaid(refusal.message);
  return said && { code: said.code, ...(said.args !== undefined && { args: said.args }) };
}
