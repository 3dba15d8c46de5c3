/** What a file is by its first octets. */
import type { FileKind } from './types.ts';

/** Signatures at an offset, as latin1 text; the first that fits wins. */
const SIGNATURES: readonly (readonly [offset: number, text: string, kind: FileKind])[] = [
  [0, '\x7fELF', 'elf'],
  [0, '\xfe\xed\xfa\xce', 'macho'],
  [0, '\xfe\xed\xfa\xcf', 'macho'],
  [0, '\xce\xfa\xed\xfe', 'macho'],
  [0, '\xcf\xfa\xed\xfe', 'macho'],
  [0, 'dex\n03', 'dex'],
  [0, '\0asm', 'wasm'],
  [0, 'PK\x03\x04', 'zip'],
  [0, 'PK\x05\x06', 'zip'],
  [0, 'PK00PK\x03\x04', 'zip'],
  [0, 'Rar!\x1a\x07', 'rar'],
  [0, "7z\xbc\xaf'\x1c", '7z'],
  [0, '\x1f\x8b', 'gzip'],
  [0, 'BZh', 'bzip2'],
  [0, '\xfd7zXZ\0', 'xz'],
  [0, '(\xb5/\xfd', 'zstd'],
  [257, 'ustar', 'tar'],
  [0, 'MSCF', 'cab'],
  [7, '**ACE**', 'ace'],
  [0, '\x60\xea', 'arj'],
  [2, '-lh', 'lzh'],
  [0, 'MSWIM\0\0\0', 'wim'],
  [0, 'conectix', 'vhd'],
  [0, 'vhdxfile', 'vhdx'],
  [0, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'ole'],
  [0, '{\\rt', 'rtf'],
  [0, '%PDF-', 'pdf'],
  [0, '\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d', 'onenote'],
  [0, 'L\0\0\0\x01\x14\x02\0', 'lnk'],
  [0, 'ITSF', 'chm'],
  [0, '?_\x03\0', 'hlp'],
  [0, '\x89PNG', 'png'],
  [0, '\xff\xd8\xff', 'jpeg'],
  [0, 'GIF8', 'gif'],
  [8, 'WEBP', 'webp'],
  [0, 'II*\0', 'tiff'],
  [0, 'MM\0*', 'tiff'],
  [0, '\0\0\x01\0', 'ico'],
  [0, 'ID3', 'audio'],
  [0, 'OggS', 'audio'],
  [0, 'fLaC', 'audio'],
  [8, 'WAVE', 'audio'],
  [4, 'ftyp', 'video'],
  [8, 'AVI ', 'video'],
  [0, '\x1aE\xdf\xa3', 'video'],
  [0, 'wOF2', 'font'],
  [0, 'wOFF', 'font'],
  [0, '\x78\x9f\x3e\x22', 'tnef'],
  [0, '-----BEGIN PGP', 'pgp'],
  [0, '-----BEGIN PKCS7', 'pkcs7'],
  [0, '[InternetShortcut]', 'url-shortcut'],
];

/** Octets that are looked at for text. */
const LOOK = 1024;

/** The kind of a file whose decoded first octets are `head`; undefined where nothing is known. */
export function fileKind(head: Buffer): FileKind | undefined {
  if (head.length < 2) return undefined;
  for (const [offset, text, kind] of SIGNATURES) {
    if (startsAt(head, offset, text)) return kind === 'macho' || kind !== 'zip' ? kind : zipKind(head);
  }
  if (head[0] === 0x4d && head[1] === 0x5a) return 'pe';
  if (startsAt(head, 0, '\xca\xfe\xba\xbe')) return (head[7] ?? 0) > 40 ? 'java-class' : 'macho';
  if (head[0] === 0x42 && head[1] === 0x4d && head.length > 14 && head.readUInt32LE(6) === 0) return 'bmp';
  if (head.length > 0x8006 && startsAt(head, 0x8001, 'CD001')) return 'iso';
  return textKind(head);
}

function startsAt(head: Buffer, offset: number, text: string): boolean {
  if (head.length < offset + text.length) return false;
  for (let i = 0; i < text.length; i++) if (head[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** What a zip holds by the name of its first entries. */
function zipKind(head: Buffer): FileKind {
  const text = head.toString('latin1', 0, 4096);
  if (text.startsWith('mimetypeapplication/vnd.oasis', 30)) return 'odf';
  if (text.includes('AndroidManifest.xml')) return 'apk';
  if (text.startsWith('META-INF/', 30) || text.includes('META-INF/MANIFEST.MF')) return 'jar';
  if (text.includes('[Content_Types].xml') || text.includes('_rels/.rels')) return 'ooxml';
  return 'zip';
}

function textKind(head: Buffer): FileKind | undefined {
  const raw = decodeMarked(head);
  if (raw === undefined) return undefined;
  const text = raw.trimStart().slice(0, LOOK).toLowerCase();
  if (text.startsWith('#!')) return 'script';
  if (text.startsWith('<?xml') || text.startsWith('<svg')) return text.includes('<svg') ? 'svg' : 'xml';
  if (/^(?:<!--.{0,200}?-->\s{0,9})?<(?:!doctype html|html|head|body|script|meta|title|iframe)\b/s.test(text))
    return 'html';
  if (text.startsWith('[internetshortcut]')) return 'url-shortcut';
  if (
    /^(?:@echo off|powershell\b|on error resume next|dim \w+\s*[\r\n]|<job\b|<package>\s*<job|<script\b)/.test(
      text,
    )
  )
    return 'script';
  return 'text';
}

/** Text of octets that are text by their look: no controls; UTF-16 with a mark. */
function decodeMarked(head: Buffer): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return head.toString('utf16le', 2, LOOK * 2);
  const start = startsAt(head, 0, '\xef\xbb\xbf') ? 3 : 0;
  const end = Math.min(head.length, start + LOOK);
  for (let i = start; i < end; i++) {
    const octet = head[i] ?? 0;
    if (octet < 32 && octet !== 9 && octet !== 10 && octet !== 13 && octet !== 12 && octet !== 27)
      return undefined;
  }
  return head.toString('latin1', start, end);
}
