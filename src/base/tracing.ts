/**
 * What modules see of tracing (OpenTelemetry): spans, if anybody wants them. Off, and for what is not sampled, there is
 * no span at all: callers write `span?.set({...})`, whose arguments are then not even made. Never put contents of
 * messages or secrets into a span; addresses of people only where `addresses` says so.
 */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';

/** What names a span to others (W3C Trace Context): 32 and 16 lower-case hexadecimal digits. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

/** Something that takes time. */
export interface Span {
  readonly context: SpanContext;
  /** A part of it, beginning now. */
  child(name: string, kind?: SpanKind): Span;
  set(attributes: Attributes): void;
  /** It did not go well, for `reason`: words of ours, without anything that came from outside. */
  fail(reason: string): void;
  /** It is over. A second end is harmless. */
  end(): void;
}

export interface StartOptions {
  readonly kind?: SpanKind;
  /** What called for it elsewhere; `sampled`: whether it is traced there, which then holds here too. */
  readonly parent?: SpanContext & { readonly sampled: boolean };
}

export interface Tracer {
  /** Whether addresses of people and clients may be told. */
  readonly addresses: boolean;
  /** Something of its own begins; undefined: it is not traced. */
  start(name: string, options?: StartOptions): Span | undefined;
  /** Whether `past` would take something that took so long. */
  wants(durationMs: number): boolean;
  /** Something of its own that has just ended. */
  past(name: string, durationMs: number, kind: SpanKind): Span | undefined;
  /** The message `trace` (as the journal names it) goes on later, as a part of `span`; undefined: untraced. */
  carry(trace: string, span: Span | undefined): void;
  /** The message `trace` goes on: a part of the span that it came with where that is known, else of its own. */
  resume(trace: string, name: string, kind: SpanKind): Span | undefined;
}

/** Nobody wants any. */
export const noTracer: Tracer = {
  addresses: false,
  start: () => undefined,
  wants: () => false,
  past: () => undefined,
  carry: () => undefined,
  resume: () => undefined,
};

/** Do `work` as a part of `parent`; what it throws fails the span. */
export async function traced<T>(
  parent: Span | undefined,
  name: string,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (parent === undefined) return work(undefined);
  return within(parent.child(name), work);
}

/** Do `work` as `span`, which ends with it. */
export async function within<T>(
  span: Span | undefined,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await work(span);
  } catch (error) {
    span?.fail(error instanceof Error ? error.name : 'failed');
    throw error;
  } finally {
    span?.end();
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** A traceparent field (W3C Trace Context section 3.2); undefined for what is none. */
export function parseTraceparent(value: string | undefined): StartOptions['parent'] {
  const match = value === undefined || value.length > 200 ? null : TRACEPARENT.exec(value);
  if (match === null || value?.startsWith('ff') === true) return undefined;
  const [, traceId = '', spanId = '', flags = ''] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  // Version 00 has nothing behind the flags.
  if (value?.startsWith('00') === true && value.length !== 55) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
