import type { SesIdentity } from '../../net/aws/types.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { nullStandIn, reversePathOf } from '../srs.ts';
import { addressesOf, readSesHeader, type SesChange, sesContent, type SesHeader } from './ses-envelope.ts';
import { covering, type Identities } from './ses-identities.ts';
import { OR_ROUTE_AROUND, unverified } from './ses-refusals.ts';
import type { MessageContent, MessageFacts, Objection } from './transport.ts';
import type { QueueMessage } from '../../data/queue/types.ts';

/**
 * SES sends only as identities it has verified: From, Sender and the envelope sender must all be of one. Mail of ours
 * with a null reverse-path gets an address of ours that nobody answers; mail of others (forwards) goes another way or
 * gets a From of ours, as the transport is set.
 */

export interface SenderRules {
  readonly region: string;
  readonly foreignFrom: 'other-way' | 'rewrite';
  readonly identities: Identities;
}

/** A message as SES gets it. */
export interface Prepared {
  /** Envelope sender; never empty. */
  readonly from: string;
  readonly content: MessageContent;
  /** The address that From shows. */
  readonly author: string;
  /** Whom SES looks at, lower case: to tell whom a refusal speaks of. */
  readonly senders: readonly string[];
}

interface Named {
  readonly from: readonly string[];
  readonly sender: readonly string[];
  readonly message: QueueMessage;
}

/** Why SES would refuse the message whoever gets it; undefined: it would not. */
export async function sesObjection(
  deps: FlowDeps,
  rules: SenderRules,
  facts: MessageFacts,
): Promise<Objection | undefined> {
  const plan = await planSender(deps, rules, { ...facts, sender: senderOf(facts) });
  return 'reason' in plan ? plan : undefined;
}

function senderOf({ fields }: MessageFacts): readonly string[] {
  return fields.filter(({ name }) => name === 'sender').flatMap(({ value }) => addressesOf(value));
}

/** The envelope sender and the octets for SES, or why there are none. `add` makes further header fields. */
export async function prepareForSes(
  deps: FlowDeps,
  rules: SenderRules,
  message: QueueMessage,
  content: MessageContent,
  add: (envelope: string, author: string) => readonly string[] = () => [],
): Promise<Prepared | Objection> {
  const header: SesHeader = await readSesHeader(content);
  const plan = await planSender(deps, rules, { message, from: header.from, sender: header.sender });
  if ('reason' in plan) return plan;
  const { identities, envelope } = plan;
  const shown = plan.rewriteTo === undefined ? [...header.from, ...header.sender] : [plan.rewriteTo];
  const author = shown[0] ?? envelope;
  const change: SesChange = {
    add: add(envelope, author),
    from: plan.rewriteTo,
    ours: (domain) => identities !== undefined && covering(identities, `x@${domain}`) !== undefined,
  };
  return {
    from: envelope,
    author,
    content: sesContent(content, header, change),
    senders: [envelope, ...shown].map((address) => address.toLowerCase()),
  };
}

interface SenderPlan {
  readonly envelope: string;
  /** The address that From gets. */
  readonly rewriteTo: string | undefined;
  readonly identities: readonly SesIdentity[] | undefined;
}

async function planSender(deps: FlowDeps, rules: SenderRules, named: Named): Promise<SenderPlan | Objection> {
  const { message } = named;
  const identities = await rules.identities.list();
  const requiresTls = message.requireTls
    ? 'the sender asks for TLS all the way (REQUIRETLS), which SES does not promise'
    : undefined;
  if (requiresTls !== undefined) return { cause: 'sender', reason: requiresTls };
  const foreign = [...named.from, ...named.sender].find((address) => isForeign(identities, address));
  if (foreign !== undefined && rules.foreignFrom === 'other-way') return unverifiedFor(foreign, rules);
  if (foreign === undefined && message.reversePath !== '' && !isForeign(identities, message.reversePath))
    return { envelope: message.reversePath, rewriteTo: undefined, identities };
  if (message.reversePath !== '' && isForeign(identities, message.reversePath)) {
    if (rules.foreignFrom === 'other-way') return unverifiedFor(message.reversePath, rules);
  }
  const home = await homeOf(deps, named, identities);
  if (home === undefined)
    return {
      cause: 'sender',
      reason: `SES in ${rules.region} has no verified identity that is a domain of this server, which mail without a return path and mail sent on for others must go out under; verify one there`,
      advice: OR_ROUTE_AROUND,
    };
  const envelope = await envelopeOf(deps, named, identities, home);
  const rewriteTo = foreign === undefined ? undefined : await authorOf(deps, message, identities, home);
  return { envelope, rewriteTo, identities };
}

function unverifiedFor(address: string, { region, identities }: SenderRules): Objection {
  // It may have been verified a moment ago.
  identities.doubt();
  return unverified(address, region);
}

/** Whether SES would refuse it; where nobody tells us, SES itself has to. */
function isForeign(identities: readonly SesIdentity[] | undefined, address: string): boolean {
  return identities !== undefined && covering(identities, address) === undefined;
}

/**
 * A domain that is ours, so that bounces to it come to us, and an identity: the author's or the reverse-path's where it
 * is one, else the first.
 */
async function homeOf(
  deps: FlowDeps,
  { from, message }: Named,
  identities: readonly SesIdentity[] | undefined,
): Promise<string | undefined> {
  const ours = (await deps.store.read.run('directory.domains', null))
    .toSorted((a, b) => a.id - b.id)
    .map(({ name }) => name);
  const usable = ours.filter((domain) => !isForeign(identities, `postmaster@${domain}`));
  const wanted = [message.reversePath, ...from].map(destinationOf);
  return wanted.find((domain) => usable.includes(domain)) ?? usable[0];
}

async function envelopeOf(
  deps: FlowDeps,
  { message: { reversePath } }: Named,
  identities: readonly SesIdentity[] | undefined,
  home: string,
): Promise<string> {
  if (reversePath === '') return nullStandIn(deps, home) ?? `mailer-daemon@${home}`;
  if (!isForeign(identities, reversePath)) return reversePath;
  return (await reversePathOf(deps, reversePath, home)) ?? `mailer-daemon@${home}`;
}

/** The address that stands for an author elsewhere: the account that sends the mail on, else the domain's postmaster. */
async function authorOf(
  deps: FlowDeps,
  { accountId }: QueueMessage,
  identities: readonly SesIdentity[] | undefined,
  home: string,
): Promise<string> {
  const account =
    accountId === undefined ? undefined : await deps.store.read.run('directory.account', { id: accountId });
  if (account !== undefined && !isForeign(identities, account.address)) return account.address;
  return `postmaster@${home}`;
}
