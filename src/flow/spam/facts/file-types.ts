/** Facts about files that come along. */

/** What the first octets of a file show. */
export type FileKind =
  | 'pe'
  | 'elf'
  | 'macho'
  | 'dex'
  | 'java-class'
  | 'wasm'
  | 'msi'
  | 'zip'
  | 'ooxml'
  | 'odf'
  | 'jar'
  | 'apk'
  | 'rar'
  | '7z'
  | 'gzip'
  | 'bzip2'
  | 'xz'
  | 'zstd'
  | 'tar'
  | 'cab'
  | 'ace'
  | 'arj'
  | 'lzh'
  | 'iso'
  | 'vhd'
  | 'vhdx'
  | 'dmg'
  | 'udf'
  | 'wim'
  | 'ole'
  | 'rtf'
  | 'pdf'
  | 'onenote'
  | 'lnk'
  | 'url-shortcut'
  | 'chm'
  | 'hlp'
  | 'xll'
  | 'png'
  | 'jpeg'
  | 'gif'
  | 'webp'
  | 'bmp'
  | 'tiff'
  | 'ico'
  | 'svg'
  | 'audio'
  | 'video'
  | 'font'
  | 'html'
  | 'xml'
  | 'script'
  | 'tnef'
  | 'pgp'
  | 'pkcs7'
  | 'text';

export interface ArchiveEntry {
  /** Decoded, at most 512 characters. */
  readonly name: string;
  /** Octets unpacked and packed; undefined where unknown. */
  readonly size: number | undefined;
  readonly packed: number | undefined;
  readonly encrypted: boolean;
}

export interface ArchiveFact {
  readonly format:
    | 'zip'
    | 'rar'
    | '7z'
    | 'tar'
    | 'gzip'
    | 'bzip2'
    | 'xz'
    | 'iso'
    | 'cab'
    | 'arj'
    | 'ace'
    | 'lzh'
    | 'zstd';
  /** First `factLimits.archiveEntries`. */
  readonly entries: readonly ArchiveEntry[];
  /** As the archive says; at least the number of entries. */
  readonly count: number;
  /** All names are listed. */
  readonly complete: boolean;
  /** An entry, or the list of names, needs a password. */
  readonly encrypted: boolean;
  /** Claims to unpack to over 100 times its size and over 100 MiB, or overlaps itself. */
  readonly bomb: boolean;
}

/** A part that is a file. */
export interface AttachmentFact {
  /** Index in `MessageFacts.parts`. */
  readonly part: number;
  /** File name without its path, controls and bidirectional marks; empty where there is none. */
  readonly name: string;
  /** Of `name`, lower case, without dot; empty where there is none. */
  readonly extension: string;
  /** "text/html", lower case. */
  readonly claimedType: string;
  readonly kind: FileKind | undefined;
  /** Octets when decoded, as far as can be told from the encoded size. */
  readonly size: number;
  /** "invoice.pdf.exe", or many blanks before the last extension. */
  readonly doubleExtension: boolean;
  /** The name as sent holds a bidirectional override. */
  readonly bidiName: boolean;
  /** The name as sent holds a path, a NUL or control characters. */
  readonly oddName: boolean;
  /** What it is differs from what it claims to be, in a way that no mailer does by mistake. */
  readonly disguised: boolean;
  readonly archive: ArchiveFact | undefined;
  /** Macros that run: VBA in OLE or OOXML, Excel 4.0 sheets. */
  readonly macros: 'vba' | 'xlm' | undefined;
  /** Document or archive that needs a password. */
  readonly encrypted: boolean;
  /** PDF: JavaScript, launch actions or embedded files; RTF: embedded objects. */
  readonly activeContent: boolean;
  /** Document that fetches its template or an object from elsewhere. */
  readonly remoteTemplate: boolean;
}
