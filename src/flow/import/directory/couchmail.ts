import { Refusal } from '../../../base/errors.ts';
import { Gathering } from './gather.ts';
import { ENTRIES, type ForeignDirectory } from './types.ts';

/**
 * Documents of couchmail as CouchDB gives them: `_all_docs?include_docs=true`, a list of documents, or one a line.
 * A domain is a document of its name, a mailbox one of its address (or `org.couchdb.user:` before it), an alias
 * `alias-` before its address.
 */
export function readCouchmail(text: string): ForeignDirectory {
  const into = new Gathering();
  for (const doc of documents(text).slice(0, ENTRIES)) take(doc, into);
  return into.done();
}

type Doc = Readonly<Record<string, unknown>>;

function isDoc(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function documents(text: string): readonly Doc[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    try {
      value = text
        .split(/\r?\n/)
        .filter((line) => line.trim() !== '')
        .map((line): unknown => JSON.parse(line));
    } catch {
      throw new Refusal(
        'bad-input',
        'These are no documents of CouchDB: neither JSON nor a line of JSON each.',
      );
    }
  }
  const list = isDoc(value) ? (value['rows'] ?? value['docs'] ?? [value]) : value;
  if (!Array.isArray(list)) throw new Refusal('bad-input', 'These are no documents of CouchDB.');
  return list.filter(isDoc).map((row) => (isDoc(row['doc']) ? row['doc'] : row));
}

function textOf(doc: Doc, ...names: readonly string[]): string {
  for (const name of names) {
    const value = doc[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}

function take(doc: Doc, into: Gathering): void {
  const id = textOf(doc, '_id').replace(/^org\.couchdb\.user:/, '');
  if (id === '' || id.startsWith('_design/') || id.startsWith('invite-')) return;
  if (id.startsWith('alias-')) {
    into.alias(
      id.slice('alias-'.length),
      textOf(doc, 'target')
        .split(/[\s,]+/)
        .filter((one) => one !== ''),
      undefined,
    );
    return;
  }
  if (id.includes('@')) {
    into.account({
      address: id,
      hash: hashOf(doc),
      displayName: textOf(doc, 'name') === id ? undefined : textOf(doc, 'displayName'),
    });
    if (isDoc(doc['sieve']) && Object.keys(doc['sieve']).length > 0)
      into.leave(
        `filter rules of ${id}`,
        'they are scripts in Sieve',
        'keep the documents with "script" until Sieve is here',
      );
    return;
  }
  if (typeof doc['script'] === 'string') return;
  into.domain(id);
}

/** Passwords of newer documents are {SCHEME}hash; those of the first ones, and Dovecot's own default, bare SSHA512. */
function hashOf(doc: Doc): string {
  const hash = textOf(doc, 'dovecot_password', 'password');
  return hash === '' || hash.startsWith('{') || hash.startsWith('$') ? hash : `{SSHA512}${hash}`;
}
