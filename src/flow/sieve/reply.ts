import type { ScriptedReply } from '../../data/delivery/scripted.ts';
import { type JournalEvent, terms } from '../../data/journal/types.ts';
import { memoryKey } from '../../data/sieve/memory.ts';
import { parsePath } from '../../mail/address/path.ts';
import { formatAddress } from '../../mail/message/build.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { decodeWords } from '../../mail/message/words.ts';
import { parseMethod } from '../../mail/sieve/index.ts';
import type { SieveAction } from '../../mail/sieve/types.ts';
import { destinationOf, type PlannedDeposit } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { fccTarget, flagSet, otherMessage } from './filing.ts';
import { composeMail, ownMail } from './own-mail.ts';
import type { ScriptInput } from './types.ts';
import type { AccountFacts } from './world.ts';

/** Message-IDs named in the References of a reply. */
const REFERENCES_MAX = 20;

export type Vacation = SieveAction & { readonly kind: 'vacation' };
export type Notify = SieveAction & { readonly kind: 'notify' };

/**
 * Why nobody is answered although the script would (RFC 3834 2, RFC 5230 4.6): the interpreter has asked what the message
 * tells; this is what only its delivery knows. Undefined when an answer may go out.
 */
export function whyNoReply(input: ScriptInput, accountId: number, to: string): string | undefined {
  const verdict = input.verdictOf(accountId);
  if (verdict !== undefined && verdict.action !== 'inbox') return 'the filter takes the message for unwanted';
  if (input.forged) return 'the sender of the envelope is not the one it claims to be';
  if (parsePath(to, { smtputf8: true }).kind !== 'mailbox') return `"${to}" is no address`;
  return undefined;
}

/** What stands in From: what the script wants where the account may write in that name, else the account itself. */
async function authorOf(
  deps: FlowDeps,
  { owner }: AccountFacts,
  wanted: string | undefined,
): Promise<string> {
  const own = formatAddress(owner.displayName, owner.address);
  if (wanted === undefined) return own;
  const named = /^(.*)<([^<>]*)>\s*$/s.exec(wanted);
  const address = (named?.[2] ?? wanted).trim();
  const path = parsePath(address, { smtputf8: true });
  if (path.kind !== 'mailbox') return own;
  const { localPart, domain } = path;
  const { delimiter } = deps.settings;
  const { accountId } = owner;
  if (!(await deps.store.read.run('directory.maySendAs', { accountId, localPart, domain, delimiter })))
    return own;
  return formatAddress((named?.[1] ?? '').trim().replace(/^"(.*)"$/s, '$1'), address);
}

/** The answer of somebody who is away (RFC 5230), to go out once in its period. */
export async function vacationReply(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  facts: AccountFacts,
  action: Vacation,
  by: string,
): Promise<ScriptedReply> {
  const { owner } = facts;
  const { accountId } = owner;
  const domain = destinationOf(owner.address);
  const octets = composeMail(deps.clock.now(), {
    from: await authorOf(deps, facts, action.from),
    to: action.to,
    subject: action.subject,
    domain,
    // RFC 5230 5.6, RFC 3834 5.
    fields: [['Auto-Submitted', 'auto-replied (vacation)'], ...threading(input)],
    text: action.reason,
    mime: action.mime,
  });
  const outgoing = await ownMail(deps, { trace: input.trace, accountId, domain, to: action.to, octets });
  return {
    accountId,
    memory: {
      accountId,
      key: memoryKey('vacation', action.handle, action.to.toLowerCase()),
      seconds: action.periodSeconds,
    },
    outgoing,
    copy: await copyOf(deps, input, planned, facts, action.fcc, octets),
    events: [
      actedEvent(deps, input, planned, `${by} answers ${action.to} that ${owner.address} is away`, {
        to: action.to,
        queueId: outgoing.enqueue.queueId,
      }),
    ],
  };
}

/** In-Reply-To and References of an answer (RFC 5322 3.6.4). */
function threading({ message }: ScriptInput): [string, string][] {
  const header = readHeader(message.header);
  const { messageId } = message.content;
  if (messageId === undefined || !isMessageId(messageId)) return [];
  const before =
    (header.last('references') ?? header.last('in-reply-to') ?? '').match(/<[^<>\s]{1,250}>/g) ?? [];
  const references = [...before.slice(-REFERENCES_MAX).filter(isPrintable), `<${messageId}>`];
  return [
    ['In-Reply-To', `<${messageId}>`],
    ['References', references.join(' ')],
  ];
}

function isMessageId(text: string): boolean {
  return text.length <= 250 && isPrintable(text) && !/[<>\s]/.test(text);
}

function isPrintable(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

async function copyOf(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  facts: AccountFacts,
  fcc: Vacation['fcc'],
  octets: Buffer,
): Promise<ScriptedReply['copy']> {
  if (fcc === undefined) return undefined;
  const { mailbox, name } = await fccTarget(facts, fcc);
  const deposit = { ...planned.deposit, mailbox, set: flagSet(fcc.flags) };
  const because = 'a copy of what was sent, as the script wants';
  return otherMessage(deps, octets, [{ ...planned, because, shown: name, deposit }], input.trace);
}

/** A notification by mail (RFC 5436). Undefined when the method is none that we know. */
export async function notification(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  facts: AccountFacts,
  action: Notify,
  by: string,
): Promise<ScriptedReply[] | undefined> {
  const target = parseMethod(action.method);
  if (target === undefined) return undefined;
  const { owner } = facts;
  const { accountId } = owner;
  const domain = destinationOf(owner.address);
  const replies: ScriptedReply[] = [];
  const fields = new Map(target.fields);
  const about = decodeWords(readHeader(input.message.header).last('subject') ?? '');
  const from = await authorOf(deps, facts, action.from);
  for (const to of target.recipients) {
    const octets = composeMail(deps.clock.now(), {
      from,
      to,
      // RFC 5436 2.7: the message is the subject where the URI has none.
      subject: fields.get('subject') ?? action.message ?? 'New mail',
      domain,
      fields: [
        ['Auto-Submitted', `auto-notified; owner-email="${owner.address.replace(/["\\]/g, '')}"`],
        ...importance(action.importance),
      ],
      text:
        fields.get('body') ??
        action.message ??
        `A message has come from <${input.reversePath}>.\n\nSubject: ${about}`,
      mime: false,
    });
    const outgoing = await ownMail(deps, { trace: input.trace, accountId, domain, to, octets });
    replies.push({
      accountId,
      memory: undefined,
      outgoing,
      copy: replies.length === 0 ? await copyOf(deps, input, planned, facts, action.fcc, octets) : undefined,
      events: [
        actedEvent(deps, input, planned, `${by} notifies ${to}`, { to, queueId: outgoing.enqueue.queueId }),
      ],
    });
  }
  return replies;
}

/** RFC 5436 2.3: 1 is the most important. */
function importance(level: 1 | 2 | 3): [string, string][] {
  if (level === 2) return [];
  return [['Importance', level === 1 ? 'high' : 'low']];
}

/** What a script did, other than filing: one sentence in the journal. */
export function actedEvent(
  deps: FlowDeps,
  { trace }: Pick<ScriptInput, 'trace'>,
  { address }: Pick<PlannedDeposit, 'address'>,
  what: string,
  more: { readonly [key: string]: string | number } = {},
): JournalEvent {
  const data = { account: address, what: what.slice(0, 500), ...more };
  return {
    trace,
    at: deps.clock.now(),
    kind: 'script.acted',
    data,
    terms: [terms.address(address)],
  };
}
