import { ok, problem, type Topic, unknown, warning } from '../lines.ts';
import type { DoctorDomain, DoctorLine, World } from '../types.ts';
import type { Zone } from '../zones.ts';

/** Whether the zone of a domain is there, and all its servers say the same. */

export async function checkZone(world: World, domain: DoctorDomain): Promise<readonly DoctorLine[]> {
  const found = await world.zones.zoneOf(domain.name);
  const topic: Topic = {
    check: 'zone',
    domain: domain.name,
    subject: domain.name,
    why: 'Without its zone nothing about the domain can be found.',
  };
  switch (found.status) {
    case 'unknown':
      return [
        found.reason.includes('SERVFAIL')
          ? problem(
              topic,
              `The resolver cannot get an answer (${found.reason}): the servers of the zone are down, or DNSSEC is broken.`,
              `delv ${domain.name} SOA   # says whether it is DNSSEC; if so, renew the DS record or the signatures`,
              `dig ${domain.name} SOA +cd +trace`,
            )
          : unknown(topic, `DNS did not answer (${found.reason}).`, `dig ${domain.name} SOA +trace`),
      ];
    case 'none':
      return [
        problem(
          topic,
          'DNS knows no such domain: it is not registered, has ended, or its zone is not served.',
          `whois ${domain.name}`,
          `dig ${domain.name} NS +trace`,
        ),
      ];
    case 'ok':
      return [await serversLine(world, { ...topic, subject: found.zone.name }, found.zone)];
  }
}

async function serversLine({ signal }: World, topic: Topic, zone: Zone): Promise<DoctorLine> {
  const asked = await Promise.all(
    zone.authorities.map(async ({ host, address, dns }) => ({
      host,
      address,
      answer: await dns.query(zone.name, 'SOA', signal),
    })),
  );
  const good = asked.filter(({ answer }) => answer.status === 'ok');
  const silent = asked.filter(({ answer }) => answer.status !== 'ok');
  const check = asked.map(({ address }) => `dig @${address} ${zone.name} SOA`);
  if (good.length === 0)
    return unknown(
      topic,
      `None of its servers answers us (${zone.hosts.join(', ')}), perhaps because this machine may not ask them.`,
      ...check,
    );
  if (silent.length > 0 || zone.lost.length > 0) {
    const names = [...silent.map(({ host, address }) => `${host} [${address}]`), ...zone.lost];
    return warning(
      topic,
      `${names.join(', ')} ${names.length === 1 ? 'does' : 'do'} not answer for the zone: a part of the questions about it goes unanswered.`,
      'Have the server serve the zone, or remove its NS record (at the registrar as well).',
      ...silent.map(({ address }) => `dig @${address} ${zone.name} SOA`),
    );
  }
  const serials = new Set(
    good.flatMap(({ answer }) => (answer.status === 'ok' ? answer.records.map(({ serial }) => serial) : [])),
  );
  if (serials.size > 1)
    return warning(
      topic,
      `Its servers have different versions of the zone (serial numbers ${[...serials].join(', ')}).`,
      'See that changes are transferred to all servers.',
      ...check,
    );
  return ok(topic, `${good.map(({ host }) => host).join(', ')} ${good.length === 1 ? 'answers' : 'answer'}.`);
}
