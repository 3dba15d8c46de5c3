/** The interpreter: walks through a checked script and gives its plan. */
import { compile } from './compile.ts';
import {
  breathe,
  fail,
  note,
  type Run,
  type Scope,
  ScriptFailure,
  spend,
  tagText,
  text,
  texts,
} from './run.ts';
import { describe } from './describe.ts';
import { failedPlan, planOf } from './plan.ts';
import type { Node, Program } from './program.ts';
import { ACTIONS } from './run-actions.ts';
import { partsBelow } from './run-mime.ts';
import { rewriteWith } from './run-rewrite.ts';
import { testNamed } from './all-tests.ts';
import type { Evaluate } from './types.ts';

/** How a list of commands came to its end. */
type Flow =
  | { readonly kind: 'on' | 'stop' | 'return' }
  | { readonly kind: 'break'; readonly name: string | undefined };
const ON: Flow = { kind: 'on' };

async function test(run: Run, node: Node): Promise<boolean> {
  run.at = node;
  spend(run);
  if (node.invalid !== undefined) fail(run, node.invalid);
  await breathe(run);
  if (node.name === 'not') return !(await firstTest(run, node));
  if (node.name === 'anyof' || node.name === 'allof') {
    const wanted = node.name === 'anyof';
    for (const one of node.tests) if ((await test(run, one)) === wanted) return wanted;
    return !wanted;
  }
  const result = await testNamed(run, node.name)(run, node);
  note(run, node, `${describe(node)}: ${result}`);
  return result;
}

async function firstTest(run: Run, node: Node): Promise<boolean> {
  const [first] = node.tests;
  return first !== undefined && (await test(run, first));
}

async function commands(run: Run, nodes: readonly Node[]): Promise<Flow> {
  /** Whether a branch of the current if has been taken. */
  let taken = false;
  for (const node of nodes) {
    run.at = node;
    spend(run);
    if (node.invalid !== undefined) fail(run, node.invalid);
    await breathe(run);
    let flow = ON;
    if (node.name === 'if' || node.name === 'elsif' || node.name === 'else') {
      if (node.name === 'if') taken = false;
      if (taken) continue;
      taken = node.name === 'else' || (await firstTest(run, node));
      if (taken) flow = await commands(run, node.block);
    } else flow = await command(run, node);
    if (flow.kind !== 'on') return flow;
  }
  return ON;
}

async function command(run: Run, node: Node): Promise<Flow> {
  switch (node.name) {
    case 'stop':
      note(run, node, 'stop');
      return { kind: 'stop' };
    case 'return':
      return { kind: 'return' };
    case 'break':
      return { kind: 'break', name: tagText(run, node, 'name') };
    case 'foreverypart':
      return foreverypart(run, node);
    case 'include':
      return include(run, node);
    case 'global':
      share(run, node);
      return ON;
    case 'error':
      return fail(run, text(run, node.args[0]));
    default:
      return action(run, node);
  }
}

async function action(run: Run, node: Node): Promise<Flow> {
  const act = Object.hasOwn(ACTIONS, node.name) ? ACTIONS[node.name] : undefined;
  if (act === undefined) return fail(run, `there is no command "${node.name}"`);
  note(run, node, describe(node));
  await act(run, node);
  return ON;
}

/** RFC 5703 3: over the part that a loop around this one stands at, and all below it. */
async function foreverypart(run: Run, node: Node): Promise<Flow> {
  const outer = run.part;
  const name = tagText(run, node, 'name');
  try {
    for (const part of partsBelow(outer ?? run.message.root)) {
      run.at = node;
      spend(run);
      run.part = part;
      const flow = await commands(run, node.block);
      if (flow.kind === 'break' && (flow.name === undefined || flow.name === name)) return ON;
      if (flow.kind !== 'on') return flow;
    }
    return ON;
  } finally {
    run.part = outer;
  }
}

/** RFC 6609 3.4.1. */
function share(run: Run, node: Node): void {
  for (const name of texts(run, node.args[0])) {
    run.scope.variables.delete(name.toLowerCase());
    run.scope.globals.add(name.toLowerCase());
  }
}

/** RFC 6609 3.2. */
async function include(run: Run, node: Node): Promise<Flow> {
  const name = text(run, node.args[0]);
  const location = node.tags.has('global') ? 'global' : 'personal';
  const key = `${location} ${name}`;
  if (node.tags.has('once') && run.included.has(key)) return ON;
  if (run.includes >= run.limits.includes) fail(run, `more than ${run.limits.includes} scripts are included`);
  if (run.scope.within.includes(key))
    fail(run, `the script ${JSON.stringify(name.slice(0, 100))} includes itself`); // RFC 6609 3.1
  if (run.scope.within.length >= run.limits.includeDepth)
    fail(run, `scripts are included more than ${run.limits.includeDepth} deep`);
  run.includes++;
  const program = run.included.get(key) ?? (await load(run, node, name, location));
  if (program === undefined) return ON;
  run.included.set(key, program);
  note(run, node, describe(node));
  return includeScope(run, name, program, key);
}

/** Reads a script to include; undefined when it is missing and may be. */
async function load(
  run: Run,
  node: Node,
  name: string,
  location: 'personal' | 'global',
): Promise<Program | undefined> {
  const source = await run.world.include(name, location);
  if (source === undefined) {
    note(run, node, `include "${name}": there is no such script`);
    if (node.tags.has('optional')) return undefined;
    return fail(run, `there is no ${location} script "${name}" to include`);
  }
  spend(run, source.length, 4);
  const compiled = run.compile(source, { limits: run.limits, extensions: run.scope.program.extensions });
  if (compiled.ok) return programOf(compiled.script);
  const [first] = compiled.errors;
  throw new ScriptFailure(first ?? run.at, name, first?.message ?? 'it cannot be read');
}

async function includeScope(run: Run, name: string, program: Program, key: string): Promise<Flow> {
  const outer = run.scope;
  run.scope = newScope(name, program, [...outer.within, key]);
  // An included script stands for itself: it does not see the loop that it is included in.
  const { part } = run;
  run.part = undefined;
  const flow = await commands(run, program.nodes);
  run.part = part;
  run.scope = outer;
  return flow.kind === 'stop' ? flow : ON;
}

function newScope(script: string, program: Program, within: readonly string[]): Scope {
  return { script, program, variables: new Map(), globals: new Set(), matched: [], within };
}

function programOf(script: { readonly body: unknown }): Program {
  return script.body as Program;
}

/**
 * Run a checked script on a message. Never rejects for what a script or a message does: an error of the script is in
 * the plan, which then keeps the message and does nothing else. What a function of `world` throws is passed on.
 */
export const evaluate: Evaluate = async (script, message, envelope, world, limits, compiler = compile) => {
  const run: Run = {
    message,
    envelope,
    world,
    limits,
    compile: compiler,
    scope: newScope('', programOf(script), []),
    sharedVariables: new Map(),
    draft: { fields: message.root.fields, header: [], splices: [], content: undefined, shot: undefined },
    pending: [],
    beforeEnclose: undefined,
    keepCancelled: false,
    flags: [],
    part: undefined,
    remember: new Map(),
    asked: new Map(),
    included: new Map(),
    folded: [],
    patterns: new Map(),
    includes: 0,
    log: [],
    steps: 0,
    breathedAt: 0,
    at: { line: 1, column: 1 },
  };
  try {
    await commands(run, run.scope.program.nodes);
    return await planOf(run, rewriteWith(run, message));
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    return failedPlan(run, error);
  }
};
