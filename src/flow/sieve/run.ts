import { errorText } from '../../base/errors.ts';
import type { RunningScript } from '../../data/sieve/types.ts';
import { applyEdits, evaluate, SIEVE_LIMITS } from '../../mail/sieve/index.ts';
import type {
  MessageEdits,
  SieveEnvelope,
  SieveMessage,
  SievePlan,
  SieveWorld,
} from '../../mail/sieve/types.ts';
import type { FlowDeps } from '../deps.ts';
import { compiledScript } from './compiled.ts';
import { messageInMemory } from './message.ts';
import type { AccountRun, Changed, ChangedMessage, DoneAction, RunError } from './types.ts';
import { lineText, scriptText } from './words.ts';

/** Milliseconds that all scripts of one account may take for a message; what is decided by then stands. */
const WALL_MS = 10_000;

interface Current {
  readonly message: SieveMessage;
  readonly changed: Changed;
}

/** What a script ran on: the message as the reader will see it. */
export interface RunMessage {
  readonly message: SieveMessage;
  /** Its header as the reader will see it, with the empty line that ends it. */
  readonly header: Buffer;
  body(): Promise<Buffer>;
}

interface Turn {
  readonly actions: readonly DoneAction[];
  readonly error: RunError | undefined;
  readonly remember: SievePlan['remember'];
  /** The message goes on to the next script. */
  readonly next: Current | undefined;
}

/**
 * Run the scripts of an account one after another: each runs on the `keep` that the one before left. A script that fails
 * keeps the message, and the next runs all the same.
 */
export async function runScripts(
  deps: FlowDeps,
  scripts: readonly RunningScript[],
  given: RunMessage,
  envelope: SieveEnvelope,
  world: SieveWorld,
): Promise<AccountRun> {
  const actions: DoneAction[] = [];
  const errors: RunError[] = [];
  const remember: SievePlan['remember'][number][] = [];
  let current: Current | undefined = { message: given.message, changed: undefined };
  let kept: DoneAction | undefined;
  const end = deps.clock.monotonic() + WALL_MS;
  for (const script of scripts) {
    if (current === undefined) break;
    const turn = await oneScript(deps, script, given, current, { envelope, world, end });
    if (turn === undefined) continue;
    actions.push(...turn.actions.filter(({ action }) => action.kind !== 'keep'));
    remember.push(...turn.remember);
    if (turn.error !== undefined) errors.push(turn.error);
    const keep = turn.actions.find(({ action }) => action.kind === 'keep');
    kept = keep === undefined ? undefined : mergedKeep(kept, keep);
    current = turn.next;
  }
  return { actions: kept === undefined ? actions : [...actions, kept], errors, remember };
}

/** Flags that an earlier script gave stay; the last one to say something is named. */
function mergedKeep(before: DoneAction | undefined, keep: DoneAction): DoneAction {
  if (before?.action.kind !== 'keep' || keep.action.kind !== 'keep') return keep;
  const says = !keep.action.implicit || keep.action.flags !== undefined;
  const flags = [...(before.action.flags ?? []), ...(keep.action.flags ?? [])];
  const named = says ? keep : before;
  if (named.action.kind !== 'keep') return keep;
  const all = flags.length === 0 ? undefined : flags;
  return { by: named.by, changed: keep.changed, action: { ...named.action, flags: all } };
}

async function oneScript(
  deps: FlowDeps,
  script: RunningScript,
  given: RunMessage,
  current: Current,
  how: { readonly envelope: SieveEnvelope; readonly world: SieveWorld; readonly end: number },
): Promise<Turn | undefined> {
  const failed = (line: number, message: string): Turn => ({
    actions: [keepAfterAll(script, current)],
    error: { script: scriptText(script), kind: script.kind, line, message, digest: script.digest },
    remember: [],
    next: current,
  });
  const compiled = await compiledScript(deps, script);
  if (compiled === undefined) return undefined;
  if (!compiled.ok) {
    const [first] = compiled.errors;
    return failed(first?.line ?? 0, first?.message ?? 'it cannot be read');
  }
  const left = how.end - deps.clock.monotonic();
  try {
    const work = evaluate(compiled.script, current.message, how.envelope, how.world, SIEVE_LIMITS);
    const plan = left > 0 ? await withinTime(deps, work, left) : undefined;
    if (plan === undefined) return failed(0, `it took longer than ${WALL_MS / 1000} s`);
    return await turnOf(script, given, current, plan);
  } catch (error) {
    // A bug of ours must not cost anybody their mail.
    deps.logger.error({ script: script.id, error: errorText(error) }, 'a Sieve script could not be run');
    return failed(0, 'it could not be run; the log of the server says more');
  }
}

async function turnOf(
  script: RunningScript,
  given: RunMessage,
  current: Current,
  plan: SievePlan,
): Promise<Turn> {
  const changedBy = new Map<MessageEdits, Changed>();
  const changedFor = (edits: MessageEdits | undefined): Changed => {
    if (edits === undefined) return current.changed;
    const changed = changedBy.get(edits) ?? changedMessage(given, current.changed, edits);
    changedBy.set(edits, changed);
    return changed;
  };
  const actions = plan.actions.map(
    (action): DoneAction => ({
      action,
      by: lineText(action.line, scriptText(script, action.script)),
      changed: changedFor(action.edits),
    }),
  );
  const { error } = plan;
  const keep = actions.find(({ action }) => action.kind === 'keep');
  return {
    actions,
    remember: plan.remember,
    error: error && {
      script: scriptText(script, error.script),
      kind: script.kind,
      line: error.line,
      message: error.message,
      digest: script.digest,
    },
    next: keep && (await nextAfter(current, keep)),
  };
}

/** Fields that say how the body is to be read: with another one its parts are others. */
const MIME_FIELD = /^(?:content-|mime-version$)/i;

/** Made when somebody wants it, and once. A header alone is changed without touching the body, however large that is. */
function changedMessage(given: RunMessage, before: Changed, edits: MessageEdits): ChangedMessage {
  const keepsBody = edits.content === undefined && !edits.header.some(({ name }) => MIME_FIELD.test(name));
  const onlyHeader = keepsBody && (before === undefined || before.header !== undefined);
  if (onlyHeader) {
    const header = once(async () => applyEdits((await before?.header?.()) ?? given.header, edits));
    return { header, octets: once(async () => Buffer.concat([await header(), await given.body()])) };
  }
  const octets = once(async () => {
    const from =
      before === undefined ? Buffer.concat([given.header, await given.body()]) : await before.octets();
    return applyEdits(from, edits);
  });
  return { header: undefined, octets };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** What the next script sees: the message as the `keep` would store it. */
async function nextAfter(current: Current, { changed }: DoneAction): Promise<Current> {
  if (changed === undefined || changed === current.changed) return current;
  return { message: await messageInMemory(await changed.octets()), changed };
}

function keepAfterAll(script: RunningScript, { changed }: Current): DoneAction {
  return {
    action: { kind: 'keep', implicit: true, flags: undefined, script: '', line: 0, edits: undefined },
    by: scriptText(script),
    changed,
  };
}

async function withinTime<T>({ clock }: FlowDeps, work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<FlowDeps['clock']['setTimer']> | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = clock.setTimer(ms, () => resolve(undefined));
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    timer?.cancel();
    // What comes of it later is nobody's any more.
    work.catch(() => undefined);
  }
}
