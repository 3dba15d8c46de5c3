/**
 * Names that phishing borrows, and the sites that may use them. A site whose own name is the brand ("paypal.de") may too;
 * so the list of sites holds only those that are called otherwise.
 */
import { plainLatin } from '../facts/unicode.ts';

interface Brand {
  readonly name: string;
  readonly sites: readonly string[];
}

const brand = (name: string, sites = ''): Brand => ({ name, sites: sites.split(' ') });

const BRANDS: readonly Brand[] = [
  brand('paypal'),
  brand('amazon', 'amazonses.com amazonaws.com aws.com a2z.com'),
  brand(
    'microsoft',
    'microsoftonline.com office.com office365.com live.com outlook.com sharepointonline.com onmicrosoft.com windows.com azure.com xbox.com skype.com bing.com',
  ),
  brand('office 365', 'microsoft.com microsoftonline.com office.com'),
  brand('sharepoint', 'microsoft.com sharepointonline.com office.com'),
  brand('onedrive', 'microsoft.com live.com office.com'),
  brand('apple id', 'apple.com'),
  brand('icloud', 'apple.com'),
  brand('itunes', 'apple.com'),
  brand('netflix'),
  brand('docusign', 'docusign.net'),
  brand('dropbox', 'dropboxmail.com dropbox-hq.com hellosign.com'),
  brand('linkedin'),
  brand('facebook', 'facebookmail.com meta.com fb.com'),
  brand('instagram', 'facebookmail.com meta.com'),
  brand('whatsapp', 'meta.com facebookmail.com'),
  brand('coinbase'),
  brand('binance', 'binance.us'),
  brand('metamask', 'consensys.net consensys.io'),
  brand('ledger wallet', 'ledger.com'),
  brand('wells fargo', 'wellsfargo.com'),
  brand('bank of america', 'bankofamerica.com bofa.com'),
  brand('american express', 'americanexpress.com aexp.com'),
  brand('citibank', 'citi.com'),
  brand('capital one', 'capitalone.com'),
  brand('hsbc', 'hsbc.co.uk'),
  brand('barclays', 'barclaycard.co.uk'),
  brand('santander'),
  brand('revolut'),
  brand('deutsche bank', 'db.com deutsche-bank.de'),
  brand('commerzbank'),
  brand('sparkasse', 's-kreditkarte.de dsgv.de'),
  brand('volksbank', 'vr.de'),
  brand('postbank'),
  brand('dhl', 'dhl-news.com deutschepost.de'),
  brand('deutsche post', 'deutschepost.de dhl.de'),
  brand('fedex'),
  brand('usps'),
  brand('ebay'),
  brand('spotify', 'spotifymail.com'),
  brand('adobe', 'adobesign.com echosign.com'),
  brand('norton', 'nortonlifelock.com gendigital.com'),
  brand('mcafee'),
  brand('geek squad', 'geeksquad.com bestbuy.com'),
  brand('disney plus', 'disneyplus.com disney.com'),
  brand('steam', 'steampowered.com steamcommunity.com valvesoftware.com'),
];

/** Services whose mail carries the names of their users and customers. */
const SPEAKS_FOR_OTHERS = new Set(
  'github.com gitlab.com google.com googlegroups.com atlassian.net atlassian.com groups.io launchpad.net debian.org slack.com meetup.com substack.com medium.com discoursemail.com zendesk.com freshdesk.com youtube.com linkedin.com facebookmail.com ebay.com reddit.com redditmail.com stackoverflow.email'.split(
    ' ',
  ),
);

/** Whether `site` may use the name. */
function mayUse(brandName: Brand, site: string): boolean {
  const label = site.split('.', 1)[0] ?? '';
  const compact = brandName.name.replaceAll(' ', '');
  return label === compact || brandName.sites.includes(site) || SPEAKS_FOR_OTHERS.has(site);
}

const isWordChar = (char: string): boolean => /[a-z0-9]/.test(char);

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    if (!isWordChar(text.charAt(at - 1)) && !isWordChar(text.charAt(at + word.length))) return true;
  }
  return false;
}

/** Names that people and places bear too: they count alone or with words of service beside them. */
const AMBIGUOUS = new Set(['amazon', 'norton', 'santander', 'steam', 'adobe', 'apple id']);
const SERVICE_WORDS =
  /\b(?:the|com|inc|prime|support|services?|security|team|accounts?|billing|customers?|care|alerts?|notifications?|help|desk|guard|protection|antivirus|bank|payments?|orders?|delivery|online|center|no|reply|noreply|info|via|360|sign)\b/g;

function standsAlone(plain: string, name: string): boolean {
  return (
    plain
      .replace(name, ' ')
      .replace(SERVICE_WORDS, ' ')
      .replace(/[^a-z]+/g, '') === ''
  );
}

/** A brand named in `text` that `site` may not use, look-alike letters seen through; undefined where there is none. */
export function foreignBrand(text: string, site: string): string | undefined {
  if (text === '' || site === '') return undefined;
  const plain = plainLatin(text.slice(0, 300)).toLowerCase();
  return BRANDS.find(
    (one) =>
      hasWord(plain, one.name) &&
      !mayUse(one, site) &&
      (!AMBIGUOUS.has(one.name) || standsAlone(plain, one.name)),
  )?.name;
}

const DIGITS: Record<string, string> = { '0': 'o', '1': 'l', '3': 'e', '4': 'a', '5': 's', '8': 'b' };

/** Brands by their name in one word; the long ones are found at the start of a longer word too. */
const byCompact = new Map(BRANDS.map((one) => [one.name.replaceAll(' ', ''), one]));
const LONG = 7;
const longOnes = [...byCompact].filter(([compact]) => compact.length >= LONG);

/**
 * A brand in the name of a host that is not the brand's: "paypal.com.example.net", "secure-paypa1.com". Short names must
 * be a whole word of the host.
 */
export function brandInHost(host: string, site: string): string | undefined {
  for (const raw of host.toLowerCase().split(/[.-]/)) {
    if (raw.length < 3) continue;
    const word =
      /[013458]/.test(raw) && /[a-z]/.test(raw)
        ? raw.replace(/[013458]/g, (digit) => DIGITS[digit] ?? digit)
        : raw;
    const one =
      byCompact.get(word) ??
      (word.length > LONG ? longOnes.find(([compact]) => word.startsWith(compact))?.[1] : undefined);
    if (one !== undefined && !mayUse(one, site)) return one.name.replaceAll(' ', '');
  }
  return undefined;
}

/** True for a site that belongs to a brand of the list. */
export function isBrandSite(site: string): boolean {
  const label = site.split('.', 1)[0] ?? '';
  return BRANDS.some((one) => one.sites.includes(site) || label === one.name.replaceAll(' ', ''));
}
