/** The tests of RFC 5228 5 and of extensions that look at the envelope, strings and mailboxes. */
import {
  addressPart,
  type AddressPart,
  type AddressParts,
  fieldAddresses,
  fieldText,
  fieldsNamed,
  holdsAddresses,
  splitAddress,
} from './fields.ts';
import { matchValues } from './match.ts';
import { type Node, numberOf, stringsOf } from './program.ts';
import { expand, spend, type Run, text, texts } from './run.ts';
import type { SieveField } from './types.ts';
import { isMimeTest, mimeAddresses, mimeExists, mimeHeader } from './run-mime.ts';

export type Test = (run: Run, node: Node) => boolean | Promise<boolean>;

const PARTS: readonly AddressPart[] = ['localpart', 'domain', 'user', 'detail'];

export function partOf(node: Node): AddressPart {
  return PARTS.find((part) => node.tags.has(part)) ?? 'all';
}

/** All of a list, or the one that :index picks. */
export function pickIndex<T>(node: Node, items: readonly T[]): T[] {
  const index = numberOf(node.tags.get('index'));
  if (index === undefined) return [...items];
  const picked = node.tags.has('last') ? items[items.length - index] : items[index - 1];
  return picked === undefined ? [] : [picked];
}

/** RFC 5260 6: with :index all fields of the first name are counted, then those of the next. */
export function indexedFields(run: Run, node: Node, names: readonly string[]): SieveField[] {
  spend(run, run.draft.fields.length * 8);
  if (!node.tags.has('index')) return fieldsNamed(run.draft.fields, names);
  return pickIndex(
    node,
    names.flatMap((name) => fieldsNamed(run.draft.fields, [name])),
  );
}

function header(run: Run, node: Node): Promise<boolean> {
  if (isMimeTest(node)) return mimeHeader(run, node);
  const fields = indexedFields(run, node, texts(run, node.args[0]));
  return matchValues(run, node, fields.map(fieldText), node.args[1]);
}

/** Reading addresses takes some ten times as long as looking for a text. */
export function addressesOf(run: Run, field: SieveField): AddressParts[] {
  spend(run, field.value.length, 16);
  return fieldAddresses(field);
}

async function address(run: Run, node: Node): Promise<boolean> {
  const names = texts(run, node.args[0]).filter(holdsAddresses);
  const all = isMimeTest(node)
    ? await mimeAddresses(run, node, names)
    : indexedFields(run, node, names).flatMap((field) => addressesOf(run, field));
  const part = partOf(node);
  const values = all
    .filter((one) => part === 'all' || (one.local !== '' && one.domain !== undefined)) // RFC 5228 2.7.4
    .map((one) => addressPart(one, part, run.world.detailSeparator))
    .filter((value) => value !== undefined);
  return matchValues(run, node, values, node.args[1]);
}

function exists(run: Run, node: Node): boolean | Promise<boolean> {
  const names = texts(run, node.args[0]);
  if (isMimeTest(node)) return mimeExists(run, node, names);
  return names.every((name) => {
    spend(run, run.draft.fields.length * 8);
    return fieldsNamed(run.draft.fields, [name]).length > 0;
  });
}

function size(run: Run, node: Node): boolean {
  const limit = numberOf(node.args[0]) ?? 0;
  return node.tags.has('over') ? run.message.size > limit : run.message.size < limit;
}

/** RFC 5228 5.4; RFC 6009 for parameters. The null reverse-path is "" in every part. */
function envelope(run: Run, node: Node): Promise<boolean> {
  const values: string[] = [];
  const part = partOf(node);
  for (const str of stringsOf(node.args[0])) {
    const name = expand(run, str).toLowerCase();
    if (name === 'from' || name === 'to') {
      const path = name === 'from' ? run.envelope.from : run.envelope.to;
      const value = path === '' ? '' : addressPart(splitAddress(path), part, run.world.detailSeparator);
      if (value !== undefined) values.push(value);
    } else if (name === 'auth') {
      if (run.envelope.auth !== undefined) values.push(run.envelope.auth);
    } else {
      const params = run.envelope.params ?? {};
      const value = Object.hasOwn(params, name) ? params[name] : undefined;
      if (value !== undefined) values.push(...envelopeValues(name, value, part, run));
    }
  }
  return matchValues(run, node, values, node.args[1]);
}

/** RFC 6009 2: NOTIFY is a list, ORCPT an address. */
function envelopeValues(name: string, value: string, part: AddressPart, run: Run): string[] {
  if (name === 'notify') return value.split(',').map((one) => one.trim());
  if (name !== 'orcpt' || part === 'all') return [value];
  const plain = value.replace(/^[a-z0-9-]+;/i, '');
  const found = addressPart(splitAddress(plain), part, run.world.detailSeparator);
  return found === undefined ? [] : [found];
}

/** RFC 5229 5: :count counts strings that are not empty. */
function string(run: Run, node: Node): Promise<boolean> {
  const values = texts(run, node.args[0]);
  return matchValues(run, node, values, node.args[1], { count: values.filter((one) => one !== '').length });
}

async function environment(run: Run, node: Node): Promise<boolean> {
  const name = text(run, node.args[0]).toLowerCase();
  const known = Object.hasOwn(run.world.environment, name) ? run.world.environment[name] : undefined;
  // RFC 5183 4: an unknown item fails whatever is asked; one that is known but empty is a string.
  if (known === undefined) return false;
  return matchValues(run, node, [known], node.args[1]);
}

export const BASE_TESTS: Readonly<Record<string, Test>> = {
  true: () => true,
  false: () => false,
  exists,
  size,
  header,
  address,
  envelope,
  string,
  environment,
};
