/** File names as senders write them, and what a reader sees of them. */
import { factLimits } from './limits.ts';

export interface FileName {
  readonly name: string;
  readonly extension: string;
  readonly doubleExtension: boolean;
  readonly bidi: boolean;
  readonly odd: boolean;
}

/** Extensions of documents and pictures that people open without a thought. */
const HARMLESS_LOOKING =
  /\.(?:pdf|docx?|xlsx?|pptx?|txt|rtf|csv|jpe?g|png|gif|bmp|mp[34]|wav|avi|mov|html?|odt|ods|zip|xml|eml)$/i;

/** Extensions that something runs or opens with a program of its own. */
const ACTIVE =
  /^(?:exe|scr|com|pif|cpl|bat|cmd|js|jse|vbs|vbe|wsf|wsh|hta|lnk|ps1|msi|jar|iso|img|html?|shtml|svg|zip|rar|7z|gz|ace|url)$/;

/** Takes a decoded file name apart. */
export function readFileName(decoded: string): FileName {
  const bidi = /[\u202a-\u202e\u2066-\u2069]/.test(decoded);
  const controls = /[^\P{Cc}\t\n]/u.test(decoded);
  const clean = decoded
    .slice(0, factLimits.filenameChars)
    .replace(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, '')
    .trim();
  const slash = Math.max(clean.lastIndexOf('/'), clean.lastIndexOf('\\'));
  const name = clean.slice(slash + 1).replace(/[. ]+$/, '');
  const extension = extensionOf(name);
  const stem = extension === '' ? name : name.slice(0, -extension.length - 1);
  const padded = /\s{8,}$|_{12,}$/.test(stem);
  const doubled = HARMLESS_LOOKING.test(stem.trimEnd().slice(-8)) && ACTIVE.test(extension);
  return { name, extension, doubleExtension: padded || doubled, bidi, odd: controls || slash !== -1 };
}

/** The last extension of a name, lower case without dot. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return dot === 0 ? name.slice(1).toLowerCase().slice(0, 12) : '';
  const extension = name.slice(dot + 1).toLowerCase();
  return extension.length <= 12 && /^[a-z0-9_~-]+$/.test(extension) ? extension : '';
}
