/** Where links lead. */
import { domainToUnicode } from 'node:url';
import { plainLatin } from '../facts/unicode.ts';
import type { MessageFacts, UrlFact } from '../facts/types.ts';
import { brandInHost, isBrandSite } from './brands.ts';
import { fromOf, isCheapName, isProven, linksOf, plainText, recipientsOf } from './common.ts';
import type { Rule } from './types.ts';

/** Hosts under which anybody can put up a page in minutes, without a name of their own. */
const FREE_PAGES =
  /(?:^|\.)(?:web\.app|firebaseapp\.com|pages\.dev|workers\.dev|r2\.dev|netlify\.app|vercel\.app|herokuapp\.com|glitch\.me|weebly\.com|wixsite\.com|wixstudio\.com|000webhostapp\.com|godaddysites\.com|square\.site|webflow\.io|framer\.app|repl\.co|replit\.app|surge\.sh|duckdns\.org|no-ip\.org|ddns\.net|ngrok\.io|ngrok-free\.app|trycloudflare\.com|ipfs\.io|dweb\.link|w3s\.link|fleek\.co|blob\.core\.windows\.net|web\.core\.windows\.net|azurewebsites\.net|storage\.googleapis\.com|s3\.amazonaws\.com|backblazeb2\.com|linodeobjects\.com|digitaloceanspaces\.com|jimdofree\.com|jimdosite\.com|yolasite\.com|mystrikingly\.com|webwave\.dev|canva\.site|gitbook\.io|typedream\.app|tiiny\.site|clickfunnels\.com)$/;

const RUNNABLE =
  /^(?:exe|scr|com|pif|bat|cmd|js|jse|vbs|vbe|wsf|hta|lnk|ps1|msi|jar|apk|iso|img|vhd|appinstaller|application)$/;

/** The first URL that `test` accepts, for the detail. */
function first(urls: readonly UrlFact[], test: (url: UrlFact) => boolean): string | false {
  const url = urls.find(test);
  return url === undefined ? false : url.host || url.scheme;
}

export const urlRules: readonly Rule[] = [
  {
    name: 'LINK_TO_NUMBER',
    score: 1.4,
    explain: 'A link leads to a bare number instead of a named site',
    test: (facts) => first(linksOf(facts), ({ ipHost, host }) => ipHost && !isPrivate(host)),
  },
  {
    name: 'LINK_TO_DISGUISED_NUMBER',
    score: 2.5,
    explain: 'A link leads to a number that is written so that nobody recognises it',
    test: (facts) => first(facts.urls, ({ oddIp }) => oddIp),
  },
  {
    name: 'LINK_WITH_DECOY_NAME',
    score: 2,
    explain: 'A link begins with a name that only looks like the site it leads to',
    test: (facts) =>
      first(
        linksOf(facts),
        ({ userinfo, scheme, url }) =>
          userinfo && scheme !== 'ftp' && /^[a-z]+:[/\\]+[^/\\?#]*\.[^/\\?#]*@/i.test(url),
      ),
  },
  {
    name: 'LINK_ODD_PORT',
    score: 0.7,
    explain: 'A link leads to an unusual door of a server',
    test: (facts) =>
      first(
        linksOf(facts),
        ({ port, scheme }) =>
          port !== undefined && ![80, 443, 8080, 8443, 21].includes(port) && scheme !== 'ftp',
      ),
  },
  {
    name: 'LINK_LOOKALIKE_LETTERS',
    score: 2,
    explain: 'A link leads to a site whose name is written with foreign letters that look like Latin ones',
    test: (facts) => first(linksOf(facts), ({ punycode, asciiHost }) => punycode && isLookalike(asciiHost)),
  },
  {
    name: 'LINK_SHORTENED',
    score: 0.5,
    explain: 'A link goes through a service that hides where it leads',
    lever: 'Links must show the site they lead to',
    test: (facts) => first(linksOf(facts), ({ shortener }) => shortener),
  },
  {
    name: 'LINK_SHORTENED_ONLY',
    score: 0.9,
    explain: 'Every link hides where it leads',
    test: (facts) => {
      const links = linksOf(facts);
      return (
        links.length > 0 &&
        !facts.isReply &&
        links.every(({ shortener }) => shortener) &&
        facts.language.words < 80
      );
    },
  },
  {
    name: 'LINK_TEXT_MISMATCH',
    score: 0.6,
    explain: 'The text of a link names another site than it leads to',
    lever: 'Links must lead where they say',
    test: (facts, evidence) => {
      if (facts.isBulk && isProven(facts, evidence)) return false;
      const lie = lies(facts).find(({ shownSite }) => shownSite !== fromOf(facts)?.site);
      return lie !== undefined && `${lie.shownSite} → ${lie.site}`;
    },
  },
  {
    name: 'LINK_TEXT_BORROWS_BRAND',
    score: 2,
    explain: 'The text of a link names a well-known company, but the link leads elsewhere',
    test: (facts) => {
      const from = fromOf(facts)?.site;
      const lie = lies(facts).find(
        ({ shownSite }) => shownSite !== undefined && shownSite !== from && isBrandSite(shownSite),
      );
      return lie !== undefined && !facts.isBulk && `${lie.shownSite} → ${lie.site}`;
    },
  },
  {
    name: 'LINK_HOST_LIKE_BRAND',
    score: 2,
    explain: 'A link leads to a site that uses the name of a well-known company',
    test: (facts) => {
      const own = fromOf(facts)?.site;
      for (const { asciiHost, site, ipHost } of linksOf(facts)) {
        if (ipHost || site === own) continue;
        const brand = brandInHost(asciiHost, site);
        // Shops and trackers put the customer's name in front: "amazon.click.example". Only two labels or more count.
        if (
          brand !== undefined &&
          (asciiHost.includes(`${brand}.com.`) || site.includes(brand) || asciiHost.includes('-'))
        )
          return asciiHost;
      }
      return false;
    },
  },
  {
    name: 'LINK_CHEAP_NAME',
    score: 0.7,
    explain: 'A link leads to a domain with an ending that costs next to nothing',
    test: (facts) => first(linksOf(facts), ({ site, ipHost }) => !ipHost && isCheapName(site)),
  },
  {
    name: 'LINK_TO_PROGRAM',
    score: 1.4,
    explain: 'A link fetches a program',
    test: (facts) =>
      first(
        linksOf(facts),
        ({ extension, pathLength }) => pathLength > 4 && RUNNABLE.test(extension) && extension !== 'com',
      ),
  },
  {
    name: 'LINK_RUNS_SCRIPT',
    score: 1.2,
    explain: 'A link holds a script or a whole page instead of an address',
    test: (facts) =>
      first(
        facts.urls,
        ({ scheme, source, url }) =>
          source !== 'image' &&
          (scheme === 'vbscript' ||
            scheme === 'data' ||
            (scheme === 'javascript' && !/^javascript:(?:void|;|$|\/\/)/i.test(url))),
      ),
  },
  {
    name: 'LINK_TO_FILE_SHARE',
    score: 1.8,
    explain: 'A link makes the computer log in to a stranger’s file server',
    test: (facts) => first(facts.urls, ({ scheme, host }) => scheme === 'file' && host.includes('.')),
  },
  {
    name: 'LINK_ESCAPED_HOST',
    score: 2,
    explain: 'The site of a link is written in code, which hides it from filters',
    test: (facts) => first(linksOf(facts), ({ url }) => /^[a-z]+:[/\\]+[^/\\?#]*%[0-9a-f]{2}/i.test(url)),
  },
  {
    name: 'LINK_NEEDLESSLY_ESCAPED',
    score: 1,
    explain: 'Plain letters of a link are written in code',
    test: (facts) =>
      first(linksOf(facts), ({ url }) => (url.match(/%(?:[46][1-9a-f]|[57][0-9a])/gi) ?? []).length > 4),
  },
  {
    name: 'LINK_LONG_HOST',
    score: 0.7,
    explain: 'A link leads to a site with a very long name',
    test: (facts) =>
      first(linksOf(facts), ({ labels, host, ipHost }) => !ipHost && (labels > 6 || host.length > 70)),
  },
  {
    name: 'LINK_TO_FREE_PAGE',
    score: 0.8,
    explain: 'A link leads to a page that anybody can put up without giving a name',
    test: (facts) => !facts.isBulk && first(linksOf(facts), ({ host }) => FREE_PAGES.test(host)),
  },
  {
    name: 'LINK_REDIRECTED',
    score: 0.4,
    explain: 'A link goes through another site’s redirect',
    test: (facts) => !facts.isBulk && first(linksOf(facts), ({ url, site }) => redirectsAway(url, site)),
  },
  {
    name: 'LINK_CARRIES_YOUR_ADDRESS',
    score: 0.5,
    explain: 'A link carries your mail address, so that the page can greet you',
    test: (facts, evidence) => {
      if (facts.isBulk) return false;
      const wanted = recipientsOf(facts, evidence)
        .slice(0, 5)
        .flatMap((address) => [
          address,
          encodeURIComponent(address),
          Buffer.from(address).toString('base64').replace(/=+$/, '').toLowerCase(),
        ]);
      return first(
        linksOf(facts),
        ({ url, source }) => source === 'href' && wanted.some((form) => url.toLowerCase().includes(form)),
      );
    },
  },
  {
    name: 'LINK_TO_CHAT',
    score: 0.5,
    explain: 'It wants to go on in a chat service',
    test: (facts) =>
      !facts.isBulk &&
      facts.language.words < 200 &&
      first(linksOf(facts), ({ site }) => site === 't.me' || site === 'wa.me'),
  },
  {
    name: 'PICTURES_FROM_NUMBER',
    score: 1,
    explain: 'Pictures come from a bare number instead of a named site',
    test: (facts) =>
      first(facts.urls, ({ ipHost, source, host }) => ipHost && source === 'image' && !isPrivate(host)),
  },
  {
    name: 'LINK_BROKEN_UP',
    score: 1.2,
    explain: 'An address of the Web is written so that only a person can put it together',
    test: (facts) => {
      if (facts.language.words > 150 || linksOf(facts).length > 0) return false;
      const text = plainText(facts);
      if (!BROKEN_DOTS.some((dot) => text.includes(dot))) return false;
      return /\b[a-z0-9-]{3,40} ?(?:\(dot\)|\[dot\]|\[\.\]| dot ) ?(?:com|net|org|info|biz)\b|hxxps?:/.test(
        text,
      );
    },
  },
];

const BROKEN_DOTS = ['(dot)', '[dot]', '[.]', ' dot ', 'hxxp'];

function lies(facts: MessageFacts): UrlFact[] {
  return facts.urls.filter(
    ({ shownSite, source, shortener }) => shownSite !== undefined && source === 'href' && !shortener,
  );
}

function isPrivate(host: string): boolean {
  return /^(?:127|10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./.test(host) || host === '::1';
}

/** A label in A-labels that reads as plain Latin when decoded. */
function isLookalike(asciiHost: string): boolean {
  try {
    const unicode = new URL(`http://${asciiHost}/`).hostname;
    const shown = domainToUnicode(unicode);
    return shown !== asciiHost && /^[a-z0-9.-]+$/.test(plainLatin(shown));
  } catch {
    return false;
  }
}

function redirectsAway(url: string, site: string): boolean {
  const at = url.slice(10).search(/https?(?::|%3a)(?:\/\/|%2f%2f)/i);
  if (at === -1) return false;
  return (
    !url
      .slice(10 + at)
      .toLowerCase()
      .includes(site) && !/(?:web\.archive\.org|w3\.org|schema\.org)/.test(site)
  );
}
