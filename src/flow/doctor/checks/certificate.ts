import type { X509Certificate } from 'node:crypto';
import { ok, problem, type Topic, warning } from '../lines.ts';
import { lookAtTls, type TlsLook } from '../tls-look.ts';
import type { DoctorLine, DoctorListener, World } from '../types.ts';
import { dialAddresses } from './ports.ts';

/** The certificates our services show to a client that checks them. */

const DAY_MS = 24 * 3_600_000;
/** Days before the end: when nobody has renewed it by then, something is broken. */
const WARNING_DAYS = 21;
const PROBLEM_DAYS = 7;

const KINDS: Readonly<Record<string, 'smtp' | 'implicit'>> = {
  smtp: 'smtp',
  submissions: 'implicit',
  imaps: 'implicit',
};

/** The look at a listener of ours; shared by the checks of certificates and TLSA records. */
export function lookAtListener(world: World, listener: DoctorListener): Promise<TlsLook> {
  return lookAtTls({
    address: dialAddresses(world, listener)[0] ?? '127.0.0.1',
    port: listener.port,
    servername: world.facts.hostname,
    service: KINDS[listener.service] ?? 'implicit',
    ca: world.options.ca,
    timeoutMs: world.options.connectMs,
    clock: world.clock,
    signal: world.signal,
  });
}

/** For who has none. */
export const GET_CERTIFICATE = [
  'Set listen.acme = ["*:80"] in the configuration file and restart; then:',
  'postern certificate terms   # read them, then agree:',
  'postern certificate set terms_agreed true && postern certificate set enabled true',
  'Or name files of your own as tls.cert and tls.key there: docs/guides/certificates.md',
];

export async function checkCertificates(world: World): Promise<readonly DoctorLine[]> {
  const looks: { listener: DoctorListener; look: TlsLook }[] = [];
  for (const listener of world.facts.listeners) {
    if (KINDS[listener.service] === undefined) continue;
    looks.push({ listener, look: await lookAtListener(world, listener) });
  }
  const why = 'Mail programs refuse a certificate that is not valid, and so do hosts that want encryption.';
  const lines = looks.map(({ listener, look }) => {
    const topic: Topic = { check: 'certificate', subject: `${listener.service} (${listener.port})`, why };
    return certificateLine(world, topic, look);
  });
  return joined(lines.filter((line) => line !== undefined));
}

function certificateLine(world: World, topic: Topic, look: TlsLook): DoctorLine | undefined {
  const { facts, clock } = world;
  const mend = [
    `postern certificate list`,
    `openssl s_client -connect ${facts.hostname}:993 -servername ${facts.hostname} </dev/null   # shows what is served`,
  ];
  switch (look.status) {
    case 'no-tls':
      return problem(
        topic,
        'There is no STARTTLS: mail comes in unencrypted, and hosts that want TLS do not deliver.',
        ...GET_CERTIFICATE,
      );
    // A port that is closed is told by its own check.
    case 'failed':
      return /ECONNREFUSED|no answer|timeout|EHOSTUNREACH/i.test(look.reason)
        ? undefined
        : problem(topic, `The TLS handshake failed: ${look.reason}.`, ...mend);
    case 'ok':
      break;
  }
  const { leaf, error } = look;
  const days = Math.floor((leaf.validToDate.getTime() - clock.now()) / DAY_MS);
  if (days < 0) return problem(topic, `The certificate ended on ${dateOf(leaf)}.`, ...mend);
  if (leaf.checkHost(facts.hostname) === undefined)
    return problem(topic, `The certificate is for ${namesOf(leaf)}, not for ${facts.hostname}.`, ...mend);
  if (error !== undefined) return problem(topic, errorWords(error, leaf), ...mend);
  if (days < PROBLEM_DAYS)
    return problem(
      topic,
      `The certificate ends in ${days} days (${dateOf(leaf)}) and was not renewed.`,
      ...mend,
    );
  if (days < WARNING_DAYS)
    return warning(
      topic,
      `The certificate ends in ${days} days (${dateOf(leaf)}) and was not renewed yet.`,
      ...mend,
    );
  return ok(topic, `It is valid for ${facts.hostname} until ${dateOf(leaf)}.`);
}

function dateOf(leaf: X509Certificate): string {
  return new Date(leaf.validToDate.getTime()).toISOString().slice(0, 10);
}

function namesOf(leaf: X509Certificate): string {
  return (leaf.subjectAltName ?? 'no name').replaceAll('DNS:', '').slice(0, 200);
}

function errorWords(code: string, leaf: X509Certificate): string {
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'The certificate is signed by nobody but itself.';
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `The chain is not complete: the certificate of its authority (${issuerOf(leaf)}) is not sent along, or nobody knows that authority. The certificate file has to hold the whole chain.`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return `Its authority (${issuerOf(leaf)}) is known to nobody.`;
    default:
      return `Clients do not take it: ${code}.`;
  }
}

function issuerOf(leaf: X509Certificate): string {
  return leaf.issuer.replaceAll('\n', ', ').slice(0, 200);
}

/** What is the same for several services is one line. */
function joined(lines: readonly DoctorLine[]): DoctorLine[] {
  const byFound = Map.groupBy(lines, ({ state, found }) => `${state} ${found}`);
  return [...byFound.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ ...first, subject: same.map(({ subject }) => subject).join(', ') }];
  });
}
