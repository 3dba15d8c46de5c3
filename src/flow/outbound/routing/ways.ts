import { errorText } from '../../../base/errors.ts';
import type { LeasedWork } from '../../../data/queue/types.ts';
import type { FlowDeps } from '../../deps.ts';
import type { MessageContent, MessageFacts, Transport } from '../transport.ts';
import { createDirect, type DirectTransport } from '../transports/direct.ts';
import type { GroupState } from '../transports/shaping.ts';
import { type ProbeReport, probeDirect } from '../transports/probe.ts';
import { createRelay, type RelaySettings } from '../transports/relay.ts';
import { type CapKeeper, createCapKeeper } from './caps.ts';
import { type Delivery, deliverByPlan, type DeliverParts } from './deliver.ts';
import { messageFacts } from './facts.ts';
import { needsHeader } from './match.ts';
import { createMemory, type WayMemory } from './memory.ts';
import { type BuiltWay, type Plan, planWays } from './plan.ts';
import { type RoutingSettings, routingSettingsSchema, type TransportSettings } from './settings.ts';

/** The ways a running server has to send, built from the settings and the configuration. */
export interface Ways {
  /** One attempt for a message, by the ways of its route. `settle` makes durable what is through before others are tried. */
  deliver(
    work: LeasedWork,
    content: MessageContent,
    stopping: AbortSignal,
    settle: DeliverParts['settle'],
  ): Promise<Delivery>;
  /** What `deliver` would do, without doing it. `fields`: of a message that is not there. */
  plan(facts: MessageFacts, destination: string, recipients: number): Promise<Plan>;
  /** The relay of the configuration, from the next attempt on. */
  useRelay(relay: RelaySettings | undefined): void;
  /** What is wanted now; read again at once with `fresh`. */
  settings(fresh?: boolean): Promise<RoutingSettings>;
  transport(name: string): Promise<Transport | undefined>;
  /** Go the direct way to an address up to RCPT; nothing is sent. */
  probe(address: string, reversePath: string): Promise<ProbeReport>;
  /** Hosts that get less mail at once than they could, because they asked for it. */
  slowed(): readonly SlowedHosts[];
  close(): Promise<void>;
}

export interface SlowedHosts extends GroupState {
  readonly way: string;
}

/** Makes a transport of settings; tells nothing of those it does not know. */
export type BuildTransport = (
  deps: () => FlowDeps,
  name: string,
  settings: TransportSettings,
) => Transport | undefined;

export interface WaysOptions {
  readonly deps: () => FlowDeps;
  readonly relay?: RelaySettings | undefined;
  /** Port of MX hosts; 25 except in tests. */
  readonly directPort?: number | undefined;
  readonly build: BuildTransport;
  /** Instead of all settings: everything goes this way. */
  readonly only?: Transport | undefined;
}

/** Milliseconds until settings are looked at again; who changes them says so at once. */
const SETTINGS_MS = 1000;
const MINUTE = 60_000;
const DIRECT = 'direct';
const RELAY = 'relay';

export const defaultRouting: RoutingSettings = routingSettingsSchema.parse({});

export function createWays(options: WaysOptions): Ways {
  return new SettledWays(options);
}

interface Kept extends BuiltWay {
  readonly json: string;
}

class SettledWays implements Ways {
  readonly #options: WaysOptions;
  readonly #memory: WayMemory;
  readonly #caps: CapKeeper;
  readonly #ways = new Map<string, Kept>();
  readonly #directs = new Map<string, { readonly sessions: number; readonly made: DirectTransport }>();
  #settings: RoutingSettings = defaultRouting;
  #json: string | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #relay: RelaySettings | undefined;

  constructor(options: WaysOptions) {
    const { clock } = options.deps();
    this.#options = options;
    this.#relay = options.relay;
    this.#memory = createMemory(options.deps, clock);
    this.#caps = createCapKeeper(options.deps, clock);
  }

  useRelay(relay: RelaySettings | undefined): void {
    this.#relay = relay;
  }

  async settings(fresh = false): Promise<RoutingSettings> {
    const { store, clock, logger } = this.#options.deps();
    const time = clock.monotonic();
    if (!fresh && time - this.#readAt < SETTINGS_MS) return this.#settings;
    this.#readAt = time;
    const json = await store.read.run('routing.settings', null);
    if (json === this.#json) return this.#settings;
    this.#json = json;
    try {
      this.#settings = routingSettingsSchema.parse(json === undefined ? {} : JSON.parse(json));
    } catch (error) {
      logger.error({ error: errorText(error) }, 'route: the settings cannot be read; they stay as they were');
    }
    return this.#settings;
  }

  async transport(name: string): Promise<Transport | undefined> {
    return this.#way(await this.settings(), name)?.transport;
  }

  async plan(facts: MessageFacts, destination: string, recipients: number): Promise<Plan> {
    const { only } = this.#options;
    if (only !== undefined) {
      const way = { transport: only, caps: undefined, obstacle: undefined };
      return { route: 'default', ways: [way] };
    }
    const settings = await this.settings();
    return planWays(
      {
        settings,
        way: (name) => this.#way(settings, name),
        byDefault: [this.#relay === undefined ? DIRECT : RELAY],
        memory: this.#memory,
        caps: this.#caps,
        now: this.#options.deps().clock.now(),
      },
      facts,
      destination,
      recipients,
    );
  }

  async deliver(
    work: LeasedWork,
    content: MessageContent,
    stopping: AbortSignal,
    settle: DeliverParts['settle'],
  ): Promise<Delivery> {
    const deps = this.#options.deps();
    const settings = await this.settings();
    const wanted = this.#wantsHeader(settings) ? content : undefined;
    const { message } = work;
    // Without routes nobody asks who sent it: most sites pay for no look.
    const facts =
      settings.routes.length === 0 && wanted === undefined
        ? { message, account: undefined, fields: [], from: [] }
        : await messageFacts(deps, message, wanted);
    const plan = await this.plan(facts, work.destination, work.recipients.length);
    const probeMs = settings.probe_minutes * MINUTE;
    const parts = { deps, memory: this.#memory, caps: this.#caps, probeMs, settle };
    return deliverByPlan(parts, plan, work, content, stopping);
  }

  /** The header is read for those alone who ask for it. */
  #wantsHeader(settings: RoutingSettings): boolean {
    if (this.#options.only?.objection !== undefined || needsHeader(settings.routes)) return true;
    const used = new Set(settings.routes.flatMap(({ transports }) => transports));
    return [...used].some((name) => this.#way(settings, name)?.transport.objection !== undefined);
  }

  /** The way of that name as it is wanted now; built when it is first asked for. */
  #way(settings: RoutingSettings, name: string): BuiltWay | undefined {
    const wanted = this.#wanted(settings, name);
    const kept = this.#ways.get(name);
    const json = JSON.stringify(wanted ?? null);
    if (kept?.json === json) return kept;
    if (kept !== undefined) {
      this.#ways.delete(name);
      // Attempts under way have its sessions until they end.
      void kept.transport.close();
    }
    const built = wanted === undefined ? undefined : this.#build(name, wanted);
    if (built !== undefined) this.#ways.set(name, { ...built, json });
    return built;
  }

  #wanted(settings: RoutingSettings, name: string): TransportSettings | RelaySettings | undefined {
    const own = settings.transports[name];
    if (own !== undefined) return own;
    if (name === DIRECT) return { ...DIRECT_SETTINGS, port: this.#options.directPort };
    return name === RELAY ? this.#relay : undefined;
  }

  #build(name: string, settings: TransportSettings | RelaySettings): BuiltWay | undefined {
    const { deps, build, directPort } = this.#options;
    if (!('kind' in settings)) return { transport: { ...createRelay(deps, settings) }, caps: undefined };
    if (settings.kind !== 'direct') {
      const transport = build(deps, name, settings);
      return transport && { transport: { ...transport, name }, caps: settings.caps };
    }
    const complete = { ...settings, port: settings.port ?? directPort };
    const before = this.#directs.get(name);
    // Hosts that asked to be left alone are, whatever becomes of the settings.
    const kept = before?.sessions === settings.sessions_per_host ? before.made : undefined;
    const made = createDirect(deps, name, complete, kept && { shaper: kept.shaper, sts: kept.sts });
    this.#directs.set(name, { sessions: settings.sessions_per_host, made });
    return { transport: made, caps: settings.caps };
  }

  async probe(address: string, reversePath: string): Promise<ProbeReport> {
    const wanted = (await this.settings()).transports[DIRECT];
    const settings = wanted?.kind === 'direct' ? wanted : DIRECT_SETTINGS;
    const { deps, directPort } = this.#options;
    const port = settings.port ?? directPort;
    return probeDirect(deps(), { ...settings, port }, address, { reversePath });
  }

  slowed(): readonly SlowedHosts[] {
    return [...this.#directs].flatMap(([way, { made }]) =>
      made.shaper.states().map((state) => ({ way, ...state })),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#ways.values()].map(({ transport }) => transport.close()));
    await this.#options.only?.close();
  }
}

const DIRECT_SETTINGS = routingSettingsSchema.parse({ transports: { direct: { kind: 'direct' } } })
  .transports['direct'] as TransportSettings & { readonly kind: 'direct' };
