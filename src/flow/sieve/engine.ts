import type { Clock } from '../../base/clock.ts';
import { scanMessage } from '../../mail/message/scanner.ts';
import { applyEdits, compile, evaluate, SIEVE_LIMITS, sieveMessage } from '../../mail/sieve/index.ts';
import type { Compile, Compiled, SieveMessage, SievePlan } from '../../mail/sieve/types.ts';
import type { Checked, RunJob, RunPort, RunResult, ScriptEngine, SeenMessage } from './engine-types.ts';

/** Compiled scripts kept, and octets of their texts together: a tree takes up to a hundred times the memory of its text. */
const SCRIPTS_MAX = 2000;
const OCTETS_MAX = 2 * 1024 * 1024;
const INCLUDED_OCTETS_MAX = 1024 * 1024;
/** Octets that are asked for at once, and how many such pieces are kept: headers of parts lie close together. */
const READ_BYTES = 64 * 1024;
const PIECES_KEPT = 4;
/** Milliseconds that a script may take for a message, with what it waits for. */
export const RUN_MS = 10_000;

/** Compiled scripts by a key that stands for their text, the least used first. */
interface Kept {
  find(key: string): Compiled | undefined;
  keep(key: string, compiled: Compiled, size: number): Compiled;
}

function createKept(octetsMax: number): Kept {
  const kept = new Map<string, { readonly compiled: Compiled; readonly size: number }>();
  let octets = 0;
  return {
    find(key) {
      const known = kept.get(key);
      if (known === undefined) return undefined;
      kept.delete(key);
      kept.set(key, known);
      return known.compiled;
    },
    keep(key, compiled, size) {
      octets += size - (kept.get(key)?.size ?? 0);
      kept.set(key, { compiled, size });
      for (const [old, entry] of kept) {
        if (kept.size <= SCRIPTS_MAX && octets <= octetsMax) break;
        kept.delete(old);
        octets -= entry.size;
      }
      return compiled;
    },
  };
}

/** Compiles what it is given and runs it: pure computing, for a thread of its own. Tests use it in place. */
export interface Interpreter {
  run(job: RunJob, port: RunPort): Promise<RunResult>;
  check(text: string): Checked;
}

export function createInterpreter(): Interpreter {
  const scripts = createKept(OCTETS_MAX);
  // Scripts that others include have no digest that would be known before they are asked for.
  const included = createKept(INCLUDED_OCTETS_MAX);
  const compileIncluded: Compile = (text, options) => {
    const key = `${options.extensions?.join(' ') ?? ''}\n${text}`;
    return included.find(key) ?? included.keep(key, compile(text, options), key.length);
  };
  const scriptFor = async (digest: string, port: RunPort): Promise<Compiled | undefined> => {
    const known = scripts.find(digest);
    if (known !== undefined) return known;
    const found = await port.text();
    if (found === undefined) return undefined;
    return scripts.keep(found.digest, compile(found.text, { limits: SIEVE_LIMITS }), found.text.length);
  };
  return {
    async run({ digest, message, envelope, facts }, port) {
      const compiled = await scriptFor(digest, port);
      if (compiled === undefined) return { kind: 'gone' };
      if (!compiled.ok) {
        const [error = { line: 0, column: 0, message: 'it cannot be read' }] = compiled.errors;
        return { kind: 'unreadable', error };
      }
      const seen = await messageOf(message, port);
      const world = { ...port, ...facts };
      const plan = await evaluate(compiled.script, seen, envelope, world, SIEVE_LIMITS, compileIncluded);
      return { kind: 'plan', plan: finished(plan) };
    },
    check: checked,
  };
}

/** What is wrong with a text. */
function checked(text: string): Checked {
  const compiled = compile(text, { limits: SIEVE_LIMITS });
  return compiled.ok
    ? { errors: [], warnings: compiled.script.warnings }
    : { errors: compiled.errors, warnings: [] };
}

function messageOf({ known, size }: SeenMessage, port: RunPort): Promise<SieveMessage> {
  if (known !== undefined) {
    const read = reader(port, size);
    return sieveMessage(known.structure, read, asBuffer(known.header));
  }
  return scanned(port, size);
}

async function scanned(port: RunPort, size: number): Promise<SieveMessage> {
  const octets = await reader(port, size)(0, size);
  const structure = scanMessage(octets);
  const header = octets.subarray(0, structure.root.bodyStart);
  return sieveMessage(structure, (start, end) => octets.subarray(start, end), header);
}

/** Reads in pieces: nobody has to hand over a whole large message at once, and small reads close together are one. */
function reader(port: RunPort, size: number): (start: number, end: number) => Promise<Buffer> {
  const kept = new Map<number, Promise<Buffer>>();
  const piece = (index: number): Promise<Buffer> => {
    const at = index * READ_BYTES;
    const found = kept.get(index) ?? port.octets(at, Math.min(size, at + READ_BYTES)).then(asBuffer);
    kept.delete(index);
    kept.set(index, found);
    for (const old of kept.keys()) {
      if (kept.size <= PIECES_KEPT) break;
      kept.delete(old);
    }
    return found;
  };
  return async (start, end) => {
    const parts: Buffer[] = [];
    for (let at = start; at < end; ) {
      const index = Math.floor(at / READ_BYTES);
      const from = index * READ_BYTES;
      const part = (await piece(index)).subarray(at - from, end - from);
      // A message that is shorter than it was said to be.
      if (part.length === 0) break;
      parts.push(part);
      at += part.length;
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  };
}

/** What crossed between threads has lost that it is a Buffer. */
export function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.isBuffer(octets) ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** With whole new messages made here, header and all: they may be large. Nobody reads the log of a delivery. */
function finished(plan: SievePlan): SievePlan {
  const made = new Map<object, SievePlan['actions'][number]['edits']>();
  const actions = plan.actions.map((action) => {
    const { edits } = action;
    if (edits?.content === undefined || edits.header.length === 0) return action;
    // Actions that do the same with the message share it.
    const whole = made.get(edits) ?? { header: [], content: applyEdits(edits.content, edits) };
    made.set(edits, whole);
    return { ...action, edits: whole };
  });
  return { ...plan, actions, log: [] };
}

/** What is wrong with a text, found by the thread where there is one. */
export async function checkText(
  engine: Pick<ScriptEngine, 'check'> | undefined,
  owner: number,
  text: string,
): Promise<Checked> {
  return engine === undefined ? checked(text) : engine.check(owner, text);
}

/** Runs scripts where it is called: for tests, and programs that do nothing else meanwhile. */
export function createPlainEngine(clock: Clock): ScriptEngine {
  const interpreter = createInterpreter();
  return {
    run: (_owner, job, port) => withinTime(clock, interpreter.run(job, port)),
    check: async (_owner, text) => interpreter.check(text),
    close: async () => undefined,
  };
}

export const TOO_LONG = `it took longer than ${RUN_MS / 1000} s`;

async function withinTime(clock: Clock, work: Promise<RunResult>): Promise<RunResult> {
  const { promise, resolve } = Promise.withResolvers<RunResult>();
  const timer = clock.setTimer(RUN_MS, () => resolve({ kind: 'failed', why: TOO_LONG }));
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer.cancel();
    // What comes of it later is nobody's any more.
    work.catch(() => undefined);
  }
}
