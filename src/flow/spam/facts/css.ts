/** As much of CSS as hides text: inline declarations and simple class rules. Nothing else is understood or followed. */

export type HiddenReason = 'display' | 'size' | 'colour' | 'offscreen';

export interface Style {
  /** Holds for all that is inside, whatever it says itself. */
  hidden: 'display' | 'offscreen' | undefined;
  /** Letters too small to see, or not; undefined where not said. */
  tiny: boolean | undefined;
  /** 0xRRGGBB; undefined where not said; 'unknown' for what cannot be told (an image, a variable). */
  colour: number | undefined;
  background: number | 'unknown' | undefined;
}

/** Characters of one style attribute, and of style elements, that are read. */
const MAX_STYLE = 1000;
const MAX_SHEET = 16 * 1024;
const MAX_CLASSES = 200;

const NAMED: Record<string, number> = {
  white: 0xffffff,
  black: 0x000000,
  snow: 0xfffafa,
  ivory: 0xfffff0,
  whitesmoke: 0xf5f5f5,
  ghostwhite: 0xf8f8ff,
  red: 0xff0000,
  blue: 0x0000ff,
  yellow: 0xffff00,
  green: 0x008000,
  lime: 0x00ff00,
  navy: 0x000080,
  gray: 0x808080,
  grey: 0x808080,
  silver: 0xc0c0c0,
  lightgrey: 0xd3d3d3,
  orange: 0xffa500,
  purple: 0x800080,
  maroon: 0x800000,
  teal: 0x008080,
  aqua: 0x00ffff,
  fuchsia: 0xff00ff,
  olive: 0x808000,
};

/** The colour that an attribute or declaration names; undefined where it cannot be told. */
export function parseColour(value: string): number | undefined {
  const text = value.trim().toLowerCase().slice(0, 40);
  const hex = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/.exec(text)?.[1];
  if (hex !== undefined) {
    return Number.parseInt(hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex, 16);
  }
  const rgb = /^rgba?\(\s{0,9}(\d{1,3})\s{0,9}[, ]\s{0,9}(\d{1,3})\s{0,9}[, ]\s{0,9}(\d{1,3})/.exec(text);
  if (rgb !== null) return (Number(rgb[1]) << 16) | (Number(rgb[2]) << 8) | Number(rgb[3]);
  return Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
}

/** Too alike for a reader: the three channels together differ by less than 30 of 765. */
export function isAlike(a: number, b: number): boolean {
  const channel = (shift: number): number => Math.abs(((a >> shift) & 255) - ((b >> shift) & 255));
  return channel(16) + channel(8) + channel(0) < 30;
}

/** What a style attribute says. */
export function parseStyle(text: string): Style {
  const style: Style = { hidden: undefined, tiny: undefined, colour: undefined, background: undefined };
  for (const declaration of text.slice(0, MAX_STYLE).toLowerCase().split(';')) {
    const colon = declaration.indexOf(':');
    if (colon === -1) continue;
    const value = declaration
      .slice(colon + 1)
      .replace('!important', '')
      .trim();
    apply(style, declaration.slice(0, colon).trim(), value);
  }
  return style;
}

function apply(style: Style, name: string, value: string): void {
  switch (name) {
    case 'display':
      if (value === 'none') style.hidden ??= 'display';
      return;
    case 'visibility':
      if (value === 'hidden' || value === 'collapse') style.hidden ??= 'display';
      return;
    case 'opacity':
      if (Number(value) < 0.05) style.hidden ??= 'display';
      return;
    case 'font-size':
      style.tiny = isTiny(value, 2);
      return;
    case 'font':
      style.tiny = /(?:^|\s)[01](?:px|pt)(?:\/|\s)/.test(value);
      return;
    case 'text-indent':
    case 'left':
    case 'top':
    case 'margin-left':
    case 'margin-top':
      if (/^-\d{4,6}(?:px|pt|em)?$/.test(value)) style.hidden ??= 'offscreen';
      return;
    case 'color':
      style.colour = parseColour(value);
      return;
    case 'background-color':
    case 'background':
    case 'background-image':
      if (value === 'transparent' || value === 'none' || value === 'inherit') return;
      style.background = parseColour(value.split(' ', 1)[0] ?? '') ?? 'unknown';
      return;
    default:
  }
}

function isTiny(value: string, limit: number): boolean {
  const match = /^(\d{1,4}(?:\.\d{1,4})?|\.\d{1,4})(px|pt|em|rem|%)?$/.exec(value);
  if (match === null) return false;
  const size = Number(match[1]);
  if (match[2] === 'em' || match[2] === 'rem') return size < 0.15;
  return match[2] === '%' ? size < 15 : size < limit;
}

/**
 * Adds the classes that a style sheet hides to `classes`. Only rules of one class and outside of any block count: inside
 * "@media" they hide things on telephones or on screens, which is what newsletters do.
 */
export function hiddenClasses(sheet: string, classes: Map<string, 'display' | 'offscreen'>): void {
  const text = sheet.slice(0, MAX_SHEET);
  let at = 0;
  while (at < text.length && classes.size < MAX_CLASSES) {
    const open = text.indexOf('{', at);
    if (open === -1) return;
    const selector = text.slice(at, open).trim();
    if (selector.startsWith('@')) {
      at = blockEnd(text, open);
      continue;
    }
    const close = text.indexOf('}', open);
    if (close === -1) return;
    const match = /^(?:[a-z]{1,10})?\.([\w-]{1,60})$/i.exec(selector);
    if (match !== null) {
      const { hidden } = parseStyle(text.slice(open + 1, close));
      if (hidden !== undefined) classes.set(match[1] ?? '', hidden);
    }
    at = close + 1;
  }
}

function blockEnd(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 123) depth++;
    else if (char === 125 && --depth === 0) return i + 1;
  }
  return text.length;
}
