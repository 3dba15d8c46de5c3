import { domainToASCII, domainToUnicode } from 'node:url';

/** Octets of a domain name (RFC 5321 4.5.3.1.2) and of one label (RFC 1035 2.3.4), both in A-label form. */
export const DOMAIN_OCTETS = 255;
export const LABEL_OCTETS = 63;

/**
 * Appended to a label while it is converted: `domainToASCII('1.2.3')` answers an IPv4 address, and with a last label
 * that is not a number it never does.
 */
const GUARD = '.x';

/**
 * The one form of a domain name under which everything is stored and compared: A-labels in lower case.
 *
 * Accepts A-labels and U-labels (RFC 5890), in any case and any normalization. Refuses, with undefined: empty labels
 * (so also a trailing dot), labels or names too long, characters outside letters, digits, hyphen and underscore
 * (underscores occur in host names of real senders), labels that begin or end with a hyphen, `xn--` labels that
 * decode to nothing or to something that encodes differently, U-labels that only become valid by compatibility
 * mapping (full-width letters, soft hyphens), and names whose last label is a number: those are IP addresses, which
 * a mail address has to write in brackets.
 */
export function normalizeDomain(text: string): string | undefined {
  // Bounds the work. U-labels of many characters beyond the BMP may be refused that would have fitted; none is in use.
  if (text.length === 0 || text.length > DOMAIN_OCTETS) return undefined;
  const labels: string[] = [];
  for (const label of text.split('.')) {
    const normal = normalizeLabel(label);
    if (normal === undefined) return undefined;
    labels.push(normal);
  }
  if (isNumber(labels.at(-1) ?? '')) return undefined;
  const domain = labels.join('.');
  return domain.length > DOMAIN_OCTETS ? undefined : domain;
}

/**
 * A normalized domain as a person reads it: U-labels where they exist. For screens and logs only; what this returns
 * may look exactly like another domain (homoglyphs), so never compare it and never route by it.
 */
export function domainToDisplay(domain: string): string {
  return domain
    .split('.')
    .map((label) => (label.startsWith('xn--') ? labelToUnicode(label) : label))
    .join('.');
}

/** Whether two domains are one, however each is written. Invalid names are the same as nothing. */
export function sameDomain(a: string, b: string): boolean {
  const normal = normalizeDomain(a);
  return normal !== undefined && normal === normalizeDomain(b);
}

/** Whether a normalized domain is a proper host name with at least two labels (RFC 1123 2.1: no underscores). */
export function isHostName(domain: string): boolean {
  return normalizeDomain(domain) === domain && domain.includes('.') && !domain.includes('_');
}

function normalizeLabel(label: string): string | undefined {
  if (label.length === 0 || label.length > LABEL_OCTETS) return undefined;
  if (isAscii(label)) {
    const lower = label.toLowerCase();
    if (!isLdh(lower)) return undefined;
    return lower.startsWith('xn--') ? checkALabel(lower) : lower;
  }
  // RFC 5891 5.2: NFC and lower case are ours to apply; anything further would make two spellings of one name.
  const uLabel = label.normalize('NFC').toLowerCase().normalize('NFC');
  if (hasForbidden(uLabel)) return undefined;
  const aLabel = labelToAscii(uLabel);
  if (isAscii(uLabel)) return isLdh(uLabel) ? aLabel : undefined; // the Kelvin sign is a K under NFC
  if (aLabel === undefined || !aLabel.startsWith('xn--')) return undefined;
  return labelToUnicode(aLabel) === uLabel ? aLabel : undefined;
}

/** An A-label is valid only when it is what its own U-label encodes to (RFC 5891 5.4). */
function checkALabel(label: string): string | undefined {
  const uLabel = labelToUnicode(label);
  if (uLabel === label || isAscii(uLabel) || hasForbidden(uLabel)) return undefined;
  return labelToAscii(uLabel) === label ? label : undefined;
}

function labelToAscii(label: string): string | undefined {
  const ascii = domainToASCII(label + GUARD);
  const cut = ascii.slice(0, -GUARD.length);
  // Ideographic full stops become dots on the way; such a "label" is several.
  return ascii.endsWith(GUARD) && isLdh(cut) ? cut : undefined;
}

function labelToUnicode(label: string): string {
  const unicode = domainToUnicode(label + GUARD);
  const cut = unicode.slice(0, -GUARD.length);
  return unicode.endsWith(GUARD) && cut !== '' && !cut.includes('.') ? cut : label;
}

function isLdh(label: string): boolean {
  return label.length <= LABEL_OCTETS && /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label);
}

/** What a URL parser would take for a number, and so for part of an IPv4 address: "1", "0x7f". */
function isNumber(label: string): boolean {
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(label);
}

/** ASCII that must not hide among other characters, controls, separators, and what marks text that was not UTF-8. */
function hasForbidden(label: string): boolean {
  // oxlint-disable-next-line no-control-regex -- controls are what it looks for
  return /[\x00-,./:-@[-^`{-\x9f\ufffd\s]/.test(label) || !label.isWellFormed();
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
