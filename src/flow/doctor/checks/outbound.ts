import { connect } from '../../../net/smtp-client/connect.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import { ok, problem, type Topic, unknown } from '../lines.ts';
import type { DoctorLine, World } from '../types.ts';

/** Whether we get out to port 25 of others, which many providers close. */

/** Hosts of a domain that are tried. */
const HOSTS_MAX = 2;

export async function checkOutbound(world: World): Promise<readonly DoctorLine[]> {
  const topic: Topic = {
    check: 'outbound',
    subject: 'port 25 of others',
    why: 'Mail to others goes there; many providers close it until they are asked.',
  };
  if (!world.facts.sendsDirectly)
    return [ok(topic, 'It is not needed: all mail leaves through a relay or Amazon SES.')];
  const failures: string[] = [];
  for (const domain of world.options.bigDomains) {
    const hosts = await hostsOf(world, domain);
    if (typeof hosts === 'string') {
      failures.push(hosts);
      continue;
    }
    for (const { name, addresses } of hosts) {
      const outcome = await greet(world, name, addresses);
      if (outcome.reached) return [ok(topic, `${name} [${outcome.address}] answers.`)];
      failures.push(`${name}: ${outcome.reason}`);
    }
  }
  const asked = failures.filter((text) => !text.startsWith('DNS'));
  const found = failures.slice(0, 3).join('; ');
  if (asked.length === 0)
    return [
      unknown(
        topic,
        `Nobody could be asked: ${found || 'no domain is set'}.`,
        'nc -vz gmail-smtp-in.l.google.com 25   # on this machine',
      ),
    ];
  return [
    problem(
      topic,
      `No mail host could be reached (${found}). Your provider seems to close port 25.`,
      'Ask the provider to open outgoing port 25, or send through others: docs/guides/blocked-port-25.md',
      'nc -vz gmail-smtp-in.l.google.com 25   # on this machine, to try again',
    ),
  ];
}

async function hostsOf(
  { resolver, signal }: World,
  domain: string,
): Promise<readonly { name: string; addresses: readonly string[] }[] | string> {
  const answer = await resolver.query(domain, 'MX', signal);
  if (answer.status !== 'ok') return `DNS knows no mail host of ${domain}`;
  const hosts: { name: string; addresses: readonly string[] }[] = [];
  for (const { exchange } of answer.records
    .toSorted((a, b) => a.preference - b.preference)
    .slice(0, HOSTS_MAX)) {
    const found = await lookupAddresses(resolver, exchange, signal);
    if (found.status === 'ok')
      hosts.push({ name: exchange, addresses: [...found.ipv4.slice(0, 1), ...found.ipv6.slice(0, 1)] });
  }
  return hosts.length === 0 ? `DNS knows no address of the mail hosts of ${domain}` : hosts;
}

async function greet(
  { facts, clock, options, signal }: World,
  name: string,
  addresses: readonly string[],
): Promise<{ reached: true; address: string } | { reached: false; reason: string }> {
  const ms = options.connectMs;
  const outcome = await connect({
    protocol: 'smtp',
    to: { addresses, port: options.smtpPort },
    tls: 'none',
    servername: name,
    helo: facts.hostname,
    clock,
    timeouts: { connect: ms, greeting: ms, ehlo: ms, quit: 1000 },
    signal,
  });
  if (outcome.status === 'connected') {
    const address = outcome.client.remoteAddress;
    await outcome.client.quit();
    return { reached: true, address };
  }
  const { failure, address } = outcome;
  // Words of theirs mean that we got through, whatever they say.
  if (failure.reply !== undefined) return { reached: true, address };
  return { reached: false, reason: failure.reason };
}
