import { errorText, Refusal } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import { checkArguments } from './arguments.ts';
import type { Context, Invocation, Method } from './context.ts';
import { invalidArguments, MethodError, RequestError } from './errors.ts';
import { isObject, type Json, type JsonObject, member, octetsOf, weigh } from './json.ts';
import { CAPABILITY, JMAP_LIMITS, SESSION_CAPABILITY } from './limits.ts';
import { resolvePointer } from './pointer.ts';

/** A request as RFC 8620 section 3.3 has it. */
export interface JmapRequest {
  readonly using: ReadonlySet<string>;
  readonly calls: readonly (readonly [name: string, args: JsonObject, callId: string])[];
  readonly createdIds: Readonly<Record<string, string>> | undefined;
}

type Response = readonly [name: string, args: JsonObject, callId: string];

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(CAPABILITY),
  ...Object.values(SESSION_CAPABILITY),
]);

function isCall(value: Json): value is readonly [string, JsonObject, string] {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    typeof value[0] === 'string' &&
    isObject(value[1]) &&
    typeof value[2] === 'string'
  );
}

/** @throws RequestError */
export function readRequest(body: Json): JmapRequest {
  const bad = (what: string): RequestError => new RequestError('notRequest', what);
  if (!isObject(body)) throw bad('The request is no object.');
  const using = member(body, 'using');
  if (!Array.isArray(using) || !using.every((each) => typeof each === 'string'))
    throw bad('"using" must be a list of strings.');
  const calls = member(body, 'methodCalls');
  if (!Array.isArray(calls) || !calls.every(isCall))
    throw bad('"methodCalls" must be a list of [name, arguments, call id].');
  const unknown = using.find((each) => !KNOWN.has(each));
  if (unknown !== undefined)
    throw new RequestError('unknownCapability', `There is no capability "${unknown.slice(0, 200)}" here.`);
  if (calls.length > JMAP_LIMITS.callsInRequest)
    throw new RequestError(
      'limit',
      `A request may have at most ${JMAP_LIMITS.callsInRequest} calls.`,
      'maxCallsInRequest',
    );
  const createdIds = member(body, 'createdIds') ?? undefined;
  if (
    createdIds !== undefined &&
    (!isObject(createdIds) || !Object.values(createdIds).every((each) => typeof each === 'string'))
  )
    throw bad('"createdIds" must be an object of strings.');
  return {
    using: new Set(using),
    calls,
    createdIds: createdIds as Readonly<Record<string, string>> | undefined,
  };
}

/** Do the calls of a request, one after the other. */
export async function runRequest(
  context: Context,
  methods: ReadonlyMap<string, Method>,
  request: JmapRequest,
): Promise<Response[]> {
  const responses: Response[] = [];
  const budget = { left: JMAP_LIMITS.referencedValues };
  let room: number = JMAP_LIMITS.answerBytes;
  for (const [name, args, callId] of request.calls) {
    // Others have their turn between two calls, however little of each waits for anything.
    if (responses.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    // What there is no room to answer is not begun.
    const answers =
      room > 0 ? await runCall(context, methods, request, { name, args, responses, budget }) : FULL;
    for (const [answered, answer] of answers) {
      const octets = octetsOf(answer, room);
      const leftOut = octets > room && READS.test(answered);
      const [told, said] = leftOut ? FULL[0] : [answered, answer];
      if (!leftOut) room -= octets;
      responses.push([told, said, callId]);
    }
  }
  return responses;
}

/** Methods that change nothing: what they say may be left out. */
const READS = /\/(?:get|parse|echo|query|queryChanges|changes|lookup)$/;
const FULL: readonly [Invocation] = [
  [
    'error',
    new MethodError('requestTooLarge', 'That is too much for one answer: ask for less at a time.').toJson(),
  ],
];

interface Call {
  readonly name: string;
  readonly args: JsonObject;
  readonly responses: readonly Response[];
  readonly budget: { left: number };
}

async function runCall(
  context: Context,
  methods: ReadonlyMap<string, Method>,
  request: JmapRequest,
  call: Call,
): Promise<readonly Invocation[]> {
  try {
    const found = methods.get(call.name);
    if (found === undefined || !request.using.has(found.capability)) throw new MethodError('unknownMethod');
    if (!context.login.scopes.has(found.scope))
      throw new MethodError('forbidden', `This login is not for "${found.scope}".`);
    const args = resolveReferences(call);
    checkArguments(call.name, args);
    const answer = await found.run(context, createdIds(context, call.name, args));
    return Array.isArray(answer) ? (answer as readonly Invocation[]) : [[call.name, answer as JsonObject]];
  } catch (error) {
    return [['error', errorAnswer(context, call.name, error)]];
  }
}

/** Objects that this request made may be read by their creation ids (RFC 8620 section 5.3): "#a" among the ids of a /get. */
function createdIds(context: Context, name: string, args: JsonObject): JsonObject {
  const { ids } = args;
  if (!name.endsWith('/get') || !Array.isArray(ids)) return args;
  const resolved = (ids as readonly Json[]).map((id) =>
    typeof id === 'string' && id.startsWith('#') ? (context.createdIds.get(id.slice(1)) ?? id) : id,
  );
  return { ...args, ids: resolved };
}

/** Put in what "#name" arguments refer to (RFC 8620 section 3.7). */
export function resolveReferences({ args, responses, budget }: Omit<Call, 'name'>): JsonObject {
  const names = Object.keys(args);
  if (!names.some((name) => name.startsWith('#'))) return args;
  const resolved: Record<string, Json | undefined> = {};
  for (const name of names) {
    const value = args[name];
    if (!name.startsWith('#')) {
      resolved[name] = value;
      continue;
    }
    const plain = name.slice(1);
    if (Object.hasOwn(args, plain)) throw invalidArguments(`both ${plain} and #${plain} are there`);
    const found = referred(value, responses, budget);
    const weight = weigh(found, budget.left);
    if (weight > budget.left) throw tooMuch();
    budget.left -= weight;
    resolved[plain] = found;
  }
  return resolved;
}

function tooMuch(): MethodError {
  return new MethodError('requestTooLarge', 'Too much is referred to.');
}

function referred(
  reference: Json | undefined,
  responses: readonly Response[],
  budget: { left: number },
): Json {
  const bad = new MethodError('invalidResultReference');
  if (!isObject(reference)) throw bad;
  const { resultOf, name, path } = reference;
  const found = responses.find(([, , callId]) => callId === resultOf);
  if (found === undefined || found[0] !== name || typeof path !== 'string') throw bad;
  const value = resolvePointer(found[1], path, budget);
  if (budget.left < 0) throw tooMuch();
  if (value === undefined) throw bad;
  return value;
}

/** The answer to a call that failed; what was not foreseen is logged under an id. */
function errorAnswer(context: Context, name: string, error: unknown): JsonObject {
  if (error instanceof MethodError) return error.toJson();
  if (error instanceof Refusal) {
    const away = error.kind === 'unavailable' || error.kind === 'storage-full';
    return { type: away ? 'serverUnavailable' : 'serverFail', description: error.message };
  }
  const id = timeId(context.options.clock.now());
  const stack = error instanceof Error ? error.stack : undefined;
  context.options.logger.error(
    { id, method: name.slice(0, 100), error: errorText(error), stack },
    'bug: jmap: a call failed',
  );
  return { type: 'serverFail', description: `Something went wrong inside the server (${id}).` };
}
