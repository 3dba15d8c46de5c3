/** The style of messages, made harmless: what is let through is listed, everything else goes. */

/** What becomes of an image that style asks for; undefined: it is not shown. */
export type ImageRule = (url: string) => string | undefined;

/** Properties that change how a message looks and nothing else: no positions over other things, no motion, no variables. */
const PROPERTIES: ReadonlySet<string> = new Set(
  `color background-color background-image background-repeat background-position-x background-position-y background-size
  background-clip background-origin opacity visibility display box-sizing float clear vertical-align direction unicode-bidi
  width height min-width min-height max-width max-height inline-size block-size
  margin-top margin-right margin-bottom margin-left padding-top padding-right padding-bottom padding-left
  margin-block-start margin-block-end margin-inline-start margin-inline-end
  padding-block-start padding-block-end padding-inline-start padding-inline-end
  border-top-color border-right-color border-bottom-color border-left-color
  border-top-style border-right-style border-bottom-style border-left-style
  border-top-width border-right-width border-bottom-width border-left-width
  border-top-left-radius border-top-right-radius border-bottom-left-radius border-bottom-right-radius
  border-collapse border-spacing table-layout caption-side empty-cells outline-color outline-style outline-width
  font-family font-size font-style font-weight font-variant-caps font-stretch line-height letter-spacing word-spacing
  text-align text-indent text-transform text-decoration-line text-decoration-color text-decoration-style text-overflow
  white-space white-space-collapse text-wrap-mode word-break overflow-wrap hyphens tab-size
  overflow-x overflow-y list-style-type list-style-position quotes
  flex-direction flex-wrap flex-grow flex-shrink flex-basis align-items align-content align-self justify-content
  justify-items justify-self order row-gap column-gap
  break-inside break-before break-after orphans widows box-shadow text-shadow`
    .split(/\s+/)
    .filter(Boolean),
);

/** Functions that a value may have: colours, sizes, gradients. Anything else might load or look something up. */
const FUNCTIONS =
  /^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|calc|min|max|clamp|(?:repeating-)?(?:linear|radial|conic)-gradient|fit-content|minmax|repeat)$/;
/** Characters of a value; longer ones are none of people's. */
const MOST_VALUE = 2000;
/** Rules and selectors of a message. */
const MOST_RULES = 3000;
/** Selectors that look at many elements for each one: those of newsletters are a few, and thousands hold the page. */
const MOST_HEAVY = 100;
const HEAVY = /[*~]|:(?:has|nth|not|is|where)/i;
const MOST_TEXT = 1_000_000;

/** The one thing that a message's own rules could cover: nothing else is in its document. */
const DISPLAYS =
  /^(?:none|block|inline|inline-block|flex|inline-flex|table(?:-[a-z]+)*|inline-table|list-item|flow-root|contents|grid|inline-grid)$/;

/** A value as the browser wrote it, if it is harmless; images by `image`. */
export function safeValue(property: string, value: string, image: ImageRule): string | undefined {
  if (value === '' || value.length > MOST_VALUE || /[\\<>{};@]/.test(value)) return undefined;
  if (property === 'background-image') return safeImages(value, image);
  if (property === 'display' && !DISPLAYS.test(value)) return undefined;
  // Nothing is hidden but by not being shown: text that copying or reading aloud has and the eye has not.
  for (const [, name = ''] of value.matchAll(/([a-z-]*)\(/gi))
    if (!FUNCTIONS.test(name.toLowerCase())) return undefined;
  return /\burl\b/i.test(value) ? undefined : value;
}

/** `url("...")`, gradients and `none`, one or several. */
function safeImages(value: string, image: ImageRule): string | undefined {
  if (value === 'none') return value;
  const url = /^url\(\s*(?:"([^"\\]*)"|'([^'\\]*)'|([^"'()\\\s]*))\s*\)$/i.exec(value);
  if (url !== null) {
    const shown = image(url[1] ?? url[2] ?? url[3] ?? '');
    return shown === undefined || /["\\\n\r]/.test(shown) ? undefined : `url("${shown}")`;
  }
  if (/url|image|element|paint|src|cross-fade/i.test(value)) {
    // Several: they count, but are too rare to be taken apart.
    for (const [, one = ''] of value.matchAll(/url\(\s*"([^"]*)"/gi)) image(one);
    return undefined;
  }
  for (const [, name = ''] of value.matchAll(/([a-z-]*)\(/gi))
    if (!FUNCTIONS.test(name.toLowerCase())) return undefined;
  return value;
}

/** Declarations that may stay, as text. */
export function safeDeclarations(style: CSSStyleDeclaration, image: ImageRule): string {
  let out = '';
  for (let i = 0; i < style.length; i++) {
    const property = style.item(i);
    if (!PROPERTIES.has(property)) continue;
    const value = safeValue(property, style.getPropertyValue(property), image);
    if (value === undefined) continue;
    out += `${property}:${value}${style.getPropertyPriority(property) === 'important' ? ' !important' : ''};`;
  }
  return out;
}

/**
 * The text of a style sheet of a message, made harmless: its rules for elements, and those of @media. Selectors have
 * their classes and ids prefixed, as the elements have.
 */
export function safeStyleSheet(text: string, prefix: string, image: ImageRule): string {
  if (text.length > MOST_TEXT) return '';
  const sheet = new CSSStyleSheet();
  try {
    // Without "<!--" around it. Imports are not followed in a sheet that is made this way.
    sheet.replaceSync(text.replaceAll(/<!--|-->/g, ''));
  } catch {
    return '';
  }
  const left = { rules: MOST_RULES, heavy: MOST_HEAVY };
  return safeRules(sheet.cssRules, prefix, image, left, 0);
}

function safeRules(
  rules: CSSRuleList,
  prefix: string,
  image: ImageRule,
  left: { rules: number; heavy: number },
  depth: number,
): string {
  let out = '';
  for (const rule of rules) {
    if (left.rules-- <= 0) return out;
    if (rule instanceof CSSStyleRule) {
      const selector = safeSelector(rule.selectorText, prefix);
      if (selector === undefined || (HEAVY.test(selector) && left.heavy-- <= 0)) continue;
      // Each of "a, b, c" is one.
      left.rules -= selector.split(',').length - 1;
      const declarations = safeDeclarations(rule.style, image);
      if (declarations !== '') out += `${selector}{${declarations}}\n`;
    } else if (rule instanceof CSSMediaRule && depth < 3) {
      const { mediaText } = rule.media;
      if (!/^[\w\s():,.<>=/-]{1,300}$/.test(mediaText)) continue;
      const inner = safeRules(rule.cssRules, prefix, image, left, depth + 1);
      if (inner !== '') out += `@media ${mediaText}{\n${inner}}\n`;
    }
  }
  return out;
}

/** Strings, escapes, classes and ids of a selector, in this order. */
const SELECTOR_PARTS = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|([.#])((?:\\[^\n]|[\w-]|\P{ASCII})+)/gu;

/** A selector with its classes and ids prefixed; undefined for those that mean something outside plain elements. */
export function safeSelector(selector: string, prefix: string): string | undefined {
  if (
    selector.length > MOST_VALUE ||
    /[<{};@]|:host|::part|::slotted|:state|:before|:after|::|&/i.test(selector)
  )
    return undefined;
  return selector.replace(SELECTOR_PARTS, (all: string, kind?: string, name?: string) =>
    kind === undefined ? all : `${kind}${prefix}${name}`,
  );
}
