import { randomBytes } from 'node:crypto';
import { connect as dialSocket, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import { startClientMechanism } from '../../mail/sasl/client.ts';
import { clientHandshake, type ClientTlsOptions } from '../smtp-client/tls.ts';
import { SocketConnection } from '../socket-connection.ts';
import { astring, ImapClient } from './client.ts';
import { ImapFailure } from './failure.ts';
import { IMAP_CLIENT_LIMITS } from './limits.ts';
import { parseStatus } from './response.ts';
import { ImapWire } from './wire.ts';

export interface ImapPlace {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first octet (993). `required`: STARTTLS. `none`: in clear, for this machine alone. */
  readonly tls: 'implicit' | 'required' | 'none';
  readonly verify: ClientTlsOptions['verify'];
  readonly ca?: ClientTlsOptions['ca'];
}

export interface ImapLogin {
  /** Whose mail it is. */
  readonly user: string;
  /** The password, or the access token for XOAUTH2. */
  readonly secret: string;
  /** Who signs in for the user (RFC 4616 authorization identity): a master user of Dovecot, an administrator of Cyrus. */
  readonly master?: string | undefined;
  readonly mechanism?: 'PLAIN' | 'LOGIN' | 'XOAUTH2' | undefined;
}

/** Connect and sign in. Throws `ImapFailure`. */
export async function connectImap(place: ImapPlace, login: ImapLogin, clock: Clock): Promise<ImapClient> {
  const connection = new SocketConnection(await dial(place, clock), clock);
  try {
    const wire = new ImapWire(connection, clock);
    if (place.tls === 'implicit') await startTls(wire, place, clock);
    const client = new ImapClient(wire);
    const first = (await wire.response(undefined, IMAP_CLIENT_LIMITS.greetingMs)).texts[0] ?? '';
    const greeting = parseStatus(first.slice(2));
    if (!first.startsWith('* ') || greeting === undefined)
      throw new ImapFailure('protocol', 'what answers there is no IMAP server');
    if (greeting.status === 'BYE')
      throw new ImapFailure('lost', `the server does not take the connection: ${greeting.text}`);
    if (place.tls === 'required') {
      await client.command(['STARTTLS']);
      // What came in clear behind the go-ahead was not sent from inside the tunnel (CVE-2021-33515 and its kin).
      if (wire.unasked) throw new ImapFailure('tls', 'there was more data in clear behind STARTTLS');
      await startTls(wire, place, clock);
    }
    await client.command(['CAPABILITY']);
    await signIn(client, login);
    // RFC 9051 section 6.2.3: what is offered may change with the login.
    await client.command(['CAPABILITY']);
    return client;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

async function startTls(wire: ImapWire, place: ImapPlace, clock: Clock): Promise<void> {
  const options = {
    servername: place.host,
    verify: place.verify,
    ...(place.ca !== undefined && { ca: place.ca }),
  };
  try {
    await wire.connection.upgrade((raw) => clientHandshake(raw, options, clock));
  } catch (error) {
    if (error instanceof Refusal) throw new ImapFailure('tls', error.message);
    throw error;
  }
}

async function signIn(client: ImapClient, login: ImapLogin): Promise<void> {
  const offers = (name: string): boolean => client.capabilities.has(`AUTH=${name}`);
  try {
    if (login.mechanism === 'XOAUTH2') return await authenticate(client, 'XOAUTH2', login);
    if (
      login.master !== undefined ||
      login.mechanism === 'PLAIN' ||
      (offers('PLAIN') && login.mechanism === undefined)
    )
      return await authenticatePlain(client, login);
    if (client.capabilities.has('LOGINDISABLED'))
      throw new ImapFailure('login', 'the server takes no passwords without TLS');
    const words = [...astring(utf8(login.user)), ' ', ...astring(utf8(login.secret))];
    await client.command(['LOGIN ', ...words], { shown: 'LOGIN' });
  } catch (error) {
    if (!(error instanceof ImapFailure) || error.kind !== 'refused') throw error;
    // RFC 5530: for now only, nobody's password is wrong.
    const kind = error.code === 'UNAVAILABLE' || error.code === 'INUSE' ? 'lost' : 'login';
    throw new ImapFailure(kind, error.message, error.code);
  }
}

/** The octets of UTF-8, one character each, as lines are written. */
function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

async function authenticatePlain(client: ImapClient, { user, secret, master }: ImapLogin): Promise<void> {
  const words = master === undefined ? ['', user, secret] : [user, master, secret];
  if (words.some((word) => word.includes('\0'))) throw new ImapFailure('login', 'a password with a NUL');
  const response = Buffer.from(words.join('\0')).toString('base64');
  await client.command(['AUTHENTICATE PLAIN'], { challenge: async () => response, shown: 'the login' });
}

async function authenticate(client: ImapClient, name: string, { user, secret }: ImapLogin): Promise<void> {
  const mechanism = startClientMechanism(name, {
    login: user,
    password: secret,
    channelBinding: undefined,
    random: randomBytes,
  });
  let initial = mechanism.initial;
  await client.command([`AUTHENTICATE ${name}`], {
    shown: 'the login',
    async challenge(text) {
      if (initial !== undefined) {
        const begin = initial.toString('base64');
        initial = undefined;
        return begin;
      }
      const step = await mechanism.step(Buffer.from(text, 'base64'));
      return 'response' in step ? step.response.toString('base64') : '*';
    },
  });
}

function dial({ host, port }: ImapPlace, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = dialSocket({ host, port, allowHalfOpen: true, noDelay: true });
    const fail = (why: string): void => {
      timer.cancel();
      socket.destroy();
      reject(new ImapFailure('lost', `cannot connect to ${host}:${port}: ${why}`));
    };
    const timer = clock.setTimer(IMAP_CLIENT_LIMITS.connectMs, () => fail('no answer'));
    const onError = (error: unknown): void => fail(errnoCode(error) ?? errorText(error));
    socket.once('error', onError);
    socket.once('connect', () => {
      timer.cancel();
      socket.off('error', onError);
      resolve(socket);
    });
  });
}
