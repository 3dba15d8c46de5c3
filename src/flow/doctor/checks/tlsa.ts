import { createHash, type X509Certificate } from 'node:crypto';
import { tlsaName, tlsaText, usableTlsa } from '../../../mail/dane/tlsa.ts';
import { verifyDane } from '../../../mail/dane/verify.ts';
import type { TlsaRecord } from '../../../mail/dns.ts';
import { ok, problem, type Topic, unknown, warning, withSeen } from '../lines.ts';
import type { TlsLook } from '../tls-look.ts';
import type { DoctorLine, World } from '../types.ts';
import { GET_CERTIFICATE, lookAtListener } from './certificate.ts';
import { isFullName } from './host.ts';

/** TLSA records of our name against the certificate that we show at port 25 (RFC 7672). */

export async function checkTlsa(world: World): Promise<readonly DoctorLine[]> {
  const { facts, zones } = world;
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
  if (seen.status === 'none' && !seen.authenticated)
    return [ok(topic, 'There is none, and the zone is not signed with DNSSEC, so none would count.')];
  const listener = facts.listeners.find(({ service }) => service === 'smtp');
  const look = listener === undefined ? undefined : await lookAtListener(world, listener);
  const mend =
    look?.status === 'ok'
      ? [`${name}. 3600 IN TLSA 3 1 1 ${digestOf(look.leaf)}`]
      : [`postern domain records ${facts.domains[0]?.name ?? 'DOMAIN'}`];
  if (seen.status === 'none')
    return [
      warning(
        topic,
        'There is no TLSA record, though the zone is signed: senders that use DANE could check us.',
        ...mend,
      ),
    ];
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
  return [withSeen(fitLine(world, topic, seen.records, look, mend), seen)];
}

function fitLine(
  { facts, clock }: World,
  topic: Topic,
  records: readonly TlsaRecord[],
  look: TlsLook | undefined,
  mend: readonly string[],
): DoctorLine {
  const usable = usableTlsa(records);
  if (usable.length === 0) {
    const all = records.map(tlsaText).join('; ').slice(0, 300);
    return warning(topic, `None of them is of use for mail: ${all}. Usage has to be 3 or 2.`, ...mend);
  }
  if (look?.status === 'no-tls')
    return problem(
      topic,
      'It promises TLS, but we offer no STARTTLS: senders that use DANE do not deliver.',
      ...GET_CERTIFICATE,
    );
  if (look?.status !== 'ok')
    return unknown(
      topic,
      'Our certificate could not be looked at.',
      `openssl s_client -starttls smtp -connect ${facts.hostname}:25 </dev/null`,
    );
  const names = [facts.hostname];
  const verdict = verifyDane({ chain: look.chain, records: usable, names, nowMs: clock.now() });
  if (verdict.status === 'ok')
    return ok(topic, `It fits our certificate (${tlsaText(verdict.by).slice(0, 24)}...).`);
  return problem(
    topic,
    `It does not fit our certificate (${verdict.reason}): senders that use DANE do not deliver.`,
    ...mend,
  );
}

function digestOf(leaf: X509Certificate): string {
  return createHash('sha256')
    .update(leaf.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
