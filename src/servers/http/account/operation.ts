import type { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { OpenStore } from '../../../data/open.ts';
import type { MailService } from '../../../flow/service.ts';
import type { ScriptEngine } from '../../../flow/sieve/engine-types.ts';
import type { Dns } from '../../../mail/dns.ts';
import type { GuardedFetchOptions } from '../../../net/guarded-fetch.ts';
import type { Principal, Scope } from '../../request-login.ts';
import type { AccountPaces } from './pace.ts';

/** What the operations of people on their own account work with. */
export interface AccountContext {
  readonly store: Pick<OpenStore, 'read' | 'write' | 'blobs' | 'bodies'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes the mail that unsubscribes. */
  readonly submission: MailService;
  /** What reads Sieve scripts beside the event loop; undefined: they are read in place. */
  readonly scripts?: Pick<ScriptEngine, 'check'> | undefined;
  /** Asked for the hosts of pictures and of lists; undefined: nothing may be asked. */
  readonly dns?: (() => Dns | undefined) | undefined;
  /** Which hosts may be asked, for tests; default: those on the public Internet. */
  readonly fetching?: Pick<GuardedFetchOptions, 'allow' | 'allowPort' | 'ca'> | undefined;
  /** Milliseconds that histories of messages are kept. */
  readonly keptMs?: (() => number | undefined) | undefined;
  readonly paces: AccountPaces;
  /** Counts what people do: "masked", "snooze", ... */
  readonly count: (what: string) => void;
}

export type AccountMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * One operation of somebody on their own account: a row from which the server makes its route and the OpenAPI document
 * its entry. `input` holds the parameters of the path together with those of the query (GET, DELETE) or the JSON body
 * (POST, PUT); `output` also decides what leaves the server. The account is that of the login, never one that the
 * request names.
 */
export interface AccountOperation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly method: AccountMethod;
  /** Below `ACCOUNT_PREFIX`, parameters as `:name`. */
  readonly path: string;
  readonly summary: string;
  /** What a login must be allowed. */
  readonly access: Scope;
  readonly input: I;
  readonly output: O;
  /** Set: the answer is no JSON but octets of this media type, as `run` gives them. */
  readonly produces?: string;
  run(context: AccountContext, input: z.output<I>, who: Principal): Promise<z.input<O>>;
}

export const ACCOUNT_PREFIX = '/account/v1';

export function operation<I extends z.ZodType, O extends z.ZodType>(
  row: AccountOperation<I, O>,
): AccountOperation<I, O> {
  return row;
}

/** Somebody acting for themselves, and nobody else: no role goes along. */
export function selfOf({ address }: Principal): Actor {
  return { name: address, role: 'user', domainId: undefined };
}
