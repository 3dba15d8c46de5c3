import { type Relation, SITE } from '../../data/spam/types.ts';
import type { MilterMessage } from '../../net/milter/client.ts';
import { sampleOf } from '../spam/facts/sample.ts';
import type { Filter } from '../spam/filter.ts';
import type { PartnerWords } from '../spam/partners.ts';
import type { Scanned } from '../spam/scan-types.ts';
import type { FilterSettings } from '../spam/settings.ts';
import type { Reason, Verdict } from '../spam/types.ts';
import { decide, type Decision } from '../spam/verdict.ts';
import type { TakenMessage } from '../intake.ts';
import { type Evidence, trustedForwarder } from './authenticate.ts';
import {
  testDecision,
  attachmentDecision,
  covers,
  dmarcDecision,
  listDecision,
  relationFacts,
} from './decisions.ts';
import type { Envelope } from './envelope.ts';
import type { ForwarderWord } from './forwarder.ts';
import { exemption } from './gate/networks.ts';
import { ruleEvidence } from './rule-evidence.ts';

/** What is thought of a message, for each account it is for. */
export interface Judgement {
  readonly evidence: Evidence;
  /** Undefined when the content could not be judged. */
  readonly scanned: Scanned | undefined;
  readonly forwarder: ForwarderWord | undefined;
  /** A program of this machine or its network writes in the name of a domain of ours. */
  readonly ownProgram: boolean;
  readonly partners: PartnerWords;
  /** For those behind an alias elsewhere, and in general. */
  readonly site: Verdict;
  readonly accounts: ReadonlyMap<number, Verdict>;
  readonly settings: FilterSettings;
}

/** Score from which an unproven message without any content judgement would be junk: none. */
const UNJUDGED = 0;

/** Weigh all that is known of a message. Throws only a Refusal of a partner that must not be left out. */
export async function judge(
  envelope: Envelope,
  message: TakenMessage,
  evidence: Evidence,
  filter: Filter,
): Promise<Judgement> {
  // Read anew just before, when it was asked whether the filter is on.
  const { settings } = filter;
  const accountIds = accountsOf(envelope);
  const [all, partners, gate] = await Promise.all([
    relationsOf(
      envelope,
      message,
      evidence,
      needsSite(envelope, accountIds) ? [SITE, ...accountIds] : accountIds,
    ),
    filter.partners.ask(settings, milterMessage(envelope, message, evidence)),
    envelope.gate.facts(evidence),
  ]);
  const relations = all.filter(({ accountId }) => accountId !== SITE);
  const known = (domain: string): boolean => covers(settings.dmarc.forwarders, domain);
  const forwarder = trustedForwarder(evidence, known);
  const ownProgram = await isOwnProgram(envelope, evidence);
  const scanned = await scan(envelope, message, filter, settings, {
    owners: relations.filter(({ model }) => model !== undefined).map(({ accountId }) => accountId),
    evidence: ruleEvidence(envelope, evidence, forwarder, ownProgram),
  });
  const listed = await envelope.gate.domainFacts(scanned?.sites ?? [], evidence);
  const found = envelope.elsewhere?.facts(evidence) ?? [];
  const facts = [...gate, ...listed, ...guesserFact(envelope), ...found];
  const common = { evidence, scanned, forwarder, ownProgram, partners, settings, facts };
  const accounts = new Map(
    relations.map((relation) => [relation.accountId, verdictFor(envelope, common, relation)]),
  );
  const ofSite = all.find(({ accountId }) => accountId === SITE);
  return { ...common, site: verdictFor(envelope, common, ofSite), accounts };
}

type Common = Omit<Judgement, 'site' | 'accounts'> & { readonly facts: readonly Reason[] };

function verdictFor(envelope: Envelope, common: Common, relation: Relation | undefined): Verdict {
  const { evidence, scanned, forwarder, ownProgram, partners, settings } = common;
  const { elsewhere } = envelope;
  const content = scanned?.content.find(({ owner }) => owner === relation?.accountId) ?? scanned?.content[0];
  const decisions = [
    // A virus is one whoever sends it; then who is welcome or blocked by name; then the sender's own policy.
    ...[...(elsewhere?.decisions ?? []), ...partners.decisions].filter(isVirus),
    listDecision(evidence, relation),
    ownProgram ? undefined : dmarcDecision(evidence, settings, forwarder),
    attachmentDecision(scanned),
    testDecision(scanned, settings),
    ...[...(elsewhere?.decisions ?? []), ...partners.decisions].filter((each) => !isVirus(each)),
  ].filter((decision): decision is Decision => decision !== undefined);
  const verdict = decide({
    content: content?.score ?? UNJUDGED,
    because: content?.because ?? [],
    facts: [
      ...(scanned?.facts ?? []),
      ...common.facts,
      ...partners.facts,
      ...relationFacts(evidence, relation),
    ],
    decisions,
    threshold: content?.threshold ?? 0.99,
    mayRefuse: settings.refuse === 'certain',
  });
  // A program beside us hands on what was taken elsewhere: refusing it would make it bounce to whoever was forged.
  const cannotRefuse = envelope.session.protocol !== 'smtp' || elsewhere?.onRefuse === 'junk';
  return verdict.action === 'refuse' && cannotRefuse ? { ...verdict, action: 'junk' } : verdict;
}

function isVirus({ reason }: Decision): boolean {
  return reason.name === 'VIRUS';
}

/** Port 25 stays open to whoever guesses passwords here, for others may share the address; it is no good sign. */
function guesserFact({ deps, session }: Envelope): Reason[] {
  if (deps.banned?.(session.remoteAddress) !== true) return [];
  const text = 'passwords were guessed from the address of the sending host';
  return [{ name: 'GUESSES_PASSWORDS', score: 2, text, lever: 'nobody guessed passwords from there' }];
}

/** Cron, a printer, a web shop beside us: no server of our domain by its records, and still ours. */
async function isOwnProgram({ deps, session, elsewhere }: Envelope, { dmarc }: Evidence): Promise<boolean> {
  // Whoever came in by another host came from outside, although its address may not be known.
  if (elsewhere !== undefined) return false;
  if (dmarc.result === 'pass' || !isPrivate(session.remoteAddress)) return false;
  return (await deps.store.read.run('directory.domain', { name: dmarc.domain })) !== undefined;
}

/** An address that cannot come from outside. */
const isPrivate = exemption([]);

function accountsOf(envelope: Envelope): number[] {
  const ids = envelope.recipients.flatMap(({ targets }) =>
    targets.flatMap((target) => (target.kind === 'account' ? [target.accountId] : [])),
  );
  return [...new Set(ids)];
}

/** For one account nobody asks what the site as such thinks; for those elsewhere, and for several, it counts. */
function needsSite({ recipients }: Envelope, accountIds: readonly number[]): boolean {
  return (
    accountIds.length !== 1 ||
    recipients.some(({ targets }) => targets.some(({ kind }) => kind === 'external'))
  );
}

function relationsOf(
  { deps, session }: Envelope,
  { content }: TakenMessage,
  { author }: Evidence,
  accountIds: readonly number[],
): Promise<Relation[]> {
  return deps.store.read.run('spam.relation', {
    accountIds,
    from: author.address === undefined || author.doubt !== undefined ? [] : [author.address],
    ip: session.remoteAddress === '' ? undefined : session.remoteAddress,
    references: content.references,
  });
}

async function scan(
  envelope: Envelope,
  message: TakenMessage,
  filter: Filter,
  settings: FilterSettings,
  how: { readonly owners: readonly number[]; readonly evidence: ReturnType<typeof ruleEvidence> },
): Promise<Scanned | undefined> {
  const { structure, header, content, octets } = message;
  const read = (start: number, end: number): Buffer | Promise<Buffer> => octets.bytes(start, end);
  const sample = await sampleOf(structure, header, read, content.structure);
  return filter.scanner.judge({
    ...how,
    sample,
    goodPerJunked: settings.good_per_junked,
    policy: settings.attachments,
  });
}

/** The message as filters beside us want it. */
function milterMessage(envelope: Envelope, message: TakenMessage, evidence: Evidence): MilterMessage {
  const { deps, session, reversePath, recipients, trace } = envelope;
  const { octets, structure, header } = message;
  return {
    size: message.size,
    read: () => octets.pieces(),
    readBody: () => octets.pieces(structure.root.bodyStart),
    ip: session.remoteAddress,
    port: session.remotePort,
    helo: session.helo,
    clientName: evidence.iprev.name ?? '',
    reversePath,
    recipients: recipients.map(({ address }) => address),
    hostname: deps.settings.hostname,
    trace,
    get fields() {
      return structure.fields.map(({ start, valueStart, end }) => ({
        name: header.toString('latin1', start, valueStart).replace(/[ \t]*:[ \t]*$/, ''),
        value: header.toString('latin1', valueStart, end).replace(/\r?\n$/, ''),
      }));
    },
  };
}
