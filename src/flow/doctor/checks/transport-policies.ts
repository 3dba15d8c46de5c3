import { createHash, type X509Certificate } from 'node:crypto';
import { domainRecords, mailHosts } from '../../../mail/dns-records.ts';
import { verifyDane } from '../../../mail/dane/verify.ts';
import { tlsaName, tlsaText, usableTlsa } from '../../../mail/dane/tlsa.ts';
import { stsNames } from '../../../mail/mta-sts/policy.ts';
import { parseStsRecords } from '../../../mail/mta-sts/record.ts';
import { reportUris, tagsOf } from '../../../mail/reports/rua.ts';
import { fetchStsPolicy } from '../../../net/mta-sts/fetch.ts';
import { ok, problem, quoted, recordsAt, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';
import { isFullName } from './host.ts';
import { lookAtListener } from './certificate.ts';

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

/** TLSA records of our name against the certificate that we show at port 25. */
export async function checkTlsa(world: World): Promise<readonly DoctorLine[]> {
  const { facts, zones, clock } = world;
  const name = tlsaName(facts.hostname, 25);
  const topic: Topic = {
    check: 'tlsa',
    subject: name,
    why: 'Senders that use DANE deliver only to the certificate it names.',
  };
  if (!isFullName(facts.hostname)) return [];
  const seen = await zones.look(name, 'TLSA');
  if (seen.status === 'unknown')
    return [
      // Some servers break on questions for TLSA alone, which keeps mail away as well (RFC 7672 section 2.1.1).
      seen.servfail && (await zones.look(facts.hostname, 'A')).status !== 'unknown'
        ? problem(
            topic,
            `There is no validated answer (${seen.reason}): senders that use DANE do not deliver.`,
            `delv ${name} TLSA`,
          )
        : unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${name} TLSA`),
    ];
  const listener = facts.listeners.find(({ service }) => service === 'smtp');
  const look = listener === undefined ? undefined : await lookAtListener(world, listener);
  const mend =
    look?.status === 'ok'
      ? [`${name}. 3600 IN TLSA 3 1 1 ${digestOf(look.leaf)}`]
      : [`postern domain records ${facts.domains[0]?.name ?? 'DOMAIN'}`];
  if (seen.status === 'none') {
    if (!seen.authenticated)
      return [ok(topic, 'There is none, and the zone is not signed with DNSSEC, so none would count.')];
    return [
      warning(
        topic,
        'There is no TLSA record, though the zone is signed: senders that use DANE could check us.',
        ...mend,
      ),
    ];
  }
  if (!seen.authenticated)
    return [
      withSeen(
        warning(
          topic,
          'The resolver does not vouch for it: the zone is not signed with DNSSEC, so it means nothing (or our resolver does not validate).',
          `delv ${name} TLSA   # says which`,
        ),
        seen,
      ),
    ];
  const usable = usableTlsa(seen.records);
  if (usable.length === 0)
    return [
      warning(
        topic,
        `None of them is of use for mail: ${seen.records.map(tlsaText).join('; ').slice(0, 300)}. Usage has to be 3 or 2.`,
        ...mend,
      ),
    ];
  if (look?.status !== 'ok')
    return [
      look?.status === 'no-tls'
        ? problem(
            topic,
            'It promises TLS, but we offer no STARTTLS: senders that use DANE do not deliver.',
            'Get a certificate: docs/guides/certificates.md',
          )
        : unknown(
            topic,
            'Our certificate could not be looked at.',
            `openssl s_client -starttls smtp -connect ${facts.hostname}:25 </dev/null`,
          ),
    ];
  const verdict = verifyDane({
    chain: look.chain,
    records: usable,
    names: [facts.hostname],
    nowMs: clock.now(),
  });
  if (verdict.status === 'failed')
    return [
      withSeen(
        problem(
          topic,
          `It does not fit our certificate (${verdict.reason}): senders that use DANE do not deliver.`,
          ...mend,
        ),
        seen,
      ),
    ];
  return [withSeen(ok(topic, `It fits our certificate (${tlsaText(verdict.by).slice(0, 24)}...).`), seen)];
}

function digestOf(leaf: X509Certificate): string {
  return createHash('sha256')
    .update(leaf.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
