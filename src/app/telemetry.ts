import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { errorText, Refusal } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { fileTrouble, readSmallFile } from '../base/small-file.ts';
import { noTracer, type Tracer } from '../base/tracing.ts';
import type { Config } from './config.ts';
import { programVersion } from './version.ts';

/** OpenTelemetry traces, where a collector is named; what makes them is loaded only then. */
export interface Telemetry {
  readonly tracer: Tracer;
  stop(): Promise<void>;
}

const TRACES_PATH = '/v1/traces';

/** Throws a `Refusal` for an endpoint or headers that cannot be used. A collector that is away is none. */
export async function startTelemetry(parts: {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Promise<Telemetry> {
  const { config, clock, logger, metrics } = parts;
  const { endpoint, headers_file: file, sample_ratio: ratio, addresses } = config.telemetry;
  const spans = metrics.counter(
    'postern_trace_spans_total',
    'Spans for the OpenTelemetry collector, by outcome',
    ['outcome'],
  );
  if (endpoint === '') return { tracer: noTracer, stop: async () => undefined };
  const url = tracesUrl(endpoint);
  const headers = file === '' ? {} : await readHeaders(file);
  const [{ createTracer }, { createExporter }] = await Promise.all([
    import('../net/telemetry/tracer.ts'),
    import('../net/telemetry/exporter.ts'),
  ]);
  const version = programVersion();
  const exporter = createExporter({
    url,
    headers,
    resource: {
      'service.name': 'postern',
      'service.version': version,
      'host.name': config.hostname,
      'process.pid': process.pid,
    },
    version,
    clock,
    logger,
    count: (outcome, count) => spans.inc({ outcome }, count),
  });
  for (const outcome of ['sent', 'dropped']) spans.inc({ outcome }, 0);
  const tracer = createTracer({
    clock,
    ended: (span) => exporter.add(span),
    ratio,
    addresses,
    pastFromMs: config.telemetry.imap_over_ms,
  });
  return { tracer, stop: () => exporter.stop() };
}

/** As OTEL_EXPORTER_OTLP_ENDPOINT is meant: the place below which all signals have their paths. */
function tracesUrl(endpoint: string): URL {
  const wrong = new Refusal(
    'bad-input',
    `telemetry.endpoint: "${endpoint}" is not a URL such as "http://127.0.0.1:4318"`,
  );
  if (!URL.canParse(endpoint)) throw wrong;
  const url = new URL(endpoint);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong;
  if (!url.pathname.endsWith(TRACES_PATH)) url.pathname = url.pathname.replace(/\/$/, '') + TRACES_PATH;
  return url;
}

/** Header fields, one a line; empty lines and those that begin with # say nothing. */
async function readHeaders(file: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = (await readSmallFile(file)).toString('utf8');
  } catch (error) {
    throw new Refusal('bad-input', `telemetry.headers_file: cannot read ${file}: ${fileTrouble(error)}`);
  }
  const headers: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const [name, value] = [
      line.slice(0, Math.max(0, colon)).trim().toLowerCase(),
      line.slice(colon + 1).trim(),
    ];
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (error) {
      // The line itself may be a secret.
      throw new Refusal(
        'bad-input',
        `telemetry.headers_file: line ${index + 1} of ${file} is not "Name: value" (${errorText(error).split(' [')[0]?.slice(0, 40)})`,
      );
    }
    headers[name] = value;
  }
  return headers;
}
