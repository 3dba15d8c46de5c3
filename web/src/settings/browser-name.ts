/** Order matters: most browsers name older ones too. */
const BROWSERS = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS|HeadlessChrome)\//],
  ['Safari', /\bSafari\//],
] as const;

const SYSTEMS = [
  ['iOS', /\b(?:iPhone|iPad)\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
] as const;

/** "Firefox, Linux" of a User-Agent; undefined when it says nothing we know. */
export function browserName(userAgent: string): string | undefined {
  const find = (all: readonly (readonly [name: string, mark: RegExp])[]): string | undefined =>
    all.find(([, mark]) => mark.test(userAgent))?.[0];
  const found = [find(BROWSERS), find(SYSTEMS)].filter((each) => each !== undefined);
  return found.length === 0 ? undefined : found.join(', ');
}
