import type { SpanKind } from '../../base/tracing.ts';
import type { EndedSpan } from './tracer.ts';

/**
 * Spans as OTLP/HTTP wants them in JSON (opentelemetry-proto 1.x, ExportTraceServiceRequest): names in lowerCamelCase,
 * ids in hexadecimal, 64-bit integers as text, enumerations as numbers.
 */

const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, consumer: 5 };
const STATUS_ERROR = 2;
/** This span was made by a program that was told to sample it (W3C trace flags). */
const FLAGS = 1;

type Value = string | number | boolean;

/** `resource`: what is told of the program itself, by the names of the semantic conventions. */
export function traceRequest(
  spans: readonly EndedSpan[],
  resource: Readonly<Record<string, Value>>,
  version: string,
): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: Object.entries(resource).map(attribute) },
        scopeSpans: [{ scope: { name: 'postern', version }, spans: spans.map(span) }],
      },
    ],
  });
}

function span({ context, parentId, name, kind, startedAt, endedAt, attributes, failure }: EndedSpan): object {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentId !== undefined && { parentSpanId: parentId }),
    flags: FLAGS,
    name,
    kind: KINDS[kind],
    startTimeUnixNano: startedAt.toString(),
    endTimeUnixNano: endedAt.toString(),
    attributes: [...attributes].map(attribute),
    status: failure === undefined ? {} : { code: STATUS_ERROR, message: failure },
  };
}

function attribute([key, value]: readonly [string, Value]): object {
  if (typeof value === 'string') return { key, value: { stringValue: value } };
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  return Number.isSafeInteger(value)
    ? { key, value: { intValue: String(value) } }
    : { key, value: { doubleValue: value } };
}
