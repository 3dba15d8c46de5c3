import { isIP } from 'node:net';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import { tlsaText } from '../../../mail/dane/tlsa.ts';
import { ClientPool } from '../pool.ts';
import type { Dns } from '../../../mail/dns.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type { SmtpClient } from '../../../net/smtp-client/client.ts';
import type { FlowDeps } from '../../deps.ts';
import type { DirectSettings } from '../routing/settings.ts';
import type { DaneState } from './dane.ts';
import type { DirectOptions } from './direct.ts';
import type { DirectParts } from './direct-attempt.ts';
import { decideTls, directHop, lookUpTls, type TlsTarget } from './direct-hop.ts';
import { type FoundHosts, findHosts, type NextHost } from './hosts.ts';
import { createIpv6Memory } from './ipv6-memory.ts';
import { createShaper } from './shaping.ts';
import { openSession } from './smtp.ts';
import { createStsPolicies, type StsState } from './sts.ts';
import type { HostTls } from './tls-policy.ts';

/** A delivery without a message: what would happen, step by step, in plain words. */

export type ProbeStepName = 'mx' | 'mta-sts' | 'dane' | 'policy' | 'connect' | 'tls' | 'mail' | 'rcpt';

export interface ProbeStep {
  readonly step: ProbeStepName;
  /** The MX host it is about; undefined where it is about the domain. */
  readonly host?: string | undefined;
  /** `note`: nothing is wrong, but there is something to know. */
  readonly result: 'ok' | 'note' | 'problem';
  readonly text: string;
}

export interface ProbeReport {
  readonly address: string;
  readonly steps: readonly ProbeStep[];
  /** Whether mail to the address would be taken now, as far as a server tells before it sees a message. */
  readonly deliverable: boolean;
  /** The dialogue, line by line, with who spoke. */
  readonly transcript: readonly string[];
}

/** Lines of a dialogue that are kept. */
const TRANSCRIPT_MAX = 200;
const SMTP_PORT = 25;

/**
 * Try the way to an address up to RCPT: MX, MTA-STS, DANE, connection, TLS, MAIL, RCPT, then RSET and QUIT. Nothing is
 * sent; hosts are tried in order until one answers about the recipient. Never throws for what the network does.
 */
export async function probeDirect(
  deps: FlowDeps,
  settings: DirectSettings,
  address: string,
  options: DirectOptions & { readonly reversePath?: string; readonly requireTls?: boolean } = {},
): Promise<ProbeReport> {
  const steps: ProbeStep[] = [];
  const transcript: string[] = [];
  const note = (step: ProbeStep): void => void steps.push(step);
  const report = (deliverable: boolean): ProbeReport => ({ address, steps, deliverable, transcript });
  const typed = address.slice(address.lastIndexOf('@') + 1);
  const domain = typed.startsWith('[') ? typed : normalizeDomain(typed);
  if (domain === undefined) {
    note({ step: 'mx', result: 'problem', text: `"${typed.slice(0, 100)}" is no domain` });
    return report(false);
  }
  if (deps.dns === undefined) {
    note({ step: 'mx', result: 'problem', text: 'no DNS resolver is configured' });
    return report(false);
  }
  const found = await findHosts(deps.dns, domain, deps.settings.hostname);
  if ('outcome' in found) {
    note({ step: 'mx', result: 'problem', text: found.outcome.reply });
    return report(false);
  }
  note(mxStep(domain, found));
  const parts = probeParts(deps, deps.dns, settings, options);
  const target: TlsTarget = {
    domain,
    found,
    requireTls: options.requireTls === true,
    waived: async () => false,
  };
  for (const host of found.hosts) {
    const tls = await policyOf(parts, target, host, note);
    if (tls.use === 'skip') continue;
    const client = await connectTo(parts, target, host, tls, note, transcript);
    if (client === undefined) continue;
    const answer = await askRecipient(client, host, address, options.reversePath ?? '', note);
    await client.quit();
    if (answer !== undefined) return report(answer);
  }
  return report(false);
}

function probeParts(deps: FlowDeps, dns: Dns, settings: DirectSettings, options: DirectOptions): DirectParts {
  const { clock } = deps;
  return {
    // A probe is no delivery: reports to others do not hear of it.
    deps: { ...deps, reports: undefined },
    dns,
    settings,
    port: options.port ?? settings.port ?? SMTP_PORT,
    ca: options.ca,
    pool: new ClientPool({ clock, perHost: 1 }),
    shaper: options.shaper ?? createShaper({ clock, sessions: 1 }),
    sts: options.sts ?? createStsPolicies(options.stsFetch),
    ipv6: createIpv6Memory(clock),
  };
}

function mxStep(domain: string, found: FoundHosts): ProbeStep {
  const names = found.hosts.map(({ name, addresses }) => `${name} [${addresses.join(', ')}]`).join('; ');
  const signed = found.secure ? 'signed with DNSSEC' : 'not signed with DNSSEC';
  return { step: 'mx', result: 'ok', text: `mail for ${domain} goes to ${names} (${signed})` };
}

async function policyOf(
  parts: DirectParts,
  target: TlsTarget,
  host: NextHost,
  note: (step: ProbeStep) => void,
): Promise<HostTls> {
  const { dane, sts } = await lookUpTls(parts, target, host);
  note({ step: 'dane', host: host.name, ...daneText(dane, target, host) });
  note({ step: 'mta-sts', host: host.name, ...stsText(sts, dane, target.domain) });
  const tls = await decideTls(parts, target, host, { dane, sts });
  const text =
    tls.use === 'skip'
      ? `this host is not used: ${tls.reason}`
      : tls.tls === 'opportunistic'
        ? 'TLS is used where it is offered, with any certificate'
        : `TLS is required (${tls.by ?? 'by policy'})`;
  note({ step: 'policy', host: host.name, result: tls.use === 'skip' ? 'problem' : 'ok', text });
  return tls;
}

type Words = Pick<ProbeStep, 'result' | 'text'>;

function daneText(dane: DaneState, target: TlsTarget, host: NextHost): Words {
  switch (dane.status) {
    case 'usable':
      return { result: 'ok', text: `TLSA records of ${dane.base}: ${dane.all.map(tlsaText).join('; ')}` };
    case 'unusable':
      return { result: 'note', text: `${dane.base} has TLSA records, but none that mail can use` };
    case 'bogus':
      return { result: 'problem', text: `DNS gave no validated answer about TLSA records: ${dane.reason}` };
    case 'none': {
      const where = !target.found.secure ? 'the domain' : host.secure === true ? undefined : 'the host';
      const why = where === undefined ? 'there are no TLSA records' : `${where} is not signed with DNSSEC`;
      return { result: 'ok', text: `no DANE: ${why}` };
    }
  }
}

function stsText(sts: StsState, dane: DaneState, domain: string): Words {
  switch (sts.status) {
    case 'policy': {
      const { mode, mx } = sts.policy;
      return { result: 'ok', text: `policy of ${domain}: ${mode}, for ${mx.join(', ') || 'no host'}` };
    }
    case 'failed':
      return { result: 'problem', text: `${domain} has a policy that cannot be used: ${sts.failure.reason}` };
    case 'unknown':
      return { result: 'problem', text: `DNS does not say whether there is a policy: ${sts.reason}` };
    case 'none':
      return {
        result: 'ok',
        text: dane.status === 'none' ? 'no MTA-STS policy' : 'not asked for: DANE decides',
      };
  }
}

async function connectTo(
  parts: DirectParts,
  target: TlsTarget,
  host: NextHost,
  tls: Extract<HostTls, { use: 'session' }>,
  note: (step: ProbeStep) => void,
  transcript: string[],
): Promise<SmtpClient | undefined> {
  const addresses = parts.settings.ipv6 ? host.addresses : host.addresses.filter((one) => isIP(one) === 4);
  const hop = directHop(parts, target, { ...host, addresses }, tls);
  const listen = (who: string, line: string): void => {
    if (transcript.length < TRANSCRIPT_MAX) transcript.push(`${host.name} ${who}: ${line}`);
  };
  const session = await openSession(parts.deps, { ...hop, options: { ...hop.options, transcript: listen } });
  if (session.status === 'failed') {
    const { failure, address } = session;
    const step = failure.phase === 'tls' ? 'tls' : 'connect';
    note({ step, host: host.name, result: 'problem', text: `[${address}] ${failure.reason}` });
    return undefined;
  }
  const { client } = session;
  note({
    step: 'connect',
    host: host.name,
    result: 'ok',
    text: `connected to [${client.remoteAddress}] from [${client.localAddress}]: ${replyText(client.greeting)}`,
  });
  note({ step: 'tls', host: host.name, ...tlsText(client) });
  return client;
}

function tlsText({ tls }: SmtpClient): Words {
  if (tls === undefined) return { result: 'note', text: 'no TLS: mail would go in clear' };
  const { version, cipher } = tls.facts;
  if (tls.verified) return { result: 'ok', text: `${version} ${cipher}, certificate right by DANE` };
  if (tls.authorized) return { result: 'ok', text: `${version} ${cipher}, certificate valid` };
  return { result: 'note', text: `${version} ${cipher}, certificate not valid (${tls.authorizationError})` };
}

/** Whether the recipient would be taken; undefined when the host said nothing about it. */
async function askRecipient(
  client: SmtpClient,
  host: NextHost,
  address: string,
  reversePath: string,
  note: (step: ProbeStep) => void,
): Promise<boolean | undefined> {
  const { replies, failure } = await client.tryRecipient(reversePath, address);
  const names = ['mail', 'rcpt'] as const;
  for (const [index, reply] of replies.entries()) {
    const result = reply.code < 300 ? 'ok' : 'problem';
    note({ step: names[index] ?? 'rcpt', host: host.name, result, text: replyText(reply) });
  }
  if (failure !== undefined) {
    const step = names[replies.length] ?? 'rcpt';
    note({ step, host: host.name, result: 'problem', text: failure.reason });
    return undefined;
  }
  return replies.length === 2 && (replies[1]?.code ?? 0) < 300;
}
