import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiRows, openApiDocument } from './openapi.ts';

type Json = { [name: string]: unknown };

const document = openApiDocument('1.2.3');
const paths = document['paths'] as Record<string, Record<string, Json>>;
const entries = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, entry]) => ({ path, method, entry })),
);

/** Every reference of the document. */
function references(value: unknown, found: string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return found;
  const { $ref: reference } = value as Json;
  if (typeof reference === 'string') found.push(reference);
  for (const inner of Object.values(value)) references(inner, found);
  return found;
}

function resolve(reference: string): unknown {
  assert.ok(reference.startsWith('#/'), reference);
  let value: unknown = document;
  for (const part of reference.slice(2).split('/')) value = (value as Json | undefined)?.[part];
  return value;
}

describe('the OpenAPI document', () => {
  it('is one of version 3.1 with everything that has a route', () => {
    assert.match(String(document['openapi']), /^3\.1\./);
    assert.equal((document['info'] as Json)['version'], '1.2.3');
    assert.equal(entries.length, apiRows().length, 'no two operations share method and path');
    for (const path of [
      '/admin/v1/accounts/{address}',
      '/admin/v1/filter/what-if',
      '/auth/sign-in',
      '/account/v1/senders',
    ])
      assert.ok(paths[path] !== undefined, path);
  });

  it('has references that lead somewhere, and nothing left of how it was made', () => {
    const all = references(document);
    assert.ok(all.length > 100);
    for (const reference of new Set(all)) assert.ok(resolve(reference) !== undefined, reference);
    const text = JSON.stringify(document);
    assert.ok(!text.includes('$defs') && !text.includes('$schema'));
  });

  it('describes each operation: a summary, an id of its own, its parameters, an answer, a refusal', () => {
    const ids = new Set<unknown>();
    for (const { path, method, entry } of entries) {
      const where = `${method} ${path}`;
      assert.ok(typeof entry['summary'] === 'string' && entry['summary'].length > 5, where);
      assert.ok(!ids.has(entry['operationId']), `${where}: ${String(entry['operationId'])} is there twice`);
      ids.add(entry['operationId']);
      const parameters = (entry['parameters'] ?? []) as Json[];
      const inPath = parameters.filter((one) => one['in'] === 'path');
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(inPath.map((one) => one['name']).toSorted(), wanted.toSorted(), where);
      assert.ok(
        inPath.every((one) => one['required'] === true),
        where,
      );
      const names = parameters.map((one) => `${String(one['in'])} ${String(one['name'])}`);
      assert.equal(new Set(names).size, names.length, where);
      const hasBody = entry['requestBody'] !== undefined;
      assert.equal(hasBody, method === 'post' || method === 'put', where);
      const responses = entry['responses'] as Json;
      assert.ok(responses['200'] !== undefined && responses['default'] !== undefined, where);
    }
  });

  it('says how to log in, and for what nobody has to', () => {
    const schemes = (document['components'] as Json)['securitySchemes'] as Json;
    const known = new Set(Object.keys(schemes));
    for (const wanted of document['security'] as Json[])
      for (const name of Object.keys(wanted)) assert.ok(known.has(name), name);
    const open = entries.filter(({ entry }) => Array.isArray(entry['security'])).map(({ path }) => path);
    assert.ok(open.includes('/auth/sign-in'));
    assert.ok(
      open.every((path) => path.startsWith('/auth/')),
      'nothing but signing in is open',
    );
  });
});
