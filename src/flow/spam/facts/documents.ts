/** Documents that do something when opened: macros, scripts, embedded objects, templates fetched from elsewhere. */
import type { FileEnds } from './file-ends.ts';
import { inflateStart } from './inflate.ts';
import type { ArchiveFact, AttachmentFact, FileKind } from './types.ts';

export type DocumentFact = Pick<AttachmentFact, 'macros' | 'encrypted' | 'activeContent' | 'remoteTemplate'>;

const NOTHING: DocumentFact = {
  macros: undefined,
  encrypted: false,
  activeContent: false,
  remoteTemplate: false,
};
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const VBA_STREAMS = [utf16('_VBA_PROJECT'), utf16('VBA/'), utf16('PROJECTwm')];
const ENCRYPTED_PACKAGE = utf16('EncryptedPackage');
const WORKBOOK = utf16('Workbook');

/** Looks at the ends of a document; `archive` is the listing of an OOXML one. */
export function documentFact(
  kind: FileKind | undefined,
  file: FileEnds,
  archive: ArchiveFact | undefined,
): DocumentFact {
  switch (kind) {
    case 'ole':
      return oleFact(file);
    case 'zip':
    case 'ooxml':
    case 'odf':
      return ooxmlFact(file, archive);
    case 'pdf':
      return pdfFact(file);
    case 'rtf':
      return { ...NOTHING, activeContent: has(file, '\\objdata') || has(file, '\\objupdate') };
    case 'html':
    case 'svg':
    case 'xml':
      return { ...NOTHING, activeContent: isActiveMarkup(file.head) };
    default:
      return NOTHING;
  }
}

function has(file: FileEnds, text: string | Buffer): boolean {
  return file.head.includes(text, 0, 'latin1') || file.tail.includes(text, 0, 'latin1');
}

function oleFact(file: FileEnds): DocumentFact {
  const vba = VBA_STREAMS.some((name) => has(file, name));
  const xlm = !vba && has(file, WORKBOOK) && (hasMacroSheet(file.head) || hasMacroSheet(file.tail));
  return {
    ...NOTHING,
    macros: vba ? 'vba' : xlm ? 'xlm' : undefined,
    encrypted: has(file, ENCRYPTED_PACKAGE),
  };
}

/** A BOUNDSHEET record of BIFF8 that says "Excel 4.0 macro sheet", its length fitting its name. */
function hasMacroSheet(octets: Buffer): boolean {
  let at = octets.indexOf('\x85\0', 0, 'latin1');
  for (let tries = 0; at !== -1 && at + 12 < octets.length && tries < 2000; tries++) {
    const length = octets.readUInt16LE(at + 2);
    const chars = octets[at + 10] ?? 0;
    const wide = (octets[at + 11] ?? 0) & 1;
    if ((octets[at + 8] ?? 9) <= 2 && octets[at + 9] === 1 && chars > 0 && length === 8 + chars * (wide + 1))
      return true;
    at = octets.indexOf('\x85\0', at + 1, 'latin1');
  }
  return false;
}

function ooxmlFact(file: FileEnds, archive: ArchiveFact | undefined): DocumentFact {
  let macros: DocumentFact['macros'];
  let activeContent = false;
  for (const { name } of archive?.entries ?? []) {
    const lower = name.toLowerCase();
    if (/^(?:word|xl|ppt)\/vbaproject\.bin$/.test(lower)) macros = 'vba';
    else if (lower.startsWith('xl/macrosheets/') && macros === undefined) macros = 'xlm';
    else if (/^(?:word|xl|ppt)\/(?:embeddings\/oleobject|activex\/)/.test(lower)) activeContent = true;
    else if (/^(?:basic|scripts)\/./.test(lower)) macros ??= 'vba';
  }
  return { ...NOTHING, macros, activeContent, remoteTemplate: hasRemoteTemplate(file.head) };
}

/** word/_rels/settings.xml.rels names the template; one on another host is how a clean document loads a macro. */
function hasRemoteTemplate(head: Buffer): boolean {
  const name = 'word/_rels/settings.xml.rels';
  const at = head.indexOf(name, 0, 'latin1');
  if (at < 30 || head.readUInt32LE(at - 30) !== 0x04034b50) return false;
  const data = at + name.length + head.readUInt16LE(at - 2);
  const text =
    head.readUInt16LE(at - 22) === 8
      ? inflateStart(head.subarray(data, data + 16_384))
      : head.subarray(data, data + 16_384);
  return (
    /attachedTemplate/.test(text.toString('latin1')) &&
    /Target="(?:https?|file|ftp):/i.test(text.toString('latin1'))
  );
}

function pdfFact(file: FileEnds): DocumentFact {
  const active = ['/JavaScript', '/Launch', '/EmbeddedFile', '/RichMedia'].some((name) => has(file, name));
  return { ...NOTHING, encrypted: has(file, '/Encrypt '), activeContent: active };
}

function isActiveMarkup(head: Buffer): boolean {
  const text = head.toString('latin1').toLowerCase();
  return (
    text.includes('<script') ||
    text.includes('type="password"') ||
    text.includes('http-equiv="refresh"') ||
    text.includes('javascript:') ||
    text.includes('onload=')
  );
}
