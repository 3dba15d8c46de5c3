/** Names of HTML that the reading of mail has to know. */
const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/));

export const VOID_TAGS = set(
  'area base br col embed hr img input link meta param source track wbr bgsound basefont frame',
);

/** End a line in what a reader reads. */
export const BLOCK_TAGS = set(
  `address article aside blockquote body br center dd details dir div dl dt fieldset figcaption figure footer form
  h1 h2 h3 h4 h5 h6 head header hr html li main menu nav ol option p pre section select table tbody textarea tfoot thead title
  tr ul`,
);

/** Cells: a blank between them. */
export const CELL_TAGS = set('td th');

/** What stands in them is not shown. */
export const SILENT_TAGS = set(
  'script style head title template noembed noframes object applet audio video iframe xmp xml',
);

/** A start tag ends the open element of the same name: "<p>one<p>two". */
export const IMPLIED_END = set('p li dt dd tr td th option');

export const KNOWN_TAGS = set(
  `a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br button
  canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset
  figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image img input ins
  isindex kbd keygen label layer legend li link listing main map mark marquee math menu meta meter multicol nav nobr noembed
  noframes nolayer noscript object ol optgroup option output p param picture plaintext portal pre progress q rp rt rtc ruby s
  samp script section select server slot small source spacer span strike strong style sub summary sup svg table tbody td
  template textarea tfoot th thead time title tr track tt u ul var video wbr xmp xml
  path g rect circle ellipse line polygon polyline text tspan defs use lineargradient radialgradient stop clippath mask pattern
  symbol filter animate animatetransform set desc foreignobject amp-img amp-carousel`,
);
