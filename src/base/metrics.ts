import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';

/** One registry per server, so several servers can live in one test process. */
export class Metrics {
  readonly registry: Registry = new Registry();

  counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    collect?: (this: Gauge<L>) => void | Promise<void>,
  ): Gauge<L> {
    return new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      ...(collect && { collect }),
    });
  }

  /** Durations in seconds, from a millisecond to ten minutes. */
  duration<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    /** Upper bounds in seconds, where those do not fit. */
    buckets: readonly number[] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 600],
  ): Histogram<L> {
    return new Histogram({
      name,
      help,
      labelNames: [...labelNames],
      buckets: [...buckets],
      registers: [this.registry],
    });
  }

  /** The same in the words of OpenMetrics 1.0. */
  openMetrics(): Promise<string> {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const { name } of this.registry.getMetricsAsArray()) {
      const metric = this.registry.getSingleMetric(name);
      if (metric !== undefined) registry.registerMetric(metric);
    }
    return registry.metrics();
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
