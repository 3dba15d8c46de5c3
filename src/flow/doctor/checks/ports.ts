import { connect } from 'node:net';
import type { Clock } from '../../../base/clock.ts';
import { errnoCode, errorText } from '../../../base/errors.ts';
import { isLoopback } from '../../../net/ip.ts';
import { ok, problem, type Topic, unknown, warning } from '../lines.ts';
import type { DoctorLine, DoctorListener, World } from '../types.ts';

/** Whether the services answer. That the world may reach them is believed only when somebody from there came. */

/** Services that a mail server has, with the port the world knows. */
const WANTED: readonly (readonly [service: string, port: number, use: string])[] = [
  ['smtp', 25, 'Mail from other hosts comes in here.'],
  ['submissions', 465, 'People send their mail here.'],
  ['imaps', 993, 'People read their mail here.'],
];

/** Milliseconds for which a visitor shows that the way is open. */
const VISITOR_MS = 7 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;

export async function checkPorts(world: World): Promise<readonly DoctorLine[]> {
  const lines = await Promise.all(WANTED.map((wanted) => serviceLines(world, ...wanted)));
  return lines.flat();
}

/** Addresses at which a listener is tried: our own public ones where it takes all. */
export function dialAddresses({ addresses }: World, { address }: DoctorListener): readonly string[] {
  if (address !== '::' && address !== '0.0.0.0' && address !== '*' && address !== '') return [address];
  if (!addresses.certain || addresses.all.length === 0) return ['127.0.0.1'];
  return address === '0.0.0.0' ? addresses.all.filter((one) => !one.includes(':')) : addresses.all;
}

async function serviceLines(world: World, service: string, port: number, why: string): Promise<DoctorLine[]> {
  const { facts } = world;
  const topic: Topic = { check: 'ports', subject: `port ${port} (${service})`, why };
  const listeners = facts.listeners.filter((one) => one.service === service);
  if (listeners.length === 0) {
    if (service === 'smtp' && receivesElsewhere(world))
      return [ok(topic, 'It is not needed: Amazon SES receives for all domains.')];
    const mend = `Set listen.${service} = ["*:${port}"] in the configuration file, and restart.`;
    const certificate = service === 'smtp' ? '' : ' It needs a certificate.';
    return [problem(topic, `Nothing listens there.${certificate}`, mend)];
  }
  const tried: string[] = [];
  for (const listener of listeners)
    for (const address of dialAddresses(world, listener)) {
      const failure = await dial(address, listener.port, world);
      const place = `${address.includes(':') ? `[${address}]` : address}:${listener.port}`;
      if (failure !== undefined)
        return [
          problem(
            topic,
            `${place} does not answer (${failure}).`,
            `ss -ltnp 'sport = :${listener.port}'   # on this machine`,
            'postern status',
          ),
        ];
      tried.push(place);
    }
  return [await fromOutside(world, topic, listeners, { service, port, tried })];
}

function receivesElsewhere({ facts }: World): boolean {
  return (
    facts.domains.length > 0 && facts.domains.every(({ records }) => records.ses?.receives?.alone === true)
  );
}

async function fromOutside(
  { facts, clock, options }: World,
  topic: Topic,
  listeners: readonly DoctorListener[],
  { service, port, tried }: { service: string; port: number; tried: readonly string[] },
): Promise<DoctorLine> {
  const command = `nc -vz ${facts.hostname} ${port}   # on another machine, outside of your network`;
  if (options.allowPrivate !== true && listeners.every(({ address }) => isLoopback(address)))
    return warning(
      topic,
      `It listens for this machine only (${tried.join(', ')}): right where a proxy stands in front, else nobody reaches it.`,
      command,
    );
  const visitor = await facts.visitor?.(service);
  if (visitor !== undefined && clock.now() - visitor.at < VISITOR_MS) {
    const hours = Math.max(0, Math.round((clock.now() - visitor.at) / HOUR_MS));
    return ok(
      topic,
      `It answers, and ${visitor.ip} came in ${hours === 0 ? 'within the last hour' : `${hours} h ago`}.`,
    );
  }
  return unknown(
    topic,
    `It answers on this machine (${tried.join(', ')}). Whether a firewall lets others through cannot be seen from here, and nobody came in the last 7 days.`,
    command,
  );
}

/** Why a connection does not come about; undefined when it does. */
export function dial(
  address: string,
  port: number,
  { clock, options }: { clock: Clock; options: { connectMs: number } },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const finish = (failure: string | undefined): void => {
      timer.cancel();
      // At once and for good: a service that speaks TLS would wait for a handshake.
      socket.resetAndDestroy();
      resolve(failure);
    };
    const timer = clock.setTimer(options.connectMs, () => finish('no answer'));
    socket.once('connect', () => finish(undefined));
    socket.once('error', (error) => finish(errnoCode(error) ?? errorText(error)));
  });
}
