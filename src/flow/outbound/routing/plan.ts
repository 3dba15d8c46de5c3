import { type Cause, type MessageFacts, type Transport, withAdvice } from '../transport.ts';
import type { CapKeeper } from './caps.ts';
import { chooseRoute } from './match.ts';
import type { WayMemory } from './memory.ts';
import type { Caps, RoutingSettings } from './settings.ts';

/** The ways a message can take to a destination now, in order, and what stands against each. */

/** A transport with what is laid down about it. */
export interface BuiltWay {
  readonly transport: Transport;
  readonly caps: Caps | undefined;
}

export interface Obstacle {
  readonly cause: Cause;
  /** A sentence without a full stop, after "NAME: ". */
  readonly reason: string;
  /** Milliseconds after which it is over; undefined: it lies in the message. */
  readonly pauseMs: number | undefined;
  /** Only remembered: better tried than not to send at all. */
  readonly remembered: boolean;
}

export interface PlannedWay extends BuiltWay {
  readonly obstacle: Obstacle | undefined;
}

export interface Plan {
  /** "default" when none of the settings matches. */
  readonly route: string;
  readonly ways: readonly PlannedWay[];
}

/** Name of the route that is taken when no other matches. */
export const DEFAULT_ROUTE = 'default';

export interface PlanParts {
  readonly settings: RoutingSettings;
  /** By name; undefined: there is none of that name any more. */
  readonly way: (name: string) => BuiltWay | undefined;
  /** Names of the ways of the default route. */
  readonly byDefault: readonly string[];
  readonly memory: WayMemory;
  readonly caps: CapKeeper;
  readonly now: number;
}

export async function planWays(
  parts: PlanParts,
  facts: MessageFacts,
  destination: string,
  recipients: number,
): Promise<Plan> {
  const route = chooseRoute(parts.settings.routes, facts, destination);
  const names = route?.transports ?? parts.byDefault;
  const against = names.length > 1 ? await parts.memory.against(destination) : undefined;
  const ways: PlannedWay[] = [];
  for (const name of names) {
    const way = parts.way(name);
    if (way === undefined) continue;
    const refusal = against?.get(name);
    const obstacle =
      (await inMessage(way, facts)) ??
      (await inCaps(parts, way, facts, recipients)) ??
      (refusal && {
        cause: refusal.cause as Cause,
        reason: `refused ${refusal.destination === '*' ? 'everywhere' : `by ${destination}`} since ${new Date(refusal.since).toISOString().slice(0, 16)}Z (${refusal.cause}: ${refusal.reply.slice(0, 120)})`,
        pauseMs: Math.max(0, refusal.until - parts.now),
        remembered: true,
      });
    ways.push({ ...way, obstacle });
  }
  return { route: route?.name ?? DEFAULT_ROUTE, ways: withoutVain(ways) };
}

/** When nothing is left, ways that are only remembered to fail are tried all the same. */
function withoutVain(ways: readonly PlannedWay[]): readonly PlannedWay[] {
  if (ways.some(({ obstacle }) => obstacle === undefined)) return ways;
  return ways.map((way) => (way.obstacle?.remembered === true ? { ...way, obstacle: undefined } : way));
}

async function inMessage({ transport }: BuiltWay, facts: MessageFacts): Promise<Obstacle | undefined> {
  const { maxBytes } = transport;
  const { size } = facts.message;
  if (maxBytes !== undefined && size > maxBytes) {
    const reason = `it takes ${maxBytes} octets, the message has ${size}`;
    return { cause: 'size', reason, pauseMs: undefined, remembered: false };
  }
  const objection = await transport.objection?.(facts);
  if (objection === undefined) return undefined;
  const { cause, reason, advice } = objection;
  return { cause, reason: withAdvice(reason, advice), pauseMs: undefined, remembered: false };
}

async function inCaps(
  parts: PlanParts,
  { transport, caps }: BuiltWay,
  { message }: MessageFacts,
  recipients: number,
): Promise<Obstacle | undefined> {
  if (caps === undefined) return undefined;
  const more = { messages: 1, recipients, octets: message.size * recipients };
  const exhausted = await parts.caps.exhausted(transport.name, caps, more);
  return exhausted && { cause: 'quota', ...exhausted, remembered: false };
}
