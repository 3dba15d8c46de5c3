import { randomBytes } from 'node:crypto';
import { randomToken } from '../../../base/ids.ts';
import { limits } from '../../../base/limits.ts';
import { foldField, formatDate, makeBoundary } from '../../../mail/message/build.ts';
import { type Blob, findBlob } from '../blobs.ts';
import type { JmapOptions } from '../context.ts';
import { invalidProperties, SetError } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { View } from '../view.ts';
import { inBase64 } from './in-base64.ts';
import { inQuotedPrintable } from './in-quoted-printable.ts';
import { headerProperty } from './headers.ts';
import { fieldsFor, type HeaderRoom, ownFields } from './write-fields.ts';
import { SHORT_PROPERTIES } from './properties.ts';

/** A message made of the properties of an Email (RFC 8621 section 4.6). */

type Node =
  | {
      readonly kind: 'multipart';
      readonly type: string;
      readonly fields: string;
      readonly children: readonly Node[];
    }
  | { readonly kind: 'text'; readonly fields: string; readonly octets: Buffer }
  | { readonly kind: 'blob'; readonly fields: string; readonly blob: Blob; readonly raw: boolean };

/** Properties of an email that say what stands in it. */
export const COMPOSED: ReadonlySet<string> = new Set([
  ...SHORT_PROPERTIES.keys(),
  'bodyStructure',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
]);

const NOTHING: ReadonlySet<string> = new Set();
const MAX_PARTS = 500;
const MAX_DEPTH = 20;
/** Characters of a Content-Location. */
const MAX_LOCATION = 2000;
const TOKEN = /^[A-Za-z0-9!#$&^_.+-]{1,100}\/[A-Za-z0-9!#$&^_.+-]{1,100}$/;

export interface ComposeParts {
  readonly store: JmapOptions['store'];
  readonly view: View;
  readonly hostname: string;
  readonly nowMs: number;
  /** Octets that a message may have. */
  readonly maxBytes: number;
  /** The id that a creation id of this request stands for (RFC 9404 section 4.1). */
  resolve(id: string): string | undefined;
}

/** The octets of a new message. @throws SetError */
export async function compose(parts: ComposeParts, email: JsonObject): Promise<AsyncIterable<Buffer>> {
  const room = { left: limits.headerBytes };
  const header = headerOf(parts, email, room);
  const reader = new BodyReader(parts, email, header.seen, room);
  const body = await reader.read();
  if (reader.missing.length > 0) throw new SetError('blobNotFound', undefined, { notFound: reader.missing });
  return (async function* () {
    yield Buffer.from(header.text);
    yield* render(body);
  })();
}

function headerOf(
  { hostname, nowMs }: ComposeParts,
  email: JsonObject,
  room: HeaderRoom,
): { readonly text: string; readonly seen: ReadonlySet<string> } {
  const fields: string[] = [];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(email)) {
    const property = SHORT_PROPERTIES.get(name) ?? headerProperty(name);
    if (property === undefined || value === undefined || value === null) continue;
    const { field } = property;
    if (field.startsWith('content-')) throw invalidProperties([name], `${name} cannot be set here.`);
    if (seen.has(field)) throw invalidProperties([name], `${field} is given twice.`);
    seen.add(field);
    for (const each of fieldsFor(name, property, value, room)) fields.push(each);
  }
  if (!seen.has('date')) fields.push(foldField('Date', formatDate(nowMs)));
  if (!seen.has('message-id')) fields.push(foldField('Message-ID', `<${randomToken(24)}@${hostname}>`));
  if (!seen.has('mime-version')) fields.push('MIME-Version: 1.0\r\n');
  for (const name of ['date', 'message-id', 'mime-version']) seen.add(name);
  return { text: fields.join(''), seen };
}

class BodyReader {
  readonly missing: string[] = [];
  readonly #parts: ComposeParts;
  readonly #email: JsonObject;
  /** Fields that the message has. */
  readonly #above: ReadonlySet<string>;
  /** For the fields of all parts together. */
  readonly #room: HeaderRoom;
  /** Texts that are given here, by partId: many parts may have the same. */
  readonly #texts = new Map<string, Buffer>();
  #count = 0;
  /** Octets of texts and blobs, as far as they are known: what many parts name counts, and stands in memory, many times. */
  #octets = 0;

  constructor(parts: ComposeParts, email: JsonObject, above: ReadonlySet<string>, room: HeaderRoom) {
    this.#above = above;
    this.#room = room;
    this.#parts = parts;
    this.#email = email;
  }

  async read(): Promise<Node> {
    const { bodyStructure, textBody, htmlBody, attachments } = this.#email;
    if (bodyStructure !== undefined && bodyStructure !== null) {
      const other = ['textBody', 'htmlBody', 'attachments'].filter((name) => this.#email[name] != null);
      if (other.length > 0) throw invalidProperties(other, 'bodyStructure says it all.');
      return this.#node(bodyStructure, 0);
    }
    const text = await this.#single(textBody, 'textBody', 'text/plain');
    const html = await this.#single(htmlBody, 'htmlBody', 'text/html');
    const files: { node: Node; inline: boolean }[] = [];
    for (const each of list(attachments, 'attachments')) {
      const inline = isObject(each) && each['disposition'] === 'inline' && typeof each['cid'] === 'string';
      files.push({ node: await this.#node(each, 1, 'attachment'), inline });
    }
    const shown = html === undefined ? [] : files.filter(({ inline }) => inline).map(({ node }) => node);
    const beside = files.filter(({ inline }) => html === undefined || !inline).map(({ node }) => node);
    const page = html !== undefined && shown.length > 0 ? multipart('related', [html, ...shown]) : html;
    const forms = [text, page].filter((each) => each !== undefined);
    const [only = textNode('', 'text/plain')] = forms;
    const body = forms.length > 1 ? multipart('alternative', forms) : only;
    return beside.length > 0 ? multipart('mixed', [body, ...beside]) : body;
  }

  async #single(value: Json | undefined, name: string, type: string): Promise<Node | undefined> {
    const given = list(value, name);
    if (given.length === 0) return undefined;
    const [part] = given;
    const own = isObject(part) ? givenType(part) : undefined;
    if (given.length > 1 || !isObject(part) || (own?.type ?? part['type'] ?? type) !== type)
      throw invalidProperties([name], `${name} must be one part of ${type}.`);
    return this.#node(own === undefined ? { ...part, type } : part, 1);
  }

  async #node(value: Json, depth: number, usual?: string, inDigest = false): Promise<Node> {
    if (++this.#count > MAX_PARTS || depth > MAX_DEPTH)
      throw new SetError('tooLarge', 'It has too many parts.');
    if (!isObject(value)) throw invalidProperties(['bodyStructure'], 'A part must be an object.');
    const { subParts, partId, blobId } = value;
    const above = depth === 0 ? this.#above : NOTHING;
    const own = givenType(value);
    const type =
      own?.type ??
      value['type'] ??
      (subParts !== undefined && subParts !== null
        ? 'multipart/mixed'
        : // RFC 2046 section 5.1.5.
          inDigest
          ? 'message/rfc822'
          : 'text/plain');
    if (typeof type !== 'string' || !TOKEN.test(type))
      throw invalidProperties(['bodyStructure'], 'A type is none.');
    if (type.toLowerCase().startsWith('multipart/')) {
      const children: Node[] = [];
      const digest = type.toLowerCase() === 'multipart/digest';
      for (const each of list(subParts, 'subParts'))
        children.push(await this.#node(each, depth + 1, undefined, digest));
      return { ...multipart(type.slice(10), children), fields: ownFields(value, above, this.#room) };
    }
    const fields = partFields(value, usual, above, this.#room);
    if (typeof partId === 'string') {
      if (typeof blobId === 'string')
        throw invalidProperties(['partId'], 'A part is either given or a blob.');
      const head = textFields(type, value, own?.parameters);
      return { ...this.#given(partId, type, value), fields: `${head}${fields}` } as Node;
    }
    if (typeof blobId !== 'string') throw invalidProperties(['blobId'], 'A part needs a partId or a blobId.');
    const blob = await findBlob(this.#parts.store, this.#parts.view, this.#parts.resolve(blobId) ?? '');
    if (blob === undefined) this.missing.push(blobId);
    else this.#take(blob.size ?? 0);
    const raw = type.toLowerCase() === 'message/rfc822' || type.toLowerCase() === 'message/global';
    const charset =
      typeof value['charset'] === 'string' && /^[A-Za-z0-9_.:-]{1,40}$/.test(value['charset'])
        ? `; charset=${value['charset']}`
        : '';
    const name = nameParameter('name', value['name']);
    // What a part of a digest is without saying so.
    const implied = inDigest && value['type'] == null && name === '' && charset === '';
    const head = implied ? '' : foldField('Content-Type', `${type}${charset}${name}`);
    const encoding = `Content-Transfer-Encoding: ${raw ? '8bit' : 'base64'}\r\n`;
    return {
      kind: 'blob',
      fields: head + encoding + fields,
      blob: blob ?? { size: 0, async *read() {} },
      raw,
    };
  }

  #given(partId: string, type: string, part: JsonObject): { kind: 'text'; octets: Buffer } {
    const values = this.#email['bodyValues'];
    const value = isObject(values) && Object.hasOwn(values, partId) ? values[partId] : undefined;
    if (!isObject(value) || typeof value['value'] !== 'string')
      throw invalidProperties(['bodyValues'], `There is no value of part ${partId.slice(0, 100)}.`);
    if (value['isEncodingProblem'] === true || value['isTruncated'] === true)
      throw invalidProperties(['bodyValues'], 'A value that is not whole cannot be sent.');
    if (!type.toLowerCase().startsWith('text/'))
      throw invalidProperties(['bodyStructure'], 'A value is text.');
    if (part['charset'] != null || part['size'] != null)
      throw invalidProperties(['charset'], 'charset and size of a value are not given.');
    const octets = this.#texts.get(partId) ?? Buffer.from(value['value'].toWellFormed());
    this.#texts.set(partId, octets);
    this.#take(octets.length);
    return { kind: 'text', octets };
  }

  #take(octets: number): void {
    this.#octets += octets;
    if (this.#octets > this.#parts.maxBytes) throw new SetError('tooLarge', 'The message is too large.');
  }
}

function list(value: Json | undefined, name: string): readonly Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidProperties([name], `${name} must be a list.`);
  return value as readonly Json[];
}

function multipart(subtype: string, children: readonly Node[]): Node & { kind: 'multipart' } {
  return { kind: 'multipart', type: `multipart/${subtype}`, fields: '', children };
}

function textNode(text: string, type: string): Node {
  return { kind: 'text', fields: textFields(type, {}), octets: Buffer.from(text) };
}

/** A whole Content-Type field: a text's type with what RFC 3676 says of its lines, and nothing else. */
const GIVEN_TYPE =
  /^[ \t]*(text\/[A-Za-z0-9!#$&^_.+-]{1,60})((?:[ \t]*;[ \t]*(?:format|delsp)="?[A-Za-z]{1,20}"?){0,2})[ \t]*$/i;

/**
 * The Content-Type field that a part brings as "header:Content-Type" in place of `type`: both would say the same twice
 * (RFC 8621 section 4.6). Only texts given here may, for format=flowed (RFC 3676); the charset stays ours.
 */
function givenType(part: JsonObject): { readonly type: string; readonly parameters: string } | undefined {
  const name = Object.keys(part).find((each) => headerProperty(each)?.field === 'content-type');
  if (name === undefined || part[name] === null || part[name] === undefined) return undefined;
  const value = part[name];
  const [, type, parameters = ''] = (typeof value === 'string' && GIVEN_TYPE.exec(value)) || [];
  if (type === undefined || part['type'] != null || typeof part['partId'] !== 'string')
    throw invalidProperties([name], `${name} cannot be set here.`);
  return { type: type.toLowerCase(), parameters: parameters.trimEnd() };
}

function textFields(type: string, part: JsonObject, parameters = ''): string {
  const name = nameParameter('name', part['name']);
  const head = foldField('Content-Type', `${type}; charset=utf-8${parameters}${name}`);
  return `${head}Content-Transfer-Encoding: quoted-printable\r\n`;
}

/** `; name="file.txt"`, in RFC 2231's form where it has more than ASCII. */
function nameParameter(parameter: string, value: Json | undefined): string {
  if (typeof value !== 'string' || value === '') return '';
  const text = value.slice(0, 300).toWellFormed();
  if (/^[\x20-\x7e]*$/.test(text)) return `; ${parameter}="${text.replace(/["\\]/g, '\\$&')}"`;
  const encoded = encodeURIComponent(text).replace(/['()*!]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `; ${parameter}*=utf-8''${encoded}`;
}

function partFields(
  part: JsonObject,
  usual: string | undefined,
  above: ReadonlySet<string>,
  room: HeaderRoom,
): string {
  const { disposition = usual, cid, location, language } = part;
  let fields = ownFields(part, above, room);
  const name = nameParameter('filename', part['name']);
  const kind = typeof disposition === 'string' ? disposition : name === '' ? undefined : 'attachment';
  if (kind !== undefined) {
    if (!/^[A-Za-z0-9-]{1,40}$/.test(kind))
      throw invalidProperties(['disposition'], 'A disposition is none.');
    fields += foldField('Content-Disposition', kind + name);
  }
  if (typeof cid === 'string') {
    if (!/^[\x21-\x3b\x3d\x3f-\x7e]{1,300}$/.test(cid)) throw invalidProperties(['cid'], 'A cid is none.');
    fields += foldField('Content-ID', `<${cid}>`);
  }
  if (typeof location === 'string' && location.length <= MAX_LOCATION)
    fields += foldField('Content-Location', encodeURI(location.toWellFormed()));
  if (Array.isArray(language))
    fields += foldField(
      'Content-Language',
      language
        .slice(0, 100)
        .map((each) => String(each).replace(/[^A-Za-z0-9-]/g, ''))
        .join(', '),
    );
  return fields;
}

/** RFC 2387 section 3.1: a multipart/related says what its root is. */
function rootType(node: Node & { readonly kind: 'multipart' }): string {
  const [root] = node.children;
  if (node.type.toLowerCase() !== 'multipart/related' || root === undefined) return '';
  const [, type] =
    root.kind === 'multipart'
      ? ['', root.type]
      : (/^Content-Type:\s{0,9}([^\s;]{1,200})/im.exec(root.fields) ?? []);
  return type === undefined ? '' : `; type="${type}"`;
}

async function* render(node: Node): AsyncGenerator<Buffer> {
  if (node.kind === 'text') {
    yield Buffer.from(`${node.fields}\r\n`);
    yield* inQuotedPrintable(node.octets);
    return;
  }
  if (node.kind === 'blob') {
    yield Buffer.from(`${node.fields}\r\n`);
    if (node.raw) yield* node.blob.read();
    else yield* inBase64(node.blob.read());
    return;
  }
  const boundary = makeBoundary(randomBytes(18));
  const type = foldField('Content-Type', `${node.type}; boundary="${boundary}"${rootType(node)}`);
  yield Buffer.from(`${node.fields}${type}\r\n`);
  for (const child of node.children) {
    yield Buffer.from(`\r\n--${boundary}\r\n`);
    yield* render(child);
  }
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}
