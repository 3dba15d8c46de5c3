import type { SmtpReply } from '../../../base/errors.ts';
import { smtpReply } from '../../../base/errors.ts';

/** One `keyword[=value]` after a path (RFC 5321 section 4.1.2). */
export interface Param {
  /** Upper case. */
  readonly keyword: string;
  /** Undefined when there is no "=". */
  readonly value: string | undefined;
}

/** Parameters that no command has so many of. */
const MAX_PARAMS = 20;
const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]*$/;
/** esmtp-value: no control, no space, no "="; UTF-8 as RFC 6531 section 3.3 allows. */
const VALUE = /^[^\s=]+$/;

/** Split what follows the path into parameters, in order, or say what is wrong with them. */
export function parseParams(rest: string): readonly Param[] | SmtpReply {
  if (rest === '') return NO_PARAMS;
  const params: Param[] = [];
  for (const word of rest.split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const keyword = (equals === -1 ? word : word.slice(0, equals)).toUpperCase();
    const value = equals === -1 ? undefined : word.slice(equals + 1);
    if (!KEYWORD.test(keyword)) return badParam('Parameters are KEYWORD or KEYWORD=value');
    if (value !== undefined && !VALUE.test(value)) {
      return badParam(`The value of ${keyword.slice(0, 40)} is malformed`);
    }
    if (params.some((param) => param.keyword === keyword))
      return badParam(`${keyword.slice(0, 40)} is given twice`);
    if (params.length === MAX_PARAMS) return badParam('Too many parameters');
    params.push({ keyword, value });
  }
  return params;
}

const NO_PARAMS: readonly Param[] = [];

/** A parameter we know with a value that is wrong. */
export function badParam(text: string): SmtpReply {
  return smtpReply(501, '5.5.4', text);
}

/** A parameter we did not offer (RFC 5321 section 4.1.1.11). */
export function unknownParam(keyword: string): SmtpReply {
  return smtpReply(555, '5.5.4', `Parameter ${keyword.slice(0, 40)} is not known or not offered here`);
}

export function isReply(value: object): value is SmtpReply {
  return 'code' in value;
}
