import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { OpenStore } from '../../data/open.ts';
import type { SearchIndex } from '../../data/search/types.ts';
import type { ScriptEngine } from '../../flow/sieve/engine-types.ts';
import type { MailService } from '../../flow/service.ts';
import type { LogInRequest, Principal, Scope } from '../request-login.ts';
import { MethodError } from './errors.ts';
import type { WebPush } from './push-types.ts';
import { type Json, type JsonObject, member } from './json.ts';
import type { Capability } from './limits.ts';
import { type View, viewOf } from './view.ts';

/** What the JMAP server is given. */
export interface JmapOptions {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logIn: LogInRequest;
  /** Whether a peer is a proxy whose X-Forwarded-For holds. */
  readonly isProxy: (address: string) => boolean;
  readonly search: Pick<SearchIndex, 'find'>;
  /** Sends what accounts submit. */
  readonly submission: MailService;
  /** Checks Sieve scripts. */
  readonly scripts: Pick<ScriptEngine, 'check'> | undefined;
  readonly settings: () => {
    readonly hostname: string;
    readonly maxMessageBytes: number;
    readonly delimiter: string;
  };
  /** No mail can be taken in: the disk is nearly full. */
  readonly full: () => boolean;
  /** Sends pushes (RFC 8620 section 7.2); undefined: nobody does here. */
  readonly webPush?: WebPush | undefined;
}

/** One request at work. */
export interface Context {
  readonly options: JmapOptions;
  readonly login: Principal;
  readonly remoteAddress: string;
  /** Id of the request in logs and the journal. */
  readonly trace: string;
  /** Names the store, for what its reads keep. */
  readonly cache: string;
  /** Capabilities that the request names. */
  readonly using: ReadonlySet<string>;
  /** Ids of what this request has made, by creation id (RFC 8620 section 3.3). */
  readonly createdIds: Map<string, string>;
}

export type Invocation = readonly [name: string, answer: JsonObject];

/** What a method answers: one object, or several responses under the same call id. */
export type Answer = JsonObject | readonly Invocation[];

export interface Method {
  readonly name: string;
  readonly capability: Capability;
  /** What the login must be good for, besides reading mail. */
  readonly scope: Scope;
  readonly run: (context: Context, args: JsonObject) => Promise<Answer>;
}

export function method(
  name: string,
  capability: Capability,
  run: (context: Context, args: JsonObject) => Promise<Answer>,
  scope: Scope = 'mail',
): Method {
  return { name, capability, scope, run };
}

/** The account of a call, for mail. */
export function mailView(context: Context, args: JsonObject): Promise<View> {
  return viewOf(context.options.store.read, context.login.accountId, member(args, 'accountId'));
}

/** The account of a call, for what people have for themselves alone. */
export async function ownView(context: Context, args: JsonObject): Promise<View> {
  const view = await mailView(context, args);
  if (!view.own) throw new MethodError('accountNotSupportedByMethod');
  return view;
}

/** @throws MethodError 'accountReadOnly' */
export async function changingView(context: Context, args: JsonObject): Promise<View> {
  const view = await mailView(context, args);
  if (view.readOnly) throw new MethodError('accountReadOnly');
  return view;
}

/** Which reads look at: an account, and what of it may be seen. */
export function scopeOf(context: Context, view: View) {
  return { cache: context.cache, accountId: view.accountId, visible: view.visible };
}

/** The id that a text means: "#name" is what was made under that name in this request. */
export function resolveCreated(context: Context, text: Json | undefined): string | undefined {
  if (typeof text !== 'string') return undefined;
  return text.startsWith('#') ? context.createdIds.get(text.slice(1)) : text;
}

export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
