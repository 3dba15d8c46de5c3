import { invalidArguments } from './errors.ts';
import type { JsonObject } from './json.ts';

/**
 * The arguments that there are. RFC 8620 section 3.9: what is not known is answered invalidArguments, so that nobody takes
 * for done what was passed over.
 */
const STANDARD: Readonly<Record<string, readonly string[]>> = {
  get: ['accountId', 'ids', 'properties'],
  changes: ['accountId', 'sinceState', 'maxChanges'],
  set: ['accountId', 'ifInState', 'create', 'update', 'destroy'],
  query: ['accountId', 'filter', 'sort', 'position', 'anchor', 'anchorOffset', 'limit', 'calculateTotal'],
  queryChanges: ['accountId', 'filter', 'sort', 'sinceQueryState', 'maxChanges', 'upToId', 'calculateTotal'],
};

const BODIES = [
  'bodyProperties',
  'fetchTextBodyValues',
  'fetchHTMLBodyValues',
  'fetchAllBodyValues',
  'maxBodyValueBytes',
];
const TREE = ['sortAsTree', 'filterAsTree'];

/** Beside those of its kind. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  'Mailbox/query': TREE,
  'Mailbox/queryChanges': TREE,
  'Mailbox/set': ['onDestroyRemoveEmails'],
  'Email/get': BODIES,
  'Email/query': ['collapseThreads'],
  'Email/queryChanges': ['collapseThreads'],
  'EmailSubmission/set': ['onSuccessUpdateEmail', 'onSuccessDestroyEmail'],
  'SieveScript/set': ['onSuccessActivateScript', 'onSuccessDeactivateScript'],
  'Blob/get': ['offset', 'length'],
};

/** All of them, where a method is of no kind. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  'Email/copy': [
    'fromAccountId',
    'ifFromInState',
    'accountId',
    'ifInState',
    'create',
    'onSuccessDestroyOriginal',
    'destroyFromIfInState',
  ],
  'Email/import': ['accountId', 'ifInState', 'emails'],
  'Email/parse': ['accountId', 'blobIds', 'properties', ...BODIES],
  'SearchSnippet/get': ['accountId', 'filter', 'emailIds'],
  'Blob/upload': ['accountId', 'create'],
  'Blob/lookup': ['accountId', 'typeNames', 'ids'],
  'Blob/copy': ['fromAccountId', 'accountId', 'blobIds'],
  'SieveScript/validate': ['accountId', 'blobId'],
  // They have no account (section 7.2.1); one that is named all the same does no harm.
  'PushSubscription/get': ['accountId', 'ids', 'properties'],
  'PushSubscription/set': ['accountId', 'create', 'update', 'destroy'],
};

function knownArguments(method: string): readonly string[] | undefined {
  const standard = STANDARD[method.slice(method.indexOf('/') + 1)];
  return OWN[method] ?? (standard && [...standard, ...(MORE[method] ?? [])]);
}

/** @throws MethodError 'invalidArguments' for an argument that the method has not */
export function checkArguments(method: string, args: JsonObject): void {
  const known = knownArguments(method);
  if (known === undefined) return;
  const unknown = Object.keys(args).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalidArguments(`there is no argument "${unknown.slice(0, 100)}"`);
}
