import { ApiError } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import type { Json } from './setting-values.ts';
import { octetsOf } from './words.ts';

/** What was typed into fields that the server does not see as they are; what does not fit is refused as the server would. */

/** Octets of a quota in gigabytes; 0: as much as there is. */
export function typedQuota(text: string): number {
  const octets = octetsOf(text);
  if (octets === undefined) throw refusal(texts('admin')('gigabytesBad'), 'quota');
  return octets;
}

/** An object of JSON. */
export function typedObject(text: string): { readonly [name: string]: Json } {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as { readonly [name: string]: Json };
  } catch {
    // Said below.
  }
  throw refusal(texts('admin')('badJson'), 'json');
}

function refusal(sentence: string, field: string): ApiError {
  return new ApiError(400, 'bad-input', sentence, field);
}
