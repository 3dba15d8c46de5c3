import { isObject, type Json, octetsOf } from './json.ts';

/** Characters that are written in one go, about half a millisecond. */
const PIECE = 128 * 1024;

/** About what a member of an object has beside its value. */
const MEMBER_OCTETS = 20;

/** Whether a value is too large to be written in one go. */
export function isLarge(value: Json): boolean {
  return octetsOf(value, PIECE) > PIECE;
}

/** JSON of a value, the same that JSON.stringify would write, in pieces with turns for others in between. */
export async function* jsonPieces(value: Json): AsyncGenerator<Buffer> {
  let held = '';
  for (const text of textsOf(value)) {
    held += text;
    if (held.length < PIECE) continue;
    yield Buffer.from(held);
    held = '';
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  yield Buffer.from(held);
}

/** All of them put together. */
export async function jsonOctets(value: Json): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of jsonPieces(value)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function* textsOf(value: Json): Generator<string> {
  if (typeof value === 'string' && value.length > PIECE) yield* textsOfString(value);
  else if (!isLarge(value)) yield JSON.stringify(value);
  else if (Array.isArray(value)) {
    yield '[';
    yield* textsOfMembers((value as readonly Json[]).entries(), (some) =>
      JSON.stringify(some.map(([, each]) => each)),
    );
    yield ']';
  } else if (isObject(value)) {
    const members = Object.entries(value).filter(([, each]) => each !== undefined);
    yield '{';
    yield* textsOfMembers(members, (some) => JSON.stringify(Object.fromEntries(some)));
    yield '}';
  }
}

/** Members of a list or an object: small ones together, for the engine is quick; a large one by itself. */
function* textsOfMembers<K extends string | number>(
  members: Iterable<[K, Json | undefined]>,
  write: (some: readonly (readonly [K, Json | undefined])[]) => string,
): Generator<string> {
  let some: [K, Json | undefined][] = [];
  let octets = 0;
  let before = '';
  for (const [key, value = null] of members) {
    const own = octetsOf(value, PIECE) + MEMBER_OCTETS;
    if (some.length > 0 && octets + own > PIECE) {
      yield before + write(some).slice(1, -1);
      before = ',';
      some = [];
      octets = 0;
    }
    if (own <= PIECE) {
      some.push([key, value]);
      octets += own;
      continue;
    }
    yield before + (typeof key === 'string' ? `${JSON.stringify(key)}:` : '');
    yield* textsOf(value);
    before = ',';
  }
  if (some.length > 0) yield before + write(some).slice(1, -1);
}

function* textsOfString(value: string): Generator<string> {
  yield '"';
  for (let at = 0; at < value.length; ) {
    let end = Math.min(at + PIECE, value.length);
    // Never between the halves of a character.
    if (end < value.length && /[\ud800-\udbff]/.test(value[end - 1] ?? '')) end++;
    yield JSON.stringify(value.slice(at, end)).slice(1, -1);
    at = end;
  }
  yield '"';
}
