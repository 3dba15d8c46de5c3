import type { Clock } from '../../../base/clock.ts';
import type { ReverseResult } from '../../../mail/iprev.ts';
import type { Dns } from '../../../mail/dns.ts';
import type { SessionFacts } from '../../service.ts';
import { createAsker } from './ask.ts';
import { checkHello, type HelloResult, type OwnNames } from './hello.ts';
import type { DnsLists, ListAnswer } from './lists.ts';
import { senderNetwork } from './networks.ts';
import { askReverse } from './reverse.ts';

/** What the gate has asked about the client of one session, and knows of it. */
export interface Client {
  readonly session: SessionFacts;
  readonly network: string;
  /** Undefined without DNS. */
  readonly reverse: Promise<ReverseResult> | undefined;
  readonly lists: Promise<readonly ListAnswer[]>;
  /** The last HELO name that was judged. */
  hello: { readonly name: string; readonly result: Promise<HelloResult> } | undefined;
  /** Whether the site always takes mail from its network, once that was asked. */
  welcome: Promise<boolean> | undefined;
  /** Unknown recipients so far. */
  unknown: number;
}

export interface ClientParts {
  readonly dns: Dns | undefined;
  readonly clock: Clock;
  readonly lists: DnsLists;
  readonly own: OwnNames;
}

/** Begin to find out about a client. What is asked is awaited later, or never. */
export function openClient({ dns, clock, lists }: ClientParts, session: SessionFacts): Client {
  const { remoteAddress } = session;
  const ask = createAsker(dns, clock);
  const answers = Promise.all(lists.lists('ip').map((list) => lists.ask(list, remoteAddress)));
  return {
    session,
    network: senderNetwork(remoteAddress),
    reverse: ask && unawaited(askReverse(ask, remoteAddress)),
    lists: unawaited(answers),
    hello: undefined,
    welcome: undefined,
    unknown: 0,
  };
}

/** The judgement of the HELO name that was said last, begun if it is not yet. */
export function helloOf({ dns, clock, own }: ClientParts, client: Client): Promise<HelloResult> {
  const { helo, remoteAddress } = client.session;
  if (client.hello?.name !== helo) {
    const result = checkHello(createAsker(dns, clock), helo, remoteAddress, own);
    client.hello = { name: helo, result: unawaited(result) };
  }
  return client.hello.result;
}

/** A promise that may fail before anybody looks at it, or that nobody ever looks at. */
export function unawaited<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
