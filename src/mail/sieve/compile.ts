/** From the text of a script to a `Script`. */
import { check } from './checker.ts';
import { SIEVE_EXTENSIONS } from './extensions.ts';
import { MAX_ERRORS } from './limits.ts';
import type { Report } from './lexer.ts';
import { parse } from './parser.ts';
import type { Program } from './program.ts';
import type { Compile, ScriptError } from './types.ts';

function sorted(errors: readonly ScriptError[]): ScriptError[] {
  return errors.toSorted((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_ERRORS);
}

/** Collects what is wrong; far more than is told, so that what is told comes first in the script. */
function into(list: ScriptError[]): Report {
  return (at, message) => {
    if (list.length < 10 * MAX_ERRORS) list.push({ line: at.line, column: at.column, message });
  };
}

/**
 * Read and check a script (RFC 5228). Never throws. `limits.scriptBytes` and `limits.nesting` are obeyed here; the
 * extensions of `options` narrow those that there are.
 */
export const compile: Compile = (text, options) => {
  const errors: ScriptError[] = [];
  const warnings: ScriptError[] = [];
  const size = Buffer.byteLength(text);
  if (size > options.limits.scriptBytes) {
    const message = `the script has ${size} octets; ${options.limits.scriptBytes} are allowed`;
    return { ok: false, errors: [{ line: 1, column: 1, message }] };
  }
  const extensions = options.extensions ?? SIEVE_EXTENSIONS;
  const raw = parse(text, options.limits.nesting, into(errors));
  // After a command that could not be read, others would be called wrong for want of it.
  if (errors.length > 0) return { ok: false, errors: sorted(errors) };
  const { nodes, requires, written } = check(raw, {
    extensions,
    regexLength: options.limits.regexLength,
    error: into(errors),
    warn: into(warnings),
  });
  if (errors.length > 0) return { ok: false, errors: sorted(errors) };
  const body: Program = { nodes, requires, extensions };
  return { ok: true, script: { requires: written, warnings: sorted(warnings), body } };
};
