import { type JournalEvent, terms } from '../../data/journal/types.ts';
import { memoryKey } from '../../data/sieve/memory.ts';
import type { Memory } from '../../data/sieve/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import { destinationOf, type PlannedDeposit } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { noticeMail } from '../notice-mail.ts';
import type { RunError, ScriptInput } from './types.ts';
import type { AccountFacts } from './world.ts';

/** Seconds after which an owner is told again. */
const TELL_AGAIN = 86_400;

/** What the journal says of a script that failed. */
export function failedEvent(
  deps: FlowDeps,
  { trace }: ScriptInput,
  { address }: PlannedDeposit,
  { script, line, message }: RunError,
): JournalEvent {
  return {
    trace,
    at: deps.clock.now(),
    kind: 'script.failed',
    data: { account: address, script, line, reason: message.slice(0, 500) },
    terms: [terms.address(address)],
  };
}

/** Mail to the owner of a script of their own that fails, once a day for each script. */
export function troubleNotice(
  deps: FlowDeps,
  { owner }: AccountFacts,
  { script, kind, line, message, digest }: RunError,
): { memory: Memory; notice: WriteArgs<'delivery.accept'> } | undefined {
  if (kind !== 'account' && kind !== 'generated') return undefined;
  const { accountId, address } = owner;
  const where = line === 0 ? '' : ` at line ${line}`;
  const notice = noticeMail(deps, destinationOf(address), [{ accountId, address }], {
    subject: 'A filter script of yours fails',
    paragraphs: [
      `Mail for ${address} is put into the inbox without what the filter rules (Sieve) should do with it.`,
      '',
      `What fails is ${script}${where}: ${message}`,
      '',
      'Nothing is lost. Correct the script, or switch it off, in the mail program or the account page where it was ' +
        'written. An administrator can look at it with',
      '',
      `    postern sieve show ${address}`,
      '',
      'This is told once a day as long as it happens.',
    ],
  });
  return { memory: { accountId, key: memoryKey('trouble', digest), seconds: TELL_AGAIN }, notice };
}
