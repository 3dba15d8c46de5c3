import { hostname } from 'node:os';
import { authenticateMessage, type Evidence, evidenceResults } from '../../../flow/inbound/authenticate.ts';
import { attachmentDecision, dmarcDecision, testDecision } from '../../../flow/inbound/decisions.ts';
import { checkTexts } from '../../../flow/inbound/judged.ts';
import { authentication } from '../../../flow/inbound/rule-evidence.ts';
import { sampleOfBuffer } from '../../../flow/spam/facts/sample.ts';
import { createEngine } from '../../../flow/spam/scan-engine.ts';
import { saveModel } from '../../../flow/spam/classifier/index.ts';
import { defaultFilterSettings } from '../../../flow/spam/settings.ts';
import type { Verdict } from '../../../flow/spam/types.ts';
import { decide } from '../../../flow/spam/verdict.ts';
import { type Call, type CliCommand, type Outcome, UsageError } from '../command.ts';
import { messagesOf } from '../mail-files.ts';
import { plain, wrap } from '../plain-text.ts';
import { resolverOf } from '../resolver.ts';
import { modelFor } from '../spam-model.ts';
import { percent } from '../../../flow/explain/judged.ts';
import { bareAddress, ipOption } from './check.ts';

const OUTCOMES = {
  inbox: 'It would go to the inbox.',
  junk: 'It would go to Junk.',
  refuse: 'It would be refused.',
} as const;

/** Messages in files mostly have line ends of this system; signatures are over those of the wire. */
function wireForm(octets: Buffer): Buffer {
  if (octets.includes('\r\n')) return octets;
  return Buffer.from(octets.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

async function verdictOn(octets: Buffer, evidence: Evidence, call: Call): Promise<Verdict> {
  const settings = defaultFilterSettings;
  const engine = createEngine();
  const model = call.text('model');
  if (model !== undefined) engine.load(0, saveModel(await modelFor(model)));
  const scanned = engine.judge({
    sample: sampleOfBuffer(octets),
    owners: [],
    goodPerJunked: settings.good_per_junked,
    policy: settings.attachments,
    evidence: {
      now: call.io.clock.now(),
      ...(evidence.ip !== '' && {
        clientIp: evidence.ip,
        ...(call.text('helo') !== undefined && { helo: evidence.helo.toLowerCase() }),
        reversePath: evidence.reversePath,
      }),
      ...(evidence.state === 'checked' && known(evidence)),
    },
  });
  const [content] = scanned.content;
  const decisions = [
    dmarcDecision(evidence, settings, undefined),
    attachmentDecision(scanned),
    testDecision(scanned, settings),
  ];
  return decide({
    content: content?.score ?? 0,
    because: content?.because ?? [],
    facts: scanned.facts,
    decisions: decisions.filter((decision) => decision !== undefined),
    threshold: content?.threshold ?? 0.99,
    mayRefuse: settings.refuse === 'certain',
  });
}

/** Without the client's address nothing can be said of it, and that must not count against the message. */
function known(evidence: Evidence): ReturnType<typeof authentication> {
  const { spf, rdns, iprev, ...rest } = authentication(evidence, undefined);
  if (evidence.ip === '') return rest;
  return { ...rest, ...(spf && { spf }), ...(rdns !== undefined && { rdns }), ...(iprev && { iprev }) };
}

function text(evidence: Evidence, verdict: Verdict, width: number): string {
  const { probability, threshold, decidedBy, reasons, nearest } = verdict;
  const bullets = (lines: readonly string[]): string[] =>
    lines.flatMap((line) =>
      wrap(plain(line), width - 4).map((part, i) => (i === 0 ? `  - ${part}` : `    ${part}`)),
    );
  return [
    'Who sent it',
    ...bullets(evidence.state === 'unchecked' ? ['not checked: no DNS'] : checkTexts(evidence)),
    '',
    `Verdict: ${OUTCOMES[verdict.action]}`,
    `  Probability of spam ${percent(probability)}; from ${percent(threshold)} on mail goes to Junk.`,
    ...(decidedBy === undefined ? [] : bullets([`decided by: ${decidedBy.text}`])),
    ...bullets(
      reasons.map(
        ({ score, text: why, name }) =>
          `${score < 0 ? '-' : '+'}${Math.abs(score).toFixed(1)}  ${why} (${name})`,
      ),
    ),
    ...(nearest === undefined ? [] : wrap(`It ${plain(nearest)}.`, width)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

async function run(call: Call): Promise<Outcome> {
  const { io, arg, text: option } = call;
  const files = [];
  for await (const file of messagesOf(arg(0))) files.push(file);
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) throw new UsageError(`"${plain(arg(0))}" is not one message`);
  const octets = wireForm(file.octets);
  const evidence = await authenticateMessage(
    {
      dns: await resolverOf(option('dns'), io.clock),
      clock: io.clock,
      receiver: hostname(),
      ip: option('ip') === undefined ? '' : ipOption(option('ip')),
      helo: option('helo') ?? 'unknown',
      reversePath: bareAddress(option('from') ?? ''),
    },
    octets,
  );
  const verdict = await verdictOn(octets, evidence, call);
  const { dkim, arc, dmarc, author, iprev } = evidence;
  const spf = evidence.ip === '' ? null : evidence.spf;
  const value = { results: evidenceResults(evidence), spf, dkim, arc, dmarc, iprev, author, verdict };
  return { value, text: () => text(evidence, verdict, io.width) };
}

export const checkMessageCommands: readonly CliCommand[] = [
  {
    words: ['check', 'message'],
    summary: 'who sent a message, as far as can be proven, and what the filter says',
    details:
      'Asks DNS and needs no server of ours. SPF is checked where --ip says which host sent it. What only a server knows (lists of senders, correspondents, lessons) does not count here.',
    args: [{ name: 'FILE', help: 'one message' }],
    options: {
      ip: { value: 'IP', help: 'address of the host that sent it' },
      helo: { value: 'NAME', help: 'its name in HELO or EHLO' },
      from: { value: 'ADDRESS', help: 'envelope sender' },
      dns: { value: 'HOST:PORT', help: "DNS resolver to ask (default: the system's)" },
      model: { value: 'DIR', help: 'judge by a model of your own in this folder' },
    },
    example: 'check message odd.eml --ip 192.0.2.1 --from ann@example.org',
    offline: true,
    run,
  },
];
