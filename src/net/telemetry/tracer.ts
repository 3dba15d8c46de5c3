import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Attributes, Span, SpanContext, SpanKind, StartOptions, Tracer } from '../../base/tracing.ts';

/** Spans that are kept until they end, then handed on. */

/** A span that is over. Times in nanoseconds since the epoch. */
export interface EndedSpan {
  readonly context: SpanContext;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
  readonly attributes: ReadonlyMap<string, string | number | boolean>;
  /** Why it did not go well. */
  readonly failure: string | undefined;
}

export interface TracerOptions {
  readonly clock: Clock;
  /** Takes what has ended; must not throw. */
  readonly ended: (span: EndedSpan) => void;
  /** Part of all traces that are made, 0 to 1. */
  readonly ratio: number;
  readonly addresses: boolean;
  /** Milliseconds from which on `past` takes something; 0: all. */
  readonly pastFromMs: number;
}

/** Messages whose span is remembered until they are delivered. */
const CARRIED = 10_000;
/** Attributes of one span, UTF-16 units of one of them. */
const ATTRIBUTES = 32;
const VALUE = 500;
const NS_PER_MS = 1_000_000n;

export function createTracer(options: TracerOptions): Tracer {
  const { ratio, addresses, pastFromMs } = options;
  const carried = new Map<string, Span | undefined>();

  function start(name: string, { kind = 'internal', parent }: StartOptions = {}): Span | undefined {
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
    if (!(parent === undefined ? inSample(traceId, ratio) : parent.sampled)) return undefined;
    return new LiveSpan(options, name, kind, traceId, parent?.spanId);
  }

  return {
    addresses,
    start,
    wants: (durationMs) => durationMs >= pastFromMs,
    past(name, durationMs, kind) {
      const traceId = randomBytes(16).toString('hex');
      if (!inSample(traceId, ratio)) return undefined;
      return new LiveSpan(options, name, kind, traceId, undefined, durationMs);
    },
    carry(trace, span) {
      carried.delete(trace);
      carried.set(trace, span);
      if (carried.size <= CARRIED) return;
      for (const oldest of carried.keys()) {
        carried.delete(oldest);
        break;
      }
    },
    resume(trace, name, kind) {
      // A message that came in untraced goes out untraced.
      if (carried.has(trace)) return carried.get(trace)?.child(name, kind);
      return start(name, { kind });
    },
  };
}

/** The same traces in every program that asks: by the random part of their names (W3C Trace Context Level 2 5.1). */
function inSample(traceId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(-8), 16) < ratio * 2 ** 32;
}

class LiveSpan implements Span {
  readonly context: SpanContext;
  readonly #options: TracerOptions;
  readonly #name: string;
  readonly #kind: SpanKind;
  readonly #parentId: string | undefined;
  readonly #startedAt: bigint;
  /** Of the clock that never jumps: a span must not end before it began. */
  readonly #origin: number;
  readonly #attributes = new Map<string, string | number | boolean>();
  #failure: string | undefined;
  #over = false;

  constructor(
    options: TracerOptions,
    name: string,
    kind: SpanKind,
    traceId: string,
    parentId: string | undefined,
    agoMs = 0,
  ) {
    const { clock } = options;
    this.#options = options;
    this.#name = name;
    this.#kind = kind;
    this.#parentId = parentId;
    this.context = { traceId, spanId: randomBytes(8).toString('hex') };
    this.#startedAt = BigInt(Math.floor(clock.now())) * NS_PER_MS - nanoseconds(agoMs);
    this.#origin = clock.monotonic() - agoMs;
  }

  child(name: string, kind: SpanKind = 'internal'): Span {
    return new LiveSpan(this.#options, name, kind, this.context.traceId, this.context.spanId);
  }

  set(attributes: Attributes): void {
    if (this.#over) return;
    for (const [name, value] of Object.entries(attributes)) {
      if (this.#attributes.size >= ATTRIBUTES && !this.#attributes.has(name)) return;
      this.#attributes.set(name, typeof value === 'string' ? value.slice(0, VALUE).toWellFormed() : value);
    }
  }

  fail(reason: string): void {
    this.#failure ??= reason.slice(0, VALUE);
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    const took = Math.max(0, this.#options.clock.monotonic() - this.#origin);
    this.#options.ended({
      context: this.context,
      parentId: this.#parentId,
      name: this.#name,
      kind: this.#kind,
      startedAt: this.#startedAt,
      endedAt: this.#startedAt + nanoseconds(took),
      attributes: this.#attributes,
      failure: this.#failure,
    });
  }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
