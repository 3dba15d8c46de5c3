/** addheader and deleteheader (RFC 5293). */
import { encodeWords } from '../message/build.ts';
import { fieldText } from './fields.ts';
import { matchOf, matchTexts } from './match.ts';
import { type Node, numberOf } from './program.ts';
import { fail, note, type Run, spend, text, texts } from './run.ts';
import { checkFieldName } from './string-checks.ts';
import type { HeaderEdit, SieveField } from './types.ts';

/** RFC 5293 6: the trace of a message and the mark against loops stay. */
const NOT_DELETED = ['received', 'auto-submitted'];
const NOT_ADDED = ['received'];
/** Changes that one script may make. */
const MAX_EDITS = 256;
/** Fields that a header may grow to. */
const MAX_FIELDS = 3000;

export function applyToFields(fields: readonly SieveField[], edit: HeaderEdit): SieveField[] {
  const name = edit.name.toLowerCase();
  if (edit.edit === 'add') {
    const field = { name: edit.name, value: encodeWords(edit.value).trim() };
    return edit.last ? [...fields, field] : [field, ...fields];
  }
  const gone = new Set(edit.indexes);
  let index = -1;
  return fields.filter((field) => {
    if (field.name.toLowerCase() !== name) return true;
    index++;
    return !gone.has(index);
  });
}

function change(run: Run, edit: HeaderEdit): void {
  const { draft } = run;
  if (draft.header.length >= MAX_EDITS)
    fail(run, `the script changes the header more than ${MAX_EDITS} times`);
  if (draft.fields.length >= MAX_FIELDS) fail(run, `the header has more than ${MAX_FIELDS} fields`);
  spend(run, draft.fields.length * 8);
  draft.header = [...draft.header, edit];
  draft.fields = applyToFields(draft.fields, edit);
  draft.shot = undefined;
}

export async function editHeader(run: Run, node: Node): Promise<void> {
  const name = text(run, node.args[0]);
  const problem = checkFieldName(name);
  if (problem !== undefined) fail(run, problem);
  const kept = node.name === 'addheader' ? NOT_ADDED : NOT_DELETED;
  if (kept.includes(name.toLowerCase())) {
    note(run, node, `${node.name} "${name}": this field may not be changed`);
    return;
  }
  if (node.name === 'addheader') {
    // RFC 5293 4: outer white space is not part of the value; line ends would begin a new field.
    const value = text(run, node.args[1])
      .replace(/[\r\n\0]+[ \t]*/g, ' ')
      .trim();
    change(run, { edit: 'add', name, value, last: node.tags.has('last') });
    return;
  }
  const indexes = await chosen(run, node, name);
  if (indexes.length > 0) change(run, { edit: 'delete', name, indexes });
}

/** Which fields of the name go (RFC 5293 5): with :index that one, if its value matches. */
async function chosen(run: Run, node: Node, name: string): Promise<number[]> {
  const wanted = name.toLowerCase();
  const fields = run.draft.fields.filter((field) => field.name.toLowerCase() === wanted);
  const index = numberOf(node.tags.get('index'));
  const only = index === undefined ? undefined : node.tags.has('last') ? fields.length - index : index - 1;
  const match = matchOf(run, node);
  const patterns = node.args[1] === undefined ? undefined : texts(run, node.args[1]);
  const indexes: number[] = [];
  for (const [at, field] of fields.entries()) {
    if (only !== undefined && at !== only) continue;
    if (patterns === undefined || (await matchTexts(run, match, [fieldText(field)], patterns, true)))
      indexes.push(at);
  }
  return indexes;
}
