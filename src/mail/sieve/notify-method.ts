/** Notification methods (RFC 5435): "mailto:" (RFC 5436) is the one there is. */
import { checkAddress } from './string-checks.ts';

export interface MailtoMethod {
  readonly recipients: readonly string[];
  /** Those of the recipients that "cc" names. */
  readonly copies: readonly string[];
  /** Header fields of the URI in order, names in lower case; "body" among them (RFC 6068 2). */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

const MAX_METHOD = 2000;
const MAX_RECIPIENTS = 10;

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // a "%" without two digits, or octets that are no UTF-8
  }
}

/** Read a method; undefined when it is none that can be used. */
export function parseMethod(method: string): MailtoMethod | undefined {
  const scheme = /^mailto:/i.exec(method);
  if (scheme === null || method.length > MAX_METHOD) return undefined;
  const [to = '', query = ''] = splitOnce(method.slice('mailto:'.length), '?');
  const recipients = to === '' ? [] : to.split(',').map(percentDecoded);
  const copies: string[] = [];
  const fields: (readonly [string, string])[] = [];
  for (const pair of query === '' ? [] : query.split('&')) {
    const [rawName = '', rawValue = ''] = splitOnce(pair, '=');
    const name = percentDecoded(rawName)?.toLowerCase();
    const value = percentDecoded(rawValue);
    if (name === undefined || value === undefined || !/^[a-z0-9-]{1,60}$/.test(name)) return undefined;
    const addresses = value.split(',').map((one) => one.trim());
    if (name === 'to') recipients.push(...addresses);
    else if (name === 'cc') copies.push(...addresses);
    // "%0D%0A" in a field would be the end of it, and the begin of another.
    else fields.push([name, name === 'body' ? value : value.replace(/[\r\n\0]+[ \t]*/g, ' ')]);
  }
  const onlyCopies = recipients.length === 0;
  recipients.push(...copies);
  const known = recipients.filter((one) => one !== undefined && checkAddress(one) === undefined);
  if (known.length === 0 || known.length < recipients.length || known.length > MAX_RECIPIENTS)
    return undefined;
  return { recipients: known.filter((one) => one !== undefined), copies: onlyCopies ? [] : copies, fields };
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/** For constants in scripts. */
export function checkMethod(text: string): string | undefined {
  return parseMethod(text) === undefined
    ? `${JSON.stringify(text.slice(0, 80))} is not a notification method: "mailto:" and addresses were expected`
    : undefined;
}
