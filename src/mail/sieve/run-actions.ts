/** The actions of RFC 5228 4, RFC 5429, RFC 3894, RFC 5232 and RFC 5229. */
import { isNotify } from './command-checks.ts';
import { setValue } from './modifiers.ts';
import { decide } from './plan.ts';
import type { Node } from './program.ts';
import { editHeader } from './run-editheader.ts';
import { splitFlags } from './run-extension-tests.ts';
import { notify } from './run-notify.ts';
import { enclose, extractText, replace } from './run-rewrite.ts';
import { fail, note, requires, type Run, setVariable, tagText, text, texts, variable } from './run.ts';
import { vacation } from './run-vacation.ts';
import { bareAddress, checkAddress, checkMailbox, checkSpecialUse, isFlag } from './string-checks.ts';
import type { FccTarget } from './types.ts';

export type Action = (run: Run, node: Node) => void | Promise<void>;

/** Flags of a command: those of :flags, or those of the internal variable (RFC 5232 5). */
export function flagsOf(run: Run, node: Node): readonly string[] | undefined {
  const tag = node.tags.get('flags');
  if (tag !== undefined) return validFlags(splitFlags(texts(run, tag)));
  return requires(run, 'imap4flags') && run.flags.length > 0 ? run.flags : undefined;
}

/** RFC 5232 2: what is no flag is left out. */
function validFlags(flags: readonly string[]): string[] {
  return flags.filter(isFlag);
}

/** Fails when a string with variables turned out wrong. */
function must(run: Run, problem: string | undefined): void {
  if (problem !== undefined) fail(run, problem);
}

function cancelKeep(run: Run, node: Node): void {
  if (!node.tags.has('copy')) run.keepCancelled = true; // RFC 3894 3
}

function keep(run: Run, node: Node): void {
  decide(run, { kind: 'keep', implicit: false, flags: flagsOf(run, node) });
  run.keepCancelled = true;
}

function discard(run: Run): void {
  decide(run, { kind: 'discard' });
  run.keepCancelled = true;
}

function fileinto(run: Run, node: Node): void {
  const mailbox = text(run, node.args[0]);
  must(run, checkMailbox(mailbox));
  const specialUse = tagText(run, node, 'specialuse');
  if (specialUse !== undefined) must(run, checkSpecialUse(specialUse));
  const mailboxId = tagText(run, node, 'mailboxid');
  const create = node.tags.has('create');
  decide(run, { kind: 'fileinto', mailbox, mailboxId, specialUse, create, flags: flagsOf(run, node) });
  cancelKeep(run, node);
}

function isOwn(run: Run, address: string): boolean {
  const wanted = address.toLowerCase();
  return run.world.addresses.some((own) => own.toLowerCase() === wanted);
}

async function redirect(run: Run, node: Node): Promise<void> {
  const given = text(run, node.args[0]).trim();
  const list = node.tags.has('list') ? given : undefined;
  const address = list ?? bareAddress(given); // RFC 5228 2.4.2.3: a name may stand before it
  if (list === undefined) must(run, checkAddress(address));
  else if (!(await run.world.listExists(list)))
    fail(run, `there is no list ${JSON.stringify(list.slice(0, 100))}`); // RFC 6134 2.5
  if (list === undefined && isOwn(run, address)) {
    // RFC 5228 10: to oneself a message would come again and again.
    note(run, node, `redirect "${address}": this is the owner's own address, so the message is kept`);
    decide(run, { kind: 'keep', implicit: false, flags: flagsOf(run, node) });
    cancelKeep(run, node);
    return;
  }
  const notifyOn = tagText(run, node, 'notify');
  if (notifyOn !== undefined && !isNotify(notifyOn))
    fail(run, `:notify "${notifyOn.slice(0, 60)}" is not a list of conditions`);
  const ret = tagText(run, node, 'ret')?.toLowerCase();
  if (ret !== undefined && ret !== 'full' && ret !== 'hdrs')
    fail(run, `:ret "${ret.slice(0, 60)}" is neither "full" nor "hdrs"`);
  decide(run, { kind: 'redirect', address, list, notify: notifyOn?.toLowerCase(), ret });
  cancelKeep(run, node);
}

function reject(run: Run, node: Node): void {
  decide(run, { kind: 'reject', reason: text(run, node.args[0]), extended: node.name === 'ereject' });
  run.keepCancelled = true;
}

/** RFC 5232 3. */
function changeFlags(run: Run, node: Node): void {
  const name = node.args[0] === undefined ? undefined : text(run, node.args[0]);
  if (name !== undefined && !requires(run, 'variables'))
    fail(run, `${node.name} with the name of a variable needs "variables"`);
  const given = validFlags(splitFlags(texts(run, node.args[1])));
  const before = name === undefined ? run.flags : splitFlags([variable(run, name)]);
  const lower = new Set(given.map((flag) => flag.toLowerCase()));
  const after =
    node.name === 'setflag'
      ? given
      : node.name === 'addflag'
        ? splitFlags([...before, ...given])
        : before.filter((flag) => !lower.has(flag.toLowerCase()));
  if (name === undefined) run.flags = after.slice(0, run.limits.variables);
  else setVariable(run, name, after.join(' '));
}

function set(run: Run, node: Node): void {
  setVariable(run, text(run, node.args[0]), setValue(run, node, text(run, node.args[1])));
}

/** Where RFC 8580 puts a copy of what is sent. */
export function fccOf(run: Run, node: Node): FccTarget | undefined {
  const mailbox = tagText(run, node, 'fcc');
  if (mailbox === undefined) return undefined;
  must(run, checkMailbox(mailbox));
  const mailboxId = tagText(run, node, 'mailboxid');
  return {
    mailbox,
    ...(mailboxId !== undefined && { mailboxId }),
    create: node.tags.has('create'),
    flags: flagsOf(run, node) ?? [],
    specialUse: tagText(run, node, 'specialuse'),
  };
}

export const ACTIONS: Readonly<Record<string, Action>> = {
  keep,
  discard,
  fileinto,
  redirect,
  reject,
  ereject: reject,
  setflag: changeFlags,
  addflag: changeFlags,
  removeflag: changeFlags,
  set,
  addheader: editHeader,
  deleteheader: editHeader,
  vacation,
  notify,
  replace,
  enclose,
  extracttext: extractText,
};
