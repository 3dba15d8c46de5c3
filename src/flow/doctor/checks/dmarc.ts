import { lookUpKey } from '../../../mail/dkim/keys.ts';
import { checkDmarc, type Identifier } from '../../../mail/dmarc/check.ts';
import { isDmarcRecord, parseDmarcRecord } from '../../../mail/dmarc/record.ts';
import { domainRecords } from '../../../mail/dns-records.ts';
import { checkHost } from '../../../mail/spf/check.ts';
import { dmarcDestinations } from '../../reports/destinations.ts';
import { ok, problem, quoted, recordsAt, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';

/** The policy, where its reports go, and whether our own mail passes it. */

export async function checkDomainDmarc(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const name = `_dmarc.${domain.name}`;
  const topic: Topic = {
    check: 'dmarc',
    domain: domain.name,
    subject: name,
    why: 'It says what receivers do with mail that only claims to be from the domain; big providers want one.',
  };
  const mend = recordsAt(domainRecords(domain.records), name);
  const seen = await world.zones.look(name, 'TXT');
  if (seen.status === 'unknown')
    return [unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${name} TXT`)];
  const texts = seen.status === 'ok' ? seen.records.map(({ text }) => text) : [];
  const records = texts.filter(isDmarcRecord);
  const [text] = records;
  if (text === undefined) {
    const found =
      texts.length === 0
        ? 'There is no DMARC record.'
        : `What stands there is no DMARC record: ${quoted(texts[0] ?? '')}. It has to begin with v=DMARC1;`;
    const above = await inherited(world, domain);
    return [withSeen(above ?? problem(topic, found, ...mend), seen)];
  }
  if (records.length > 1)
    return [
      problem(
        topic,
        `There are ${records.length} DMARC records, so receivers use none.`,
        'Remove all but one.',
        ...mend,
      ),
    ];
  const lines = [
    policyLine(topic, text, mend),
    await reportLine(world, domain, topic, text),
    await alignmentLine(world, domain, topic),
  ];
  return joined(lines.filter((line) => line !== undefined)).map((line) => withSeen(line, seen));
}

/** A domain below another is covered by the record above (RFC 9989 section 4.10). */
async function inherited(world: World, domain: DoctorDomain): Promise<DoctorLine | undefined> {
  const none = { domain: domain.name, status: 'other' } as const;
  const above = await checkDmarc({
    domain: domain.name,
    dkim: [],
    spf: none,
    dns: world.resolver,
    signal: world.signal,
  });
  if (above.recordDomain === undefined || above.recordDomain === domain.name) return undefined;
  const topic: Topic = {
    check: 'dmarc',
    domain: domain.name,
    subject: `_dmarc.${above.recordDomain}`,
    why: 'It says what receivers do with mail that only claims to be from the domain.',
  };
  return ok(topic, `The policy of ${above.recordDomain} holds: ${above.policy ?? 'none'}.`);
}

function policyLine(topic: Topic, text: string, mend: readonly string[]): DoctorLine {
  const record = parseDmarcRecord(text);
  if (record.fault !== undefined)
    return problem(
      topic,
      `The policy cannot be read: ${quoted(text)}. It ${record.fault === 'no effect' ? 'has no effect' : 'counts as p=none'}.`,
      ...mend,
    );
  const raised = text.replace(/(;\s*p\s*=\s*)none/i, '$1quarantine');
  const raise = `${topic.subject}. 3600 IN TXT "${raised}"`;
  if (record.p === 'none')
    return warning(
      topic,
      'The policy is p=none: it only watches, and forged mail is taken. Raise it once reports show only your mail.',
      raise,
    );
  if (record.testing)
    return warning(
      topic,
      `The policy is p=${record.p}, but only as a test (t=y).`,
      `Remove t=y from ${quoted(text)}.`,
    );
  if (record.sp === 'none')
    return warning(
      topic,
      `The policy is p=${record.p}, but names below the domain are left open (sp=none).`,
      `Remove sp=none from ${quoted(text)}.`,
    );
  return ok(topic, `The policy is p=${record.p}.`);
}

async function reportLine(
  { resolver }: World,
  domain: DoctorDomain,
  topic: Topic,
  text: string,
): Promise<DoctorLine | undefined> {
  if (parseDmarcRecord(text).rua.length === 0)
    return warning(
      topic,
      'It asks for no reports (rua), so nobody tells you of forgeries or of mail of yours that fails.',
      `Put rua=mailto:${domain.records.adminAddress} into ${quoted(text)}.`,
    );
  const destinations = await dmarcDestinations(resolver, domain.name);
  switch (destinations.status) {
    case 'temporary':
      return unknown(
        topic,
        `DNS did not say where reports may go (${destinations.reason}).`,
        `dig ${topic.subject} TXT`,
      );
    case 'none':
      return problem(topic, `Its reports go nowhere: ${destinations.reason}.`, ...consent(domain, text));
    case 'ok':
      if (destinations.skipped.length === 0) return undefined;
      return warning(
        topic,
        `Some reports do not arrive: ${destinations.skipped.join('; ')}.`,
        ...consent(domain, text),
      );
  }
}

/** The records by which other domains agree to take the reports (RFC 9990 section 4). */
function consent(domain: DoctorDomain, text: string): string[] {
  const hosts = parseDmarcRecord(text).rua.flatMap((uri) => /@([A-Za-z0-9.-]{1,253})$/.exec(uri)?.[1] ?? []);
  return hosts
    .filter((host) => host.toLowerCase() !== domain.name)
    .map((host) => `${domain.name}._report._dmarc.${host}. 3600 IN TXT "v=DMARC1"`);
}

/** What a receiver would find of a message of ours: our signatures, and SPF of the same domain. */
async function alignmentLine(
  world: World,
  domain: DoctorDomain,
  topic: Topic,
): Promise<DoctorLine | undefined> {
  const { resolver, signal, facts, clock, addresses } = world;
  const keys = domain.keys.filter(({ state }) => state === 'active');
  const dkim = await Promise.all(
    keys.map(async ({ selector, algorithm, publicKey }): Promise<Identifier> => {
      const found = await lookUpKey(resolver, domain.name, selector, algorithm, signal);
      const seen = found.status === 'temperror' ? 'temperror' : 'other';
      const same = found.status === 'ok' && (await publishedKey(world, domain.name, selector)) === publicKey;
      return { domain: domain.name, status: same ? 'pass' : seen };
    }),
  );
  const [ip] = addresses.all;
  const spf =
    ip === undefined
      ? undefined
      : await checkHost({
          ip,
          helo: facts.hostname,
          mailFrom: `postmaster@${domain.name}`,
          dns: resolver,
          nowMs: clock.now(),
          receiver: facts.hostname,
          signal,
        });
  const result = await checkDmarc({
    domain: domain.name,
    dkim,
    spf: {
      domain: domain.name,
      status: spf?.result === 'pass' ? 'pass' : spf?.result === 'temperror' ? 'temperror' : 'other',
    },
    dns: resolver,
    signal,
  });
  if (result.result === 'temperror')
    return unknown(
      topic,
      `Whether our own mail passes is not known: ${result.reason}.`,
      `dig ${topic.subject} TXT`,
    );
  if (result.result === 'fail') {
    const effect = result.disposition === 'none' ? 'nothing yet' : result.disposition;
    return problem(
      topic,
      `Our own mail fails it: neither our DKIM keys nor SPF pass for ${domain.name} (what receivers are asked to do: ${effect}).`,
      'Mend DKIM and SPF of the domain first; see their lines.',
    );
  }
  const by = [
    result.alignedBy.dkim === undefined ? '' : 'DKIM',
    result.alignedBy.spf === undefined ? '' : 'SPF',
  ].filter((word) => word !== '');
  if (by.length > 0) return ok(topic, `Our own mail passes it by ${by.join(' and ')}.`);
  return undefined;
}

export async function publishedKey(
  { resolver, signal }: Pick<World, 'resolver'> & { readonly signal?: AbortSignal },
  domain: string,
  selector: string,
): Promise<string | undefined> {
  const answer = await resolver.query(`${selector}._domainkey.${domain}`, 'TXT', signal);
  if (answer.status !== 'ok') return undefined;
  for (const { text } of answer.records) {
    const key = /(?:^|;)\s*p\s*=([^;]{0,4000})/.exec(text)?.[1];
    if (key !== undefined) return key.replaceAll(/\s/g, '');
  }
  return undefined;
}

/** What is all right is one line. */
function joined(lines: readonly DoctorLine[]): DoctorLine[] {
  const [first] = lines;
  if (first === undefined || lines.some(({ state }) => state !== 'ok'))
    return lines.filter(({ state }) => state !== 'ok');
  return [{ ...first, found: lines.map(({ found }) => found).join(' ') }];
}
