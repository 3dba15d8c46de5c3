import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import { Refusal } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import type { Logger } from '../../../base/log.ts';
import type { SignInAuthenticator } from '../../../data/directory/authenticator.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { OpenStore } from '../../../data/open.ts';
import type { LoginAttempt } from '../../../mail/sasl/types.ts';
import {
  foreignRequest,
  type LogInRequest,
  placeOf,
  type Principal,
  type RequestPlace,
} from '../../request-login.ts';
import { badInput, type BodyPatience, jsonBody } from '../api.ts';
import type { Paces } from './paces.ts';
import type { Tickets } from './tickets.ts';

export interface AuthOptions {
  readonly store: Pick<OpenStore, 'read' | 'write' | 'changes'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly authenticator: SignInAuthenticator;
  readonly login: LogInRequest;
  /** Whether a peer is a proxy whose X-Forwarded-For holds. */
  readonly isProxy: (address: string) => boolean;
  /** Name of the server, for people and their authenticators. */
  readonly serverName: () => string;
  /** Whether notices can be pushed to a browser. */
  readonly push?: (() => boolean) | undefined;
  /** Whether an account has to set up a second factor before it does anything else. */
  readonly mustEnroll?:
    | ((account: { readonly id: number; readonly role: string }) => Promise<boolean>)
    | undefined;
  /** Told whom a page is shown to: what it will ask for first can be got ready. */
  readonly onSeen?: ((accountId: number) => void) | undefined;
  /** Adds routes below /auth that belong to others: invitations, the first run. */
  readonly more?: readonly AuthRoutes[] | undefined;
}

/** Everything an endpoint works with. */
export interface AuthContext extends AuthOptions {
  readonly tickets: Tickets;
  readonly paces: Paces;
}

export type AuthRoutes = (app: AuthApp, context: AuthContext) => void;

export interface AuthEnv {
  Bindings: { readonly incoming: IncomingMessage };
  Variables: { principal: Principal; patience?: BodyPatience };
}
export type AuthApp = import('hono').Hono<AuthEnv>;
export type C = Context<AuthEnv>;

/** Octets of a request; a passkey's first answer is the largest, with its certificates. */
const BODY_BYTES = 64 * 1024;
/** Milliseconds for it: strangers may send here, and a line as bad as can be has so little through in that time. */
export const BODY_MS = 30_000;
/** In the journal, and where a ban says what was guessed at. */
export const PROTOCOL = 'web';

/** A failure that has a kind of its own among the APIs' errors. */
export class Fault extends Error {
  readonly status: 400 | 401 | 403;
  readonly kind: string;
  readonly field: string | undefined;

  constructor(status: 400 | 401 | 403, kind: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.kind = kind;
    this.field = field;
  }
}

/** The body by its schema. */
export async function inputOf<S extends z.ZodType>(c: C, schema: S): Promise<z.output<S>> {
  const result = schema.safeParse(await jsonBody(c, BODY_BYTES, c.get('patience')));
  if (!result.success) throw badInput(result.error);
  return result.data;
}

/** Where a request comes from. Throws unless it came over TLS and from a page of ours. */
export function ownPlace(context: AuthContext, c: C): RequestPlace {
  const place = securePlace(context, c);
  const foreign = foreignRequest(c.env.incoming);
  if (foreign !== undefined) throw new Refusal('not-permitted', foreign);
  return place;
}

/** Where a request comes from. Throws unless nobody could read it on the way. */
export function securePlace({ isProxy }: AuthContext, c: C): RequestPlace {
  const place = placeOf(c.env.incoming, isProxy);
  if (place.secure) return place;
  throw new Refusal(
    'not-permitted',
    'Passwords and tokens are taken over TLS only: open this page by https, or put a proxy with TLS in front of this server (docs/guides/behind-a-proxy.md).',
  );
}

/** For the authenticator: who tries, from where. */
export function attemptOf(
  { clock }: AuthContext,
  { remoteAddress }: RequestPlace,
  login: string,
): LoginAttempt {
  return { login, remoteAddress, protocol: PROTOCOL, trace: timeId(clock.now()), scope: 'account' };
}

/** Somebody acting for themselves, and nobody else: no role goes along. */
export function selfOf({ address }: { readonly address: string }): Actor {
  return { name: address, role: 'user', domainId: undefined };
}

/** Scheme and host by which the client reaches us. */
export function originOf({ isProxy }: AuthContext, c: C): URL {
  const { https } = placeOf(c.env.incoming, isProxy);
  return new URL(`${https ? 'https' : 'http'}://${new URL(c.req.url).host}`);
}
