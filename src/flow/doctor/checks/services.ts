import { request } from 'node:https';
import type { CaaRecord, SrvRecord } from '../../../mail/dns.ts';
import { domainRecords, type DnsRecord, zoneLine } from '../../../mail/dns-records.ts';
import { errnoCode, errorText } from '../../../base/errors.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import { isPublicAddress } from '../../../net/public-address.ts';
import { ok, problem, recordsAt, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';

/** Who may issue certificates for us, and how mail programs find their settings. */

/** Labels of a name that are climbed for CAA records (RFC 8659 section 3). */
const LABELS_MAX = 20;

export async function checkCaa(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const { issuers = [] } = domain.records;
  const topic: Topic = {
    check: 'caa',
    domain: domain.name,
    subject: domain.name,
    why: 'It says who may issue certificates for the domain; an authority that it does not name cannot renew ours.',
  };
  const mend = recordsAt(domainRecords(domain.records), domain.name, 'CAA');
  let name = domain.name;
  for (let climbed = 0; climbed < LABELS_MAX && name.includes('.'); climbed++) {
    const seen = await world.zones.look(name, 'CAA');
    if (seen.status === 'unknown')
      return [
        seen.servfail
          ? problem(
              topic,
              `The servers do not answer about ${name} (${seen.reason}): authorities refuse to issue then.`,
              `dig ${name} CAA`,
            )
          : unknown(topic, `DNS did not answer (${seen.reason}).`, `dig ${name} CAA`),
      ];
    if (seen.status === 'ok')
      return [withSeen(caaLine({ ...topic, subject: name }, seen.records, issuers, mend), seen)];
    name = name.slice(name.indexOf('.') + 1);
  }
  return [
    warning(topic, 'There is no CAA record: every authority may issue certificates for the domain.', ...mend),
  ];
}

function caaLine(
  topic: Topic,
  records: readonly CaaRecord[],
  issuers: readonly string[],
  mend: readonly string[],
): DoctorLine {
  const issue = records.filter(({ tag }) => tag === 'issue');
  const names = issue.map(({ value }) => (value.split(';')[0] ?? '').trim().toLowerCase());
  const strange = records.find(
    ({ critical, tag }) =>
      critical && !['issue', 'issuewild', 'iodef', 'issuemail', 'contactemail'].includes(tag),
  );
  if (strange !== undefined)
    return problem(
      topic,
      `An entry that no authority knows is marked critical (${strange.tag}): none may issue.`,
      ...mend,
    );
  if (issue.length === 0)
    return warning(topic, 'It restricts no ordinary certificates (there is no "issue").', ...mend);
  const missing = issuers.filter((issuer) => !names.includes(issuer));
  const found = names.filter((name) => name !== '').join(', ') || 'nobody';
  if (issuers.length > 0 && missing.length === issuers.length)
    return problem(
      topic,
      `It allows ${found}, but our certificates come from ${issuers.join(', ')}: they cannot be renewed.`,
      ...mend,
    );
  return ok(topic, `It allows ${found}.`);
}

export async function checkSrv(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const wanted = domainRecords(domain.records).filter(({ type }) => type === 'SRV');
  const topic: Topic = {
    check: 'srv',
    domain: domain.name,
    subject: `_imaps._tcp.${domain.name} and others`,
    why: 'Mail programs find the server by them.',
  };
  const missing: DnsRecord[] = [];
  const wrong: string[] = [];
  const failed: string[] = [];
  for (const record of wanted) {
    const seen = await world.zones.look(record.name, 'SRV');
    if (seen.status === 'unknown') failed.push(seen.reason);
    else if (seen.status === 'none') missing.push(record);
    else if (!seen.records.some((found) => same(found, record.value))) {
      missing.push(record);
      wrong.push(
        `${record.name} leads to ${seen.records.map(({ port, target }) => `${target || 'nowhere'}:${port}`).join(', ')}`,
      );
    }
  }
  const mend = missing.map(zoneLine);
  if (wrong.length > 0) return [problem(topic, `${wrong.join('; ')}.`, ...mend)];
  if (failed.length > 0)
    return [unknown(topic, `DNS did not answer (${failed[0] ?? ''}).`, `dig _imaps._tcp.${domain.name} SRV`)];
  if (missing.length > 0)
    return [
      warning(
        topic,
        `${missing.length} of ${wanted.length} are missing: ${missing.map(({ name }) => name).join(', ')}.`,
        ...mend,
      ),
    ];
  return [ok(topic, `All ${wanted.length} lead to ${domain.records.hostname}.`)];
}

function same({ port, target }: SrvRecord, value: string): boolean {
  const [, , wantedPort, host] = value.split(' ');
  return Number(wantedPort) === port && host?.toLowerCase() === target.toLowerCase();
}

/** The names that Thunderbird and Outlook ask over HTTPS, and what answers there. */
const PLACES = [
  ['autoconfig', '/mail/config-v1.1.xml'],
  ['autodiscover', '/autodiscover/autodiscover.xml'],
] as const;

export async function checkAutoconfig(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  if (domain.records.discovery !== true) return [];
  return Promise.all(PLACES.map(([label, path]) => placeLine(world, domain, label, path)));
}

async function placeLine(
  world: World,
  domain: DoctorDomain,
  label: string,
  path: string,
): Promise<DoctorLine> {
  const host = `${label}.${domain.name}`;
  const topic: Topic = {
    check: 'autoconfig',
    domain: domain.name,
    subject: host,
    why: `${label === 'autoconfig' ? 'Thunderbird' : 'Outlook'} asks it for the settings, so that people need not type them.`,
  };
  const mend = recordsAt(domainRecords(domain.records), host);
  const found = await lookupAddresses(world.resolver, host, world.signal);
  if (found.status === 'temporary')
    return unknown(topic, `DNS did not answer (${found.reason}).`, `dig ${host} A`);
  if (found.status === 'none') return warning(topic, 'The name has no address.', ...mend);
  const address = [...found.ipv4, ...found.ipv6].find(
    (one) => world.options.allowPrivate === true || isPublicAddress(one),
  );
  if (address === undefined) return warning(topic, 'The name has no public address.', ...mend);
  const status = await statusOf(world, host, address, path);
  const by = `curl -v https://${host}${path}`;
  const proxy = `See that ${host} leads to our HTTP port over HTTPS, with a certificate for it: docs/guides/behind-a-proxy.md`;
  if (typeof status === 'string')
    return warning(topic, `Nothing answers there over HTTPS (${status}).`, proxy, by);
  // Autodiscover takes POST; that it knows the path is what counts.
  if (status === 200 || status === 405) return ok(topic, 'It answers with the settings.');
  return warning(topic, `Something else answers there (status ${status}).`, proxy, by);
}

function statusOf(
  { clock, options }: World,
  host: string,
  address: string,
  path: string,
): Promise<number | string> {
  return new Promise((resolve) => {
    const finish = (result: number | string): void => {
      timer.cancel();
      resolve(result);
      call.destroy();
    };
    const call = request({
      host: address,
      servername: host,
      port: options.httpsPort,
      path,
      agent: false,
      headers: { host, connection: 'close', 'user-agent': 'Postern' },
      ...(options.ca !== undefined && { ca: options.ca }),
    });
    const timer = clock.setTimer(options.connectMs, () => finish('no answer'));
    call.on('error', (error) => finish(errnoCode(error) ?? errorText(error)));
    call.on('response', (response) => finish(response.statusCode ?? 0));
    call.end();
  });
}
