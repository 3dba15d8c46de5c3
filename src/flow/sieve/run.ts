import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { RunningScript } from '../../data/sieve/types.ts';
import { applyEdits } from '../../mail/sieve/index.ts';
import type { MessageEdits, SieveEnvelope, SievePlan, SieveWorld } from '../../mail/sieve/types.ts';
import type { FlowDeps } from '../deps.ts';
import { asBuffer, createPlainEngine } from './engine.ts';
import type { RunJob, RunPort, RunResult, ScriptEngine, SeenMessage } from './engine-types.ts';
import { messageInMemory } from './message.ts';
import type { AccountRun, Changed, ChangedMessage, DoneAction, RunError } from './types.ts';
import { lineText, scriptText } from './words.ts';

interface Current {
  readonly message: Pick<RunMessage, 'seen' | 'read'>;
  readonly changed: Changed;
}

/** What a script ran on: the message as the reader will see it. */
export interface RunMessage {
  readonly seen: SeenMessage;
  /** Octets of it from `start` up to `end`. */
  read(start: number, end: number): Promise<Buffer>;
  /** Its header as the reader will see it, with the empty line that ends it. */
  readonly header: Buffer;
  body(): Promise<Buffer>;
}

/** For whom it runs, and what it may know. */
export interface RunContext {
  readonly accountId: number;
  readonly envelope: SieveEnvelope;
  readonly world: SieveWorld;
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
  how: RunContext,
): Promise<AccountRun> {
  const actions: DoneAction[] = [];
  const errors: RunError[] = [];
  const remember: SievePlan['remember'][number][] = [];
  let current: Current | undefined = { message: given, changed: undefined };
  let kept: DoneAction | undefined;
  for (const script of scripts) {
    if (current === undefined) break;
    const turn = await oneScript(deps, script, given, current, how);
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
  how: RunContext,
): Promise<Turn | undefined> {
  const failed = (line: number, message: string): Turn => ({
    actions: [keepAfterAll(script, current)],
    error: { script: scriptText(script), kind: script.kind, line, message, digest: script.digest },
    remember: [],
    next: current,
  });
  try {
    const result = await resultOf(deps, script, current, how);
    if (result.kind === 'gone') return undefined;
    if (result.kind === 'unreadable') return failed(result.error.line, result.error.message);
    if (result.kind === 'failed') return failed(0, result.why);
    return await turnOf(script, given, current, result.plan);
  } catch (error) {
    // A bug of ours must not cost anybody their mail.
    deps.logger.error({ script: script.id, error: errorText(error) }, 'a Sieve script could not be run');
    return failed(0, 'it could not be run; the log of the server says more');
  }
}

function resultOf(
  deps: FlowDeps,
  { id, digest }: RunningScript,
  { message }: Current,
  { accountId, envelope, world }: RunContext,
): Promise<RunResult> {
  const { now, zoneMinutes, addresses, environment, spam, virus, detailSeparator, ...questions } = world;
  const facts = { now, zoneMinutes, addresses, environment, spam, virus, detailSeparator };
  const port: RunPort = {
    ...questions,
    text: () => deps.store.read.run('sieve.text', { id }),
    octets: (start, end) => message.read(start, end),
  };
  const job: RunJob = { digest, message: message.seen, envelope, facts };
  return engineOf(deps).run(accountId, job, port);
}

const plain = new WeakMap<Clock, ScriptEngine>();

/** Where nobody has started a thread (tests), scripts run in place. */
function engineOf({ scripts, clock }: FlowDeps): ScriptEngine {
  if (scripts !== undefined) return scripts;
  const known = plain.get(clock) ?? createPlainEngine(clock);
  plain.set(clock, known);
  return known;
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
    const changed = changedBy.get(edits) ?? changedMessage(given, current.changed, withBuffer(edits));
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

function withBuffer({ header, content }: MessageEdits): MessageEdits {
  return { header, content: content && asBuffer(content) };
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
  return { message: messageInMemory(await changed.octets()), changed };
}

function keepAfterAll(script: RunningScript, { changed }: Current): DoneAction {
  return {
    action: { kind: 'keep', implicit: true, flags: undefined, script: '', line: 0, edits: undefined },
    by: scriptText(script),
    changed,
  };
}
