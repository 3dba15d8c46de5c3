import { Refusal } from '../../base/errors.ts';
import { normalizeDomain } from '../../mail/address/domain.ts';

/** UTF-16 units of a site as it is given: a whole URL may be pasted. */
const SITE_LENGTH = 2000;

/**
 * The domain of what people name as a site: "https://www.shop.example/register?x" and "shop.example" are the same. ''
 * stays ''. @throws Refusal 'bad-input'
 */
export function siteName(given: string): string {
  const text = given.trim().slice(0, SITE_LENGTH);
  if (text === '') return '';
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  const host = url === null ? undefined : normalizeDomain(url.hostname);
  if (host === undefined || !host.includes('.'))
    throw new Refusal(
      'bad-input',
      `"${text.slice(0, 100)}" is no site: give its domain, such as shop.example.`,
    );
  return host.startsWith('www.') ? host.slice('www.'.length) : host;
}

/** Whether mail from a domain is what a site would send: it is the site's, above it or below it. */
export function isExpected(domain: string, site: string): boolean {
  if (site === '' || domain === '') return true;
  return domain === site || domain.endsWith(`.${site}`) || site.endsWith(`.${domain}`);
}
