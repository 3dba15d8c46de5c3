/** What actions add up to: duplicates folded, incompatible ones refused, limits obeyed. */
import { type Draft, fail, type Pending, type Run, ScriptFailure, snapshot } from './run.ts';
import type { MessageEdits, SieveAction, SieveActionBody, SievePlan } from './types.ts';

type Kind = SieveAction['kind'];

/** RFC 5429 2.5 and RFC 5230 4.7: what a refusal cannot stand beside. */
const AGAINST_REJECT: readonly Kind[] = ['keep', 'fileinto', 'redirect', 'vacation', 'reject'];

function refuseConflicts(run: Run, kind: Kind): void {
  for (const { action } of run.pending) {
    const clash =
      (kind === 'reject' && AGAINST_REJECT.includes(action.kind)) ||
      (action.kind === 'reject' && AGAINST_REJECT.includes(kind));
    if (clash) {
      const where =
        action.script === '' ? `line ${action.line}` : `line ${action.line} of "${action.script}"`;
      fail(run, `"${kind}" cannot be done together with "${action.kind}" of ${where}`);
    }
  }
}

/** Names of one mailbox that are the same: INBOX has no case (RFC 9051 5.1). */
function mailboxKey(action: SieveActionBody): string | undefined {
  if (action.kind === 'keep') return 'name INBOX';
  if (action.kind !== 'fileinto') return undefined;
  if (action.mailboxId !== undefined) return `id ${action.mailboxId}`;
  if (action.specialUse !== undefined) return `use ${action.specialUse.toLowerCase()} ${action.mailbox}`;
  return `name ${action.mailbox.toUpperCase() === 'INBOX' ? 'INBOX' : action.mailbox}`;
}

function union(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const known = new Set(a.map((flag) => flag.toLowerCase()));
  return [...a, ...b.filter((flag) => !known.has(flag.toLowerCase()))];
}

/** Folds an action into one before it that does the same with the same message; true when that was done. */
function folded(run: Run, body: SieveActionBody, draft: Draft | undefined): boolean {
  const key = mailboxKey(body);
  for (const [index, { action, draft: other }] of run.pending.entries()) {
    if (other !== draft) continue;
    if (key !== undefined && mailboxKey(action) === key) {
      const flags = union(
        'flags' in action ? action.flags : undefined,
        'flags' in body ? body.flags : undefined,
      );
      const create = body.kind === 'fileinto' && body.create;
      const merged =
        action.kind === 'fileinto' ? { ...action, flags, create: action.create || create } : action;
      run.pending[index] = { action: merged.kind === 'keep' ? { ...merged, flags } : merged, draft };
      return true;
    }
    if (body.kind === 'redirect' && action.kind === 'redirect' && sameAddress(action, body)) return true;
    if (body.kind === 'discard' && action.kind === 'discard') return true;
  }
  return false;
}

function sameAddress(
  a: SieveActionBody & { kind: 'redirect' },
  b: SieveActionBody & { kind: 'redirect' },
): boolean {
  return a.address.toLowerCase() === b.address.toLowerCase() && a.list === b.list;
}

/** Adds an action that stands at `run.at`. */
export function decide(run: Run, body: SieveActionBody): void {
  refuseConflicts(run, body.kind);
  const { beforeEnclose } = run;
  const draft = body.kind === 'redirect' && beforeEnclose !== undefined ? beforeEnclose.draft : snapshot(run);
  if (folded(run, body, draft)) return;
  if (run.pending.length >= run.limits.actions)
    fail(run, `the script does more than ${run.limits.actions} actions`);
  const redirects = run.pending.filter(({ action }) => action.kind === 'redirect').length;
  if (body.kind === 'redirect' && redirects >= run.limits.redirects)
    fail(run, `the script redirects the message more than ${run.limits.redirects} times`);
  const action: SieveAction = { ...body, script: run.scope.script, line: run.at.line, edits: undefined };
  run.pending.push({ action, draft });
}

const DISPOSES: readonly Kind[] = ['keep', 'fileinto', 'redirect', 'reject'];

function implicitKeep(flags: readonly string[]): SieveAction {
  return {
    kind: 'keep',
    implicit: true,
    flags: flags.length > 0 ? flags : undefined,
    script: '',
    line: 0,
    edits: undefined,
  };
}

/** The plan of a run that came to its end. `rewrite` makes the edits of a draft. */
export async function planOf(run: Run, rewrite: (draft: Draft) => Promise<MessageEdits>): Promise<SievePlan> {
  const edits = new Map<Draft, MessageEdits>();
  const keep = implicitKeep(run.flags);
  // What was filed into INBOX with :copy is there already.
  const keeps = !run.keepCancelled && !folded(run, keep, snapshot(run));
  // A discard says nothing once something else is done with the message (RFC 5228 4.4).
  const disposed = run.pending.some(({ action }) => DISPOSES.includes(action.kind));
  const pending: Pending[] = run.pending.filter(
    ({ action }) => action.kind !== 'discard' || !(disposed || !run.keepCancelled),
  );
  if (keeps) pending.push({ action: keep, draft: snapshot(run) });
  const actions: SieveAction[] = [];
  for (const { action, draft } of pending) {
    if (draft === undefined) {
      actions.push(action);
      continue;
    }
    const made = edits.get(draft) ?? (await rewrite(draft));
    edits.set(draft, made);
    actions.push({ ...action, edits: made });
  }
  return {
    actions,
    remember: [...run.remember].map(([key, seconds]) => ({ key, seconds })),
    error: undefined,
    log: run.log,
  };
}

/** RFC 5228 2.10.6: after an error the message is kept, and nothing else is done. */
export function failedPlan(run: Run, failure: ScriptFailure): SievePlan {
  const error = { ...failure.at, message: failure.message, script: failure.script };
  return {
    actions: [implicitKeep([])],
    remember: [],
    error: { line: error.line, column: error.column, message: error.message, script: error.script },
    log: run.log,
  };
}
