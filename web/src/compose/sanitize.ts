import createPurifier from 'dompurify';
import { limitNesting } from '../base/nesting.ts';

/** HTML that comes from mail, a paste or a draft, made into nodes that may stand in the composer. */

/** A pixel that shows nothing, in place of images that are not fetched. */
export const NOTHING = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

const TAGS =
  'a abbr b big blockquote br caption center cite code col colgroup dd del div dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul'.split(
    ' ',
  );
const ATTRIBUTES =
  'align alt bgcolor border cellpadding cellspacing color cols colspan data-cid data-signature data-src dir face height href lang rowspan size src start style title type valign width'.split(
    ' ',
  );
/** Of those, the ones that name what is fetched or followed. */
const ADDRESSES: ReadonlySet<string> = new Set(['data-src', 'href', 'src']);
/** What a style may say: how text looks, never where it stands over ours. */
const PROPERTIES: ReadonlySet<string> = new Set(
  'background-color border border-bottom border-collapse border-color border-left border-radius border-right border-spacing border-style border-top border-width color direction font font-family font-size font-style font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-width padding padding-bottom padding-left padding-right padding-top text-align text-decoration text-decoration-line text-indent text-transform unicode-bidi vertical-align white-space width word-break'.split(
    ' ',
  ),
);
/** Characters of one style that are looked at. */
const MOST_STYLE = 5000;

// One of our own: what is hooked here is nobody else's affair.
const purifier = createPurifier(window);

purifier.addHook('afterSanitizeAttributes', (node) => {
  if (!(node instanceof HTMLElement)) return;
  if (node.hasAttribute('style')) cleanStyle(node);
  if (node instanceof HTMLImageElement) cleanImage(node);
  if (node instanceof HTMLAnchorElement) cleanLink(node);
});

function cleanStyle(element: HTMLElement): void {
  const kept: string[] = [];
  const source = element.getAttribute('style') ?? '';
  if (source.length <= MOST_STYLE) {
    for (const name of element.style) {
      const value = element.style.getPropertyValue(name);
      if (isKept(name) && !/url\(|expression|image-set|-?\d{5,}|var\(|env\(/i.test(value))
        kept.push(`${name}: ${value}`);
    }
  }
  if (kept.length === 0) element.removeAttribute('style');
  else element.setAttribute('style', kept.join('; '));
}

/** Browsers spell shorthands out: "border-left-width", "margin-top". */
function isKept(name: string): boolean {
  if (PROPERTIES.has(name)) return true;
  return /^(?:border-(?:top|right|bottom|left)-(?:width|style|color)|border-(?:top|bottom)-(?:left|right)-radius|text-decoration-(?:color|style))$/.test(
    name,
  );
}

function cleanImage(image: HTMLImageElement): void {
  const source = image.getAttribute('src') ?? '';
  if (/^cid:/i.test(source)) {
    image.dataset['cid'] = decode(source.slice(4));
    image.setAttribute('src', NOTHING);
  } else if (/^https?:/i.test(source)) {
    // Its owner need not learn that it was quoted.
    image.dataset['src'] = source;
    image.setAttribute('src', NOTHING);
  } else if (source === '' || (/^blob:/i.test(source) && image.dataset['cid'] === undefined)) image.remove();
  image.removeAttribute('srcset');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function cleanLink(link: HTMLAnchorElement): void {
  if (!/^(?:https?|mailto|tel):/i.test(link.getAttribute('href')?.trim() ?? '')) link.removeAttribute('href');
  link.removeAttribute('target');
}

/** Nodes of HTML from anywhere: nothing in them runs, is fetched, or leaves its place. */
export function cleanFragment(html: string): DocumentFragment {
  return purifier.sanitize(limitNesting(html).html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    // The others hold no address, and are not to be measured by what one may be.
    ADD_URI_SAFE_ATTR: ATTRIBUTES.filter((name) => !ADDRESSES.has(name)),
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel|cid|blob):|data:image\/(?:png|jpeg|gif|webp);base64,)/i,
    RETURN_DOM_FRAGMENT: true,
  });
}
