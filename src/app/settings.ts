import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { fileTrouble, readSmallFile } from '../base/small-file.ts';
import type { Store } from '../data/store.ts';
import type { FlowSettings } from '../flow/deps.ts';
import type { RelaySettings } from '../flow/outbound/transports/relay.ts';
import type { Dns } from '../mail/dns.ts';
import { parseDnsServer, readResolvConf } from '../net/dns/resolv-conf.ts';
import { createResolver } from '../net/dns/resolver.ts';
import type { ImapLimits } from '../servers/imap/limits.ts';
import type { SmtpLimits } from '../servers/smtp/limits.ts';
import type { Config } from './config.ts';

/** From the static configuration to what each part of the program takes. */

const SRS_KEYS = 'srs.keys';
const SRS_KEY_OCTETS = 32;

export function flowSettings(
  config: Config,
  more: Pick<FlowSettings, 'holdOutgoing' | 'srsKeys'>,
): FlowSettings {
  const { limits: limit, queue } = config;
  return {
    hostname: config.hostname,
    delimiter: config.delimiter,
    maxMessageBytes: limit.message_size,
    recipientsPerHour: limit.recipients_per_hour,
    messagesPerHour: limit.messages_per_hour,
    warnAfterMs: queue.warn_after === 0 ? undefined : queue.warn_after,
    expireAfterMs: queue.expire_after === 0 ? undefined : queue.expire_after,
    ...more,
  };
}

export function smtpLimits(config: Config): SmtpLimits {
  return {
    ...limits,
    messageBytes: config.limits.message_size,
    recipientsPerTransaction: config.limits.recipients,
  };
}

export function imapLimits(config: Config): ImapLimits {
  return { ...limits, messageBytes: config.limits.message_size };
}

/** The keys of rewritten reverse-paths, made on the first start and kept with the data. Newest first. */
export async function srsKeys(store: Pick<Store, 'write'>): Promise<readonly Buffer[]> {
  const value = randomBytes(SRS_KEY_OCTETS).toString('hex');
  const kept = await store.write.run('directory.ensureSetting', { name: SRS_KEYS, value });
  return kept.split(',').map((key) => Buffer.from(key, 'hex'));
}

/** The resolver that the configuration names, or the system's. Throws a `Refusal` for a server that is none. */
export async function systemDns(config: Config, clock: Clock): Promise<Dns> {
  const servers = config.dns.servers.map((text) => {
    const server = parseDnsServer(text);
    if (server === undefined) {
      throw new Refusal(
        'bad-input',
        `dns.servers: "${text}" is not an address such as "127.0.0.1" or "[::1]:53"`,
      );
    }
    return server;
  });
  return createResolver({
    servers: servers.length > 0 ? servers : await readResolvConf('/etc/resolv.conf'),
    clock,
  });
}

const RELAY_TLS = { starttls: 'required', implicit: 'implicit', opportunistic: 'opportunistic' } as const;

/** The relay of the configuration, its password read from its file; undefined when there is none. */
export async function relaySettings(config: Config): Promise<RelaySettings | undefined> {
  const { host, port, tls, username, password_file: file } = config.relay;
  if (host === '') return undefined;
  const login = username === '' ? {} : { login: { user: username, password: await readSecret(file) } };
  return { host, port, tls: RELAY_TLS[tls], ...login };
}

async function readSecret(file: string): Promise<string> {
  try {
    const secret = (await readSmallFile(file)).toString('utf8').replace(/\r?\n$/, '');
    if (secret === '') throw new Error('it is empty');
    return secret;
  } catch (error) {
    throw new Refusal('bad-input', `relay.password_file: cannot read ${file}: ${fileTrouble(error)}`);
  }
}
