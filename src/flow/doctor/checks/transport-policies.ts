import { domainRecords, mailHosts } from '../../../mail/dns-records.ts';
import { stsNames } from '../../../mail/mta-sts/policy.ts';
import { parseStsRecords } from '../../../mail/mta-sts/record.ts';
import { reportUris, tagsOf } from '../../../mail/reports/rua.ts';
import { fetchStsPolicy } from '../../../net/mta-sts/fetch.ts';
import { ok, problem, quoted, recordsAt, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';

/** How others are told to encrypt mail to us, and to report when they could not. */

export async function checkMtaSts(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const name = `_mta-sts.${domain.name}`;
  const topic: Topic = {
    check: 'mta-sts',
    domain: domain.name,
    subject: name,
    why: 'With a policy others deliver over checked TLS only, and nobody in between can read along.',
  };
  const wanted = domainRecords(domain.records);
  const mend = [...recordsAt(wanted, name), ...recordsAt(wanted, `mta-sts.${domain.name}`)];
  const seen = await world.zones.look(name, 'TXT');
  if (seen.status === 'unknown')
    return [unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${name} TXT`)];
  const record = parseStsRecords(seen.status === 'ok' ? seen.records.map(({ text }) => text) : []);
  if (record.status === 'none') {
    if (domain.records.mtaSts === undefined) return [ok(topic, 'It is switched off (mta_sts).')];
    return [withSeen(warning(topic, 'There is no MTA-STS record.', ...mend), seen)];
  }
  if (record.status === 'invalid')
    return [problem(topic, `The record is not valid: ${record.reason}.`, ...mend)];
  return [withSeen(await policyLine(world, domain, topic, record.id), seen)];
}

async function policyLine(world: World, domain: DoctorDomain, topic: Topic, id: string): Promise<DoctorLine> {
  const { resolver, clock, signal, options } = world;
  const fetched = await fetchStsPolicy(domain.name, {
    dns: resolver,
    clock,
    signal,
    port: options.httpsPort,
    ...(options.ca !== undefined && { ca: options.ca }),
    ...(options.allowPrivate !== undefined && { allowPrivate: options.allowPrivate }),
  });
  const url = `https://mta-sts.${domain.name}/.well-known/mta-sts.txt`;
  if (fetched.status === 'failed')
    return problem(
      topic,
      `The record promises a policy, but it cannot be fetched: ${fetched.reason}.`,
      `curl -v ${url}`,
      `See that mta-sts.${domain.name} leads to our HTTP port over HTTPS: docs/guides/behind-a-proxy.md`,
    );
  const { mode, mx } = fetched.policy;
  const hosts = mailHosts(domain.records);
  const missing = hosts.filter((host) => !stsNames(fetched.policy, host));
  if (missing.length > 0 && mode !== 'none') {
    const found = `The policy (${mode}) names ${mx.join(', ') || 'no host'}, but not ${missing.join(', ')}.`;
    const mend = `Put "mx: ${missing.join('" and "mx: ')}" into ${url}, and give the record another id.`;
    return mode === 'enforce'
      ? problem(topic, `${found} Hosts that keep to it do not deliver.`, mend)
      : warning(topic, found, mend);
  }
  const own = recordsAt(domainRecords(domain.records), topic.subject);
  if (mode === 'testing')
    return warning(
      topic,
      'The policy is only tested: others report, and deliver all the same.',
      'postern doctor set mta_sts enforce   # when the reports are good; then publish the new record',
      ...own,
    );
  if (mode === 'none') return warning(topic, 'The policy is "none".', 'postern doctor set mta_sts testing');
  const ours = /id=([0-9a-z]+)/.exec(own[0] ?? '')?.[1];
  if (ours !== undefined && ours !== id && domain.records.mtaSts !== undefined)
    return warning(
      topic,
      `The policy is in force, but its id is ${quoted(id, 40)} and not that of the policy we serve: hosts that have an older one keep it.`,
      ...own,
    );
  return ok(topic, `The policy is in force (${mode}) and names ${mx.join(', ')}.`);
}

export async function checkTlsReports(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const name = `_smtp._tls.${domain.name}`;
  const topic: Topic = {
    check: 'tls-rpt',
    domain: domain.name,
    subject: name,
    why: 'Others tell us by it when they could not reach us over TLS.',
  };
  const mend = recordsAt(domainRecords(domain.records), name);
  const seen = await world.zones.look(name, 'TXT');
  if (seen.status === 'unknown')
    return [unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${name} TXT`)];
  const texts = seen.status === 'ok' ? seen.records.map(({ text }) => text) : [];
  const records = texts.filter((text) => /^v=TLSRPTv1\s*;/.test(text));
  const [text] = records;
  if (text === undefined)
    return [
      withSeen(
        warning(
          topic,
          texts.length === 0
            ? 'There is no TLS-RPT record.'
            : `What stands there is no TLS-RPT record: ${quoted(texts[0] ?? '')}.`,
          ...mend,
        ),
        seen,
      ),
    ];
  if (records.length > 1)
    return [
      problem(
        topic,
        `There are ${records.length} records, so nobody uses any.`,
        'Remove all but one.',
        ...mend,
      ),
    ];
  const rua = tagsOf(text, 'TLSRPTv1')?.get('rua')?.value;
  const uris = rua === undefined ? [] : reportUris(rua, false);
  const usable = uris.some((uri) => uri.scheme === 'mailto' || /^https:/i.test(uri.uri));
  if (!usable) return [problem(topic, `It names no place for reports: ${quoted(text)}.`, ...mend)];
  return [withSeen(ok(topic, quoted(text)), seen)];
}
