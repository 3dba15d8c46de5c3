import type { z } from 'zod';
import type { Refusal } from '../../base/errors.ts';
import { type Said, wordsOf } from '../../base/words.ts';
import { problems } from './problem-texts.ts';

const { find } = wordsOf('problems', problems);
/** UTF-16 units of a message that are looked at. */
const LOOKED_AT = 1000;

/** The sentence of a refusal with its code; undefined where it has none. */
export function problemSaid(message: string): Said | undefined {
  return message.length > LOOKED_AT ? undefined : find(message);
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
