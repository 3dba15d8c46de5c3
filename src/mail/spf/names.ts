import { domainToASCII } from 'node:url';

/** Names and terms come from strangers and go into logs and headers. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** No octet over 127. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** Can a query be made of it? (RFC 1035 section 2.3.4) */
export function isQueryable(name: string): boolean {
  if (name === '' || name.length > 253 || !isAscii(name)) return false;
  return name.split('.').every((label) => label !== '' && label.length <= 63);
}

/** Section 4.3: a name of several labels, no address literal, in A-labels (RFC 8616 section 4); else ''. */
export function checkableDomain(text: string): string {
  if (text.length > 1000) return '';
  const name = (isAscii(text) ? text : domainToASCII(text)).replace(/\.$/, '');
  return isQueryable(name) && name.includes('.') && !/[[\]:]/.test(name) ? name : '';
}
