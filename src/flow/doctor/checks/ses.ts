import { ok, problem, type Topic, unknown } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';

/** What of Amazon SES can be seen in DNS; the account itself is looked at by `postern ses status`. */

export async function checkSes(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const { ses } = domain.records;
  if (ses === undefined || !(ses.sends || ses.receives !== undefined)) return [];
  const command = `postern ses status --domain ${domain.name}`;
  const lines: DoctorLine[] = [];
  const topic: Topic = {
    check: 'ses',
    domain: domain.name,
    subject: 'Amazon SES',
    why: 'SES sends and receives only for domains whose records it has seen.',
  };
  if (ses.sends) lines.push(await spfLine(world, domain, topic));
  lines.push(
    unknown(topic, 'Identities, DKIM tokens, rules and quotas can be seen at Amazon only.', command),
  );
  return lines;
}

/** The record need not name SES where a MAIL FROM domain of its own is set, which only Amazon knows. */
async function spfLine({ resolver, signal }: World, domain: DoctorDomain, topic: Topic): Promise<DoctorLine> {
  const spf: Topic = { ...topic, subject: `SPF of ${domain.name} for SES` };
  const answer = await resolver.query(domain.name, 'TXT', signal);
  if (answer.status === 'temporary')
    return unknown(spf, `DNS did not answer (${answer.reason}).`, `dig ${domain.name} TXT`);
  const text =
    answer.status === 'ok'
      ? answer.records.map((record) => record.text).find((one) => /^v=spf1(?: |$)/i.test(one))
      : undefined;
  if (text === undefined)
    return problem(spf, 'There is no SPF record.', 'Put include:amazonses.com into the SPF record.');
  if (/\binclude:amazonses\.com\b/i.test(text)) return ok(spf, 'It lets SES send.');
  return unknown(
    spf,
    'It does not name SES, which is right only when SES uses a MAIL FROM domain of yours.',
    `postern ses status --domain ${domain.name}`,
    'Put include:amazonses.com into the record, before its last word, when there is none.',
  );
}
