import { domainToASCII } from 'node:url';

/** Does latin1 text hold an octet over 127? */
function hasHighOctet(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return true;
  return false;
}

/** One label: letters, digits, '-' and '_', neither end a hyphen, 1 to 63 octets (RFC 1035; '_' as in "_domainkey"). */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Is this (lower-case, A-labels) a name that can stand in `d=` or `s=`? */
export function isDomainName(name: string, minLabels: number): boolean {
  if (name.length === 0 || name.length > 253) return false;
  const labels = name.split('.');
  return labels.length >= minLabels && labels.every((label) => LABEL.test(label));
}

/**
 * A domain from a header (one character per octet) in lower-case A-labels, RFC 8616 section 3; undefined when it is
 * no domain of at least `minLabels` labels.
 */
export function toALabels(text: string, minLabels: number): string | undefined {
  if (text.length > 1000) return undefined;
  const name = hasHighOctet(text)
    ? domainToASCII(Buffer.from(text, 'latin1').toString('utf8'))
    : text.toLowerCase();
  return isDomainName(name, minLabels) ? name : undefined;
}

/** Is `name` the domain `parent` or below it? Both in lower case. */
export function isWithin(name: string, parent: string): boolean {
  return name === parent || name.endsWith(`.${parent}`);
}
