/** Kinds of attachments that a site may want to keep out, told by name and by content, whichever says more. */
import type { ArchiveEntry, AttachmentFact, FileKind } from '../facts/types.ts';
import { extensionOf } from '../facts/filenames.ts';

export const categories = [
  'executable',
  'script',
  'macro-document',
  'encrypted-archive',
  'executable-in-archive',
  'disk-image',
  'shortcut',
] as const;
export type AttachmentCategory = (typeof categories)[number];

const set = (names: string): ReadonlySet<string> => new Set(names.split(' '));

/** Run by a double click on the systems that people read mail on. */
const EXECUTABLE_NAMES = set(
  'exe scr com pif cpl msi msp mst msix msixbundle appx appxbundle appinstaller application gadget dll ocx sys drv xll jar apk deb rpm run bin elf app dmg pkg chm hlp msc reg inf ade adp mde',
);
const EXECUTABLE_KINDS = new Set<FileKind>([
  'pe',
  'elf',
  'macho',
  'dex',
  'java-class',
  'jar',
  'apk',
  'msi',
  'chm',
  'hlp',
  'xll',
]);
/** Names that mean something else as often: only with the octets of a program, or not at all. */
const WEAK_NAMES = set('bin app run com sys inf reg');
const SCRIPT_NAMES = set(
  'bat cmd js jse vb vbs vbe ws wsf wsh wsc sct hta ps1 ps1xml ps2 psc1 psm1 msh scf shb shs sh csh ksh command py pyw pl rb lua ahk au3',
);
/** Sources that people send each other: no harm by a double click where they are just text. */
const SOURCE_NAMES = set('sh csh ksh py pl rb lua');
const MACRO_NAMES = set('docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm xla');
const IMAGE_NAMES = set('iso img udf vhd vhdx vmdk wim dmg daa uif nrg');
const IMAGE_KINDS = new Set<FileKind>(['iso', 'vhd', 'vhdx', 'wim', 'udf', 'dmg']);
const SHORTCUT_NAMES = set(
  'lnk url desktop scf library-ms search-ms settingcontent-ms webloc website diagcab theme themepack',
);
const ARCHIVE_NAMES = set('zip zipx rar 7z tar gz tgz bz2 tbz2 xz txz cab ace arj lzh lha iso img z');

/** True where a name alone tells a program. */
function isExecutableName(extension: string): boolean {
  return EXECUTABLE_NAMES.has(extension) && !WEAK_NAMES.has(extension);
}

/** True for a name in an archive that something runs. */
export function isRunnableEntry({ name }: ArchiveEntry): boolean {
  const extension = extensionOf(name.trimEnd());
  if (extension === 'com') return !/\.[a-z]{2,}\.com$|^www\./i.test(name); // "example.com" is a name of a file too
  return (
    isExecutableName(extension) ||
    (SCRIPT_NAMES.has(extension) && !SOURCE_NAMES.has(extension) && extension !== 'js') ||
    SHORTCUT_NAMES.has(extension)
  );
}

/** A script that stands alone in an archive is there to be clicked; among hundreds of files it is source. */
function isClickBait(entries: readonly ArchiveEntry[]): ArchiveEntry | undefined {
  if (entries.length > 3) return undefined;
  return entries.find(({ name }) => extensionOf(name) === 'js');
}

/** The entry of an archive that something would run; undefined where there is none. */
export function runnableIn(attachment: AttachmentFact): ArchiveEntry | undefined {
  const { archive, kind } = attachment;
  if (archive === undefined || kind === 'jar' || kind === 'apk' || kind === 'ooxml' || kind === 'odf')
    return undefined;
  return archive.entries.find(isRunnableEntry) ?? isClickBait(archive.entries);
}

/** True for an archive in an archive. */
export function isNestedArchive(attachment: AttachmentFact): boolean {
  return attachment.archive?.entries.some(({ name }) => ARCHIVE_NAMES.has(extensionOf(name))) === true;
}

/** The categories that an attachment falls into. */
export function categoriesOf(attachment: AttachmentFact): AttachmentCategory[] {
  const { extension, kind, archive } = attachment;
  const found: AttachmentCategory[] = [];
  if (isExecutableName(extension) || (kind !== undefined && EXECUTABLE_KINDS.has(kind)))
    found.push('executable');
  const isScriptName = SCRIPT_NAMES.has(extension) && !SOURCE_NAMES.has(extension);
  // JavaScript that is served as text is source; what runs by a click is called a file of its own.
  if (isScriptName && !(extension === 'js' && attachment.claimedType.startsWith('text/')))
    found.push('script');
  if (attachment.macros !== undefined || MACRO_NAMES.has(extension)) found.push('macro-document');
  if (archive !== undefined && archive.encrypted && kind !== 'ooxml') found.push('encrypted-archive');
  if (runnableIn(attachment) !== undefined) found.push('executable-in-archive');
  if (IMAGE_NAMES.has(extension) || (kind !== undefined && IMAGE_KINDS.has(kind))) found.push('disk-image');
  if (SHORTCUT_NAMES.has(extension) || kind === 'lnk' || kind === 'url-shortcut') found.push('shortcut');
  return found;
}
