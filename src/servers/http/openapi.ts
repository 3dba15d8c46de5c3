import { z } from 'zod';
import { accountOperations } from './account/operations.ts';
import { ACCOUNT_PREFIX } from './account/operation.ts';
import { liveQuery } from './admin/live.ts';
import { API_PREFIX } from './admin/operation.ts';
import { operations } from './admin/operations.ts';
import { authRows } from './openapi-auth.ts';

/** The APIs of the HTTP port as one OpenAPI 3.1 document, made from the rows that the server makes its routes from. */

type Json = { [name: string]: unknown };

/** What an entry of the document is made of. */
export interface ApiRow {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the root, parameters as `:name`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  /** A word about who may. */
  readonly access: string;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
  /** Nobody has to be logged in. */
  readonly open?: boolean;
  /** Media type of an answer that is no JSON. */
  readonly produces?: string | undefined;
}

const ACCESS: Readonly<Record<string, string>> = {
  administrator: 'For administrators.',
  domain: 'For administrators; those of a domain see what belongs to their domains.',
  'store-decides': 'For administrators; those of a domain within their domains.',
};

/** All entries, in the order of their tables. */
export function apiRows(): ApiRow[] {
  const admin = Object.entries(operations).flatMap(([area, rows]) =>
    Object.values(rows).map((row): ApiRow => {
      const { method, path, summary, input, output, access } = row as unknown as ApiRow;
      return {
        method,
        path: API_PREFIX + path,
        summary,
        input,
        output,
        tag: `admin: ${area}`,
        access: ACCESS[access] ?? '',
      };
    }),
  );
  const account = Object.entries(accountOperations).flatMap(([area, rows]) =>
    Object.values(rows).map((row): ApiRow => {
      const { method, path, summary, input, output, access, produces } = row as unknown as ApiRow;
      const said = `For the account itself, with a login that is allowed "${access}".`;
      return {
        method,
        path: ACCOUNT_PREFIX + path,
        summary,
        input,
        output,
        produces,
        tag: `account: ${area}`,
        access: said,
      };
    }),
  );
  return [...admin, ...streams, ...account, ...authRows];
}

/** What is no operation of the table because it is no JSON both ways. */
const streams: readonly ApiRow[] = [
  {
    method: 'GET',
    path: `${API_PREFIX}/trace/live`,
    summary:
      'Events as they happen: server-sent events "journal" ({trace, at, kind, data}) and "dropped" ({count})',
    tag: 'admin: trace',
    access: ACCESS['domain'] ?? '',
    input: liveQuery,
    output: z.string(),
    produces: 'text/event-stream',
  },
  {
    method: 'GET',
    path: `${API_PREFIX}/operations`,
    summary: 'What the asker may call',
    tag: 'admin: api',
    access: ACCESS['domain'] ?? '',
    input: z.strictObject({}),
    output: z.object({
      operations: z.array(
        z.object({ method: z.string(), path: z.string(), summary: z.string(), access: z.string() }),
      ),
    }),
  },
  {
    method: 'GET',
    path: `${API_PREFIX}/openapi.json`,
    summary: 'This document',
    tag: 'admin: api',
    access: ACCESS['domain'] ?? '',
    input: z.strictObject({}),
    output: z.record(z.string(), z.unknown()),
  },
];

let made: Json | undefined;

/** The document, at once: it takes a fifth of a second the first time. */
export function openApiDocument(version: string): Json {
  const steps = make();
  while (made === undefined) {
    const step = steps.next();
    if (step.done === true) made = step.value;
  }
  return { ...made, info: { ...(made['info'] as Json), version } };
}

/** The same for a server, which does other things in between. */
export async function servedDocument(version: string): Promise<Json> {
  const steps = make();
  while (made === undefined) {
    const step = steps.next();
    if (step.done === true) made = step.value;
    else await new Promise((resolve) => setImmediate(resolve));
  }
  return openApiDocument(version);
}

/** Octets of a shape from which it stands once, when it is there several times. */
const SHARED_FROM = 250;

/** Shapes that are there several times stand among the components once. */
function shared(paths: Json): { paths: Json; shapes: Json } {
  const counts = new Map<string, number>();
  const count = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const text = shapeText(value);
    if (text !== undefined) {
      const before = counts.get(text) ?? 0;
      counts.set(text, before + 1);
      // What is within a shape that was seen is there no more often than the shape itself.
      if (before > 0) return;
    }
    for (const inner of Object.values(value)) count(inner);
  };
  count(paths);
  const names = new Map<string, string>();
  const shapes: Json = {};
  const replaced = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(replaced);
    const text = shapeText(value);
    if (text === undefined || (counts.get(text) ?? 0) < 2) return inside(value);
    let name = names.get(text);
    if (name === undefined) {
      name = `Shape${names.size + 1}`;
      names.set(text, name);
      shapes[name] = inside(value);
    }
    return { $ref: `#/components/schemas/${name}` };
  };
  const inside = (value: object): Json =>
    Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replaced(inner)]));
  return { paths: replaced(paths) as Json, shapes };
}

/** The text of a schema of an object that is long enough to be shared. */
function shapeText(value: object): string | undefined {
  const { type, properties } = value as Json;
  if (type !== 'object' || typeof properties !== 'object') return undefined;
  const text = JSON.stringify(value);
  return text.length >= SHARED_FROM ? text : undefined;
}

const SECURITY_SCHEMES: Json = {
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-postern',
    description: 'Of the web app. Requests other than GET carry the field X-Postern: 1.',
  },
  bearer: { type: 'http', scheme: 'bearer', description: 'An access token (RFC 6750) with the scope.' },
  basic: {
    type: 'http',
    scheme: 'basic',
    description: 'Address and password, or an app password (RFC 7617).',
  },
};

const RESPONSES: Json = {
  Error: {
    description: 'It was refused; the message says why.',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  },
};

const ERROR_SCHEMA: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['kind', 'message'],
      properties: {
        kind: { type: 'string' },
        message: { type: 'string' },
        field: { type: 'string', description: 'Where in the input it is.' },
      },
    },
  },
};

function* make(): Generator<undefined, Json> {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const row of apiRows()) {
    const path = row.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: entry(row, schemas) };
    yield undefined;
  }
  const common = shared(paths);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Postern',
      version: '',
      description:
        'Administration (/admin/v1), an account (/account/v1) and signing in (/auth). Times are milliseconds since the epoch, sizes octets. Mail itself is JMAP (RFC 8620).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ session: [] }, { bearer: [] }, { basic: [] }],
    tags: [...new Set(apiRows().map(({ tag }) => tag))].map((name) => ({ name })),
    paths: common.paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      responses: RESPONSES,
      schemas: {
        Error: ERROR_SCHEMA,
        ...common.shapes,
        ...schemas.all(),
      },
    },
  };
}

function entry(row: ApiRow, schemas: Schemas): Json {
  const inPath = new Set([...row.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name));
  const input = schemas.of(row.input, 'input');
  const properties = (input['properties'] ?? {}) as Record<string, Json>;
  const required = new Set((input['required'] as string[] | undefined) ?? []);
  const isQuery = row.method === 'GET' || row.method === 'DELETE';
  const names = Object.keys(properties);
  const parameters = [
    ...[...inPath].map((name) => parameter(name, 'path', true, properties[name] ?? { type: 'string' })),
    ...(isQuery ? names : [])
      .filter((name) => !inPath.has(name))
      .map((name) => parameter(name, 'query', required.has(name), properties[name] ?? {})),
  ];
  const kept = names.filter((name) => !inPath.has(name));
  const needed = kept.filter((name) => required.has(name));
  const body = {
    ...input,
    properties: Object.fromEntries(kept.map((name) => [name, properties[name]])),
    ...(needed.length > 0 ? { required: needed } : { required: undefined }),
  };
  const content =
    row.produces === undefined
      ? { 'application/json': { schema: schemas.of(row.output, 'output') } }
      : { [row.produces]: { schema: { type: 'string' } } };
  return {
    operationId: operationId(row),
    tags: [row.tag],
    summary: row.summary,
    ...(row.access !== '' && { description: row.access }),
    ...(row.open === true && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(!isQuery && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      '200': { description: 'Done.', content },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function parameter(name: string, place: 'path' | 'query', required: boolean, schema: Json): Json {
  const { description, ...rest } = schema;
  return {
    name,
    in: place,
    required,
    schema: rest,
    ...(typeof description === 'string' && { description }),
  };
}

/** "get_admin_accounts_address". */
function operationId({ method, path }: ApiRow): string {
  const words = path.split('/').filter((word) => word !== '' && word !== 'v1');
  return [
    method.toLowerCase(),
    ...words.map((word) => word.replaceAll(/[^A-Za-z0-9]+/g, '_').replace(/^_/, '')),
  ].join('_');
}

/** JSON Schemas of zod's, whose definitions that refer to themselves stand among the components. */
class Schemas {
  readonly #named = new Map<string, { readonly name: string; readonly schema: Json }>();

  of(type: z.ZodType, io: 'input' | 'output'): Json {
    const json = z.toJSONSchema(type, { io, unrepresentable: 'any', target: 'draft-2020-12' }) as Json;
    const { $schema: _schema, $defs: definitions = {}, ...schema } = json;
    const names = new Map<string, string>();
    for (const [name, definition] of Object.entries(definitions as Record<string, Json>)) {
      const text = JSON.stringify(definition);
      const known = this.#named.get(text) ?? { name: `Value${this.#named.size + 1}`, schema: definition };
      this.#named.set(text, known);
      names.set(`#/$defs/${name}`, `#/components/schemas/${known.name}`);
    }
    for (const definition of Object.values(definitions as Record<string, Json>)) point(definition, names);
    point(schema, names);
    return schema;
  }

  all(): Record<string, Json> {
    return Object.fromEntries([...this.#named.values()].map(({ name, schema }) => [name, schema]));
  }
}

/** Let references lead to where their definitions stand now. */
function point(value: unknown, names: ReadonlyMap<string, string>): void {
  if (typeof value !== 'object' || value === null) return;
  const object = value as Json;
  const { $ref: reference } = object;
  if (typeof reference === 'string') object['$ref'] = names.get(reference) ?? reference;
  for (const inner of Object.values(object)) point(inner, names);
}
