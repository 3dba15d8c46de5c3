/** Rules of single commands and tests that their table rows cannot say. */
import { holdsAddresses } from './fields.ts';
import { COMPARATOR_EXTENSIONS } from './match-names.ts';
import { type Node, numberOf, stringsOf, type Value } from './program.ts';
import { compilePattern } from './regex.ts';
import type { CheckContext } from './spec.ts';
import { checkFromAddress, ENVELOPE_PARTS } from './string-checks.ts';

type Check = (node: Node, context: CheckContext) => void;

/** The text of a string argument, when no variable stands in it. */
export function constantOf(value: Value | undefined): string | undefined {
  const first = stringsOf(value)[0];
  return first === undefined || first.pieces !== undefined ? undefined : first.text;
}

/** The comparator and its extension; patterns of :regex that are constant; what goes together (RFC 5228 2.7). */
export function checkMatch(node: Node, keys: Value | undefined, context: CheckContext): void {
  const comparator = constantOf(node.tags.get('comparator')) ?? 'i;ascii-casemap';
  const extension = COMPARATOR_EXTENSIONS[comparator];
  if (extension !== undefined && !context.requires.has(extension))
    context.error(
      node.tags.get('comparator') ?? node,
      `the comparator "${comparator}" needs an extension: add require "${extension}"`,
    );
  const substrings = ['contains', 'matches', 'regex'].find((tag) => node.tags.has(tag));
  if (comparator === 'i;ascii-numeric' && substrings !== undefined)
    context.error(
      node,
      `:${substrings} cannot be used with the comparator "i;ascii-numeric", which compares numbers`,
    );
  if (node.tags.has('regex')) checkPatterns(keys, comparator, context);
}

function checkPatterns(keys: Value | undefined, comparator: string, context: CheckContext): void {
  for (const key of stringsOf(keys)) {
    if (key.pieces !== undefined) continue;
    const compiled = compilePattern(key.text, comparator, context.regexLength);
    if ('problem' in compiled) context.error(key, `this regular expression is wrong: ${compiled.problem}`);
  }
}

/** A test with a match type whose keys are the argument at `index`. */
export function matchCheck(index: number): Check {
  return (node, context) => {
    checkMatch(node, node.args[index], context);
    checkIndex(node, context);
  };
}

function checkIndex(node: Node, context: CheckContext): void {
  const index = node.tags.get('index');
  if (numberOf(index) === 0) context.error(index ?? node, 'fields are counted from 1, found :index 0');
}

export const checkRedirect: Check = (node, context) => {
  const address = stringsOf(node.args[0])[0];
  if (address === undefined || address.pieces !== undefined) return;
  if (!node.tags.has('list')) {
    const problem = checkFromAddress(address.text);
    if (problem !== undefined) context.error(address, problem);
  }
  const ret = constantOf(node.tags.get('ret'));
  if (ret !== undefined && !/^(?:full|hdrs)$/i.test(ret))
    context.error(
      node.tags.get('ret') ?? node,
      `found :ret ${JSON.stringify(ret)} where "full" or "hdrs" was expected`,
    );
  const notify = constantOf(node.tags.get('notify'));
  if (notify !== undefined && !isNotify(notify))
    context.error(
      node.tags.get('notify') ?? node,
      `found :notify ${JSON.stringify(notify)} where "never" or a list of "success", "failure", "delay" was expected`,
    );
};

/** RFC 3461 4.1. */
export function isNotify(text: string): boolean {
  return /^(?:never|(?:success|failure|delay)(?:,(?:success|failure|delay)){0,2})$/i.test(text);
}

export const checkVacation: Check = (node, context) => {
  const days = node.tags.get('days');
  if (days !== undefined && numberOf(days) === 0)
    context.warn(days, ':days 0 means one day; :seconds of "vacation-seconds" can be shorter');
};

export const checkDelete: Check = (node, context) => {
  checkMatch(node, node.args[1], context);
  checkIndex(node, context);
  if (node.tags.has('count')) context.error(node, 'deleteheader cannot be used with :count'); // RFC 5293 5
  const match = ['is', 'contains', 'matches', 'regex', 'value', 'list'].find((tag) => node.tags.has(tag));
  if (match !== undefined && node.args[1] === undefined)
    context.error(node, `deleteheader :${match} needs patterns of values after the name of the field`);
};

export const checkModifiers: Check = (node, context) => {
  const first = node.tags.get('first');
  if (first !== undefined && numberOf(first) === 0) context.warn(first, ':first 0 leaves nothing');
};

export const checkEnvelope: Check = (node, context) => {
  checkMatch(node, node.args[1], context);
  for (const part of stringsOf(node.args[0])) {
    const extension = part.pieces === undefined ? ENVELOPE_PARTS[part.text.toLowerCase()] : undefined;
    if (extension !== undefined && extension !== '' && !context.requires.has(extension))
      context.error(part, `the envelope part "${part.text}" needs an extension: add require "${extension}"`);
  }
};

export const checkAddressTest: Check = (node, context) => {
  matchCheck(1)(node, context);
  for (const name of stringsOf(node.args[0])) {
    if (name.pieces === undefined && !holdsAddresses(name.text))
      context.warn(name, `the field "${name.text}" does not hold addresses; "header" tests any field`);
  }
};

/** RFC 5703 6: an entity of the script's own says all itself. */
export const checkReplace: Check = (node, context) => {
  const other = ['subject', 'from'].find((tag) => node.tags.has(tag));
  if (other !== undefined && node.tags.has('mime'))
    context.error(node.tags.get(other) ?? node, `replace :mime cannot have :${other}`);
};

/** RFC 5235 2.3: percents are of spamtestplus. */
export const checkValueTest: Check = (node, context) => checkMatch(node, node.args[0], context);

export const checkMailboxIdMix: Check = (node, context) => {
  if (node.tags.has('mailboxid') && node.tags.has('specialuse'))
    context.error(node, ':mailboxid and :specialuse cannot stand together');
};
