/** :mime tests (RFC 5703 4): headers of a part, or of all parts below it. */
import { firstToken, parameter, parseContentType, parseParams } from '../message/params.ts';
import { type AddressParts, fieldText, fieldsNamed } from './fields.ts';
import { matchValues } from './match.ts';
import type { Node } from './program.ts';
import { type Run, spend, texts } from './run.ts';
import { addressesOf, pickIndex } from './run-tests.ts';
import type { SieveField, SieveMessage, SievePart } from './types.ts';

export function isMimeTest(node: Node): boolean {
  return node.tags.has('mime');
}

const loaded = new WeakSet<SieveMessage>();

/** Has the headers of all parts read. */
export async function loadParts(run: Run): Promise<void> {
  if (loaded.has(run.message)) return;
  loaded.add(run.message);
  for (const part of partsBelow(run.message.root)) await part.load?.();
}

/** A part and all below it, in order. */
export function* partsBelow(part: SievePart): Generator<SievePart> {
  yield part;
  for (const child of part.children) yield* partsBelow(child);
}

/** Headers that a test looks at: of the current part, and with :anychild of those below it (RFC 5703 4.1). */
function* sections(run: Run, node: Node): Generator<readonly SieveField[]> {
  const { root } = run.message;
  const start = run.part ?? root;
  // The top header is what editheader left of it.
  const fieldsOf = (part: SievePart): readonly SieveField[] =>
    part === root ? run.draft.fields : part.fields;
  if (node.tags.has('anychild')) for (const part of partsBelow(start)) yield fieldsOf(part);
  else yield fieldsOf(start);
}

function fields(run: Run, node: Node, names: readonly string[]): SieveField[] {
  const found: SieveField[] = [];
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  for (const section of sections(run, node)) {
    spend(run, section.length * 8);
    if (node.tags.has('index')) {
      const counted = names.flatMap((name) => fieldsNamed(section, [name]));
      found.push(...pickIndex(node, counted));
      continue;
    }
    for (const field of section) if (wanted.has(field.name.toLowerCase())) found.push(field);
  }
  return found;
}

export async function mimeExists(run: Run, node: Node, names: readonly string[]): Promise<boolean> {
  await loadParts(run);
  return names.every((name) => fields(run, node, [name]).length > 0);
}

export async function mimeAddresses(run: Run, node: Node, names: readonly string[]): Promise<AddressParts[]> {
  await loadParts(run);
  return fields(run, node, names).flatMap((field) => addressesOf(run, field));
}

export async function mimeHeader(run: Run, node: Node): Promise<boolean> {
  await loadParts(run);
  const found = fields(run, node, texts(run, node.args[0]));
  const values = found.flatMap((field) => mimeValues(run, node, field));
  // Of types those fields are counted that have one, whether or not it has what is asked for.
  const typed = ['type', 'subtype', 'contenttype'].some((option) => node.tags.has(option));
  const options = typed ? { count: found.filter((field) => firstType(field) !== '').length } : {};
  return matchValues(run, node, values, node.args[1], options);
}

/** The type of a content or of a disposition; other fields have none. */
function firstType({ name, value }: SieveField): string {
  return /^content-(?:type|disposition)$/i.test(name) ? firstToken(value) : '';
}

/**
 * RFC 5703 4.1: the type, the subtype, both, or parameters of a structured field, which are empty where it has none; the
 * field itself without an option.
 */
function mimeValues(run: Run, node: Node, field: SieveField): string[] {
  spend(run, field.value.length, 16);
  const isType = field.name.toLowerCase() === 'content-type';
  if (node.tags.has('param')) {
    const semicolon = field.value.indexOf(';');
    const params = isType
      ? parseContentType(field.value).params
      : semicolon === -1
        ? []
        : parseParams(field.value, semicolon);
    const names = texts(run, node.tags.get('param')).map((name) => name.toLowerCase());
    return names.map((name) => parameter(params, name)).filter((value) => value !== undefined);
  }
  const wantsType = node.tags.has('type') || node.tags.has('contenttype');
  if (isType) {
    const { type, subtype } = parseContentType(field.value);
    if (node.tags.has('contenttype')) return [`${type}/${subtype}`];
    if (node.tags.has('type')) return [type];
    if (node.tags.has('subtype')) return [subtype];
  } else if (wantsType) return [firstType(field)];
  else if (node.tags.has('subtype')) return [''];
  return [fieldText(field)];
}
