/** Tests of extensions that ask the world outside the message, and those of bodies, flags and duplicates. */
import { createHash } from 'node:crypto';
import { fieldsNamed, fieldText } from './fields.ts';
import { MAX_REMEMBER_SECONDS } from './limits.ts';
import { matchOf, matchTexts, matchValues } from './match.ts';
import { type Node, numberOf } from './program.ts';
import { parseMethod } from './notify-method.ts';
import { type Run, spend, tagText, text, texts, variable } from './run.ts';
import { body } from './run-body.ts';
import type { Test } from './run-tests.ts';

async function every(
  values: readonly string[],
  holds: (value: string) => Promise<boolean>,
): Promise<boolean> {
  for (const value of values) if (!(await holds(value))) return false;
  return true;
}

/** The flags in strings: several may stand in one, separated by spaces; each once (RFC 5232 2). */
export function splitFlags(values: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const value of values) {
    for (const flag of value.split(/[ \t\r\n]+/)) {
      const key = flag.toLowerCase();
      if (flag !== '' && !seen.has(key)) seen.set(key, flag);
    }
  }
  return [...seen.values()];
}

/** RFC 5232 4: each flag of the variables, or of the internal one, is compared with each flag of the list. */
function hasflag(run: Run, node: Node): Promise<boolean> {
  const names = node.args[0] === undefined ? undefined : texts(run, node.args[0]);
  const flags = names === undefined ? run.flags : splitFlags(names.map((name) => variable(run, name)));
  const match = matchOf(run, node);
  const keys = texts(run, node.args[1]);
  if (match.type === 'count') return matchValues(run, node, flags, node.args[1]);
  const whole = match.type === 'matches' || match.type === 'regex' ? keys : splitFlags(keys);
  return matchTexts(run, match, flags, whole, false);
}

const DEFAULT_SECONDS = 7 * 86_400; // RFC 7352 3.4

/** RFC 7352 3. The key is a digest: ids are as long as senders like. */
async function duplicate(run: Run, node: Node): Promise<boolean> {
  const handle = tagText(run, node, 'handle') ?? '';
  const name = tagText(run, node, 'header') ?? 'message-id';
  const [field] = fieldsNamed(run.draft.fields, [name]);
  const uniqueId = tagText(run, node, 'uniqueid') ?? (field && fieldText(field));
  const wanted = numberOf(node.tags.get('seconds')) ?? DEFAULT_SECONDS;
  if (uniqueId === undefined || uniqueId === '' || wanted === 0) return false;
  const digest = createHash('sha256')
    .update(JSON.stringify([handle, uniqueId]))
    .digest('base64url');
  const known = run.asked.get(digest);
  if (known !== undefined) return known;
  const seen = await run.world.seen(digest);
  run.asked.set(digest, seen);
  // RFC 7352 3.3: without :last the time runs from the first message.
  if (!seen || node.tags.has('last')) run.remember.set(digest, Math.min(wanted, MAX_REMEMBER_SECONDS));
  return seen;
}

async function metadata(run: Run, node: Node): Promise<boolean> {
  const server = node.name === 'servermetadata';
  const mailbox = server ? undefined : text(run, node.args[0]);
  const value = await run.world.metadata(mailbox, text(run, node.args[server ? 0 : 1]));
  return matchValues(run, node, value === undefined ? [] : [value], node.args[server ? 1 : 2]);
}

function metadataexists(run: Run, node: Node): Promise<boolean> {
  const server = node.name === 'servermetadataexists';
  const mailbox = server ? undefined : text(run, node.args[0]);
  return every(texts(run, node.args[server ? 0 : 1]), async (name) => {
    spend(run);
    return (await run.world.metadata(mailbox, name)) !== undefined;
  });
}

function specialuseExists(run: Run, node: Node): Promise<boolean> {
  const mailbox = node.args[0] === undefined ? undefined : text(run, node.args[0]);
  return every(texts(run, node.args[1]), (use) => {
    spend(run);
    return run.world.specialUseExists(use, mailbox);
  });
}

/** RFC 5235 2.2, 2.3: 0 is "not tested"; :count tells whether it was. */
function spamtest(run: Run, node: Node): Promise<boolean> {
  const { tested, level, percent } = run.world.spam;
  const scaled = node.tags.has('percent') ? clamp(percent, 0, 100) : clamp(level, 1, 10);
  return matchValues(run, node, [String(tested ? scaled : 0)], node.args[0], { count: Number(tested) });
}

/** RFC 5235 2.4. */
function virustest(run: Run, node: Node): Promise<boolean> {
  const { tested, level } = run.world.virus;
  const value = String(tested ? clamp(level, 1, 5) : 0);
  return matchValues(run, node, [value], node.args[0], { count: Number(tested) });
}

function clamp(value: number, low: number, high: number): number {
  return Math.round(Math.min(high, Math.max(low, value)));
}

/** RFC 5435 5: whether somebody is there to read it nobody knows of mail. */
function methodCapability(run: Run, node: Node): Promise<boolean> {
  const method = parseMethod(text(run, node.args[0]));
  const online = text(run, node.args[1]).toLowerCase() === 'online';
  return matchValues(run, node, method !== undefined && online ? ['maybe'] : [], node.args[2]);
}

export const EXTENSION_TESTS: Readonly<Record<string, Test>> = {
  body,
  hasflag,
  duplicate,
  metadata,
  servermetadata: metadata,
  metadataexists,
  servermetadataexists: metadataexists,
  specialuse_exists: specialuseExists,
  spamtest,
  virustest,
  notify_method_capability: methodCapability,
  valid_notify_method: (run, node) =>
    texts(run, node.args[0]).every((method) => parseMethod(method) !== undefined),
  mailboxexists: (run, node) =>
    every(texts(run, node.args[0]), (name) => {
      spend(run);
      return run.world.mailboxExists(name);
    }),
  mailboxidexists: (run, node) =>
    every(texts(run, node.args[0]), (id) => {
      spend(run);
      return run.world.mailboxIdExists(id);
    }),
  valid_ext_list: (run, node) =>
    every(texts(run, node.args[0]), (list) => {
      spend(run);
      return run.world.listExists(list);
    }),
  ihave: (run, node) => texts(run, node.args[0]).every((name) => run.scope.program.extensions.includes(name)),
};
